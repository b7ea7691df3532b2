import pytest

from opensip.sip.invite_attempt import (
    EarlyOffered,
    EarlyUpdated,
    Established,
    InviteAttempt,
    Refused,
    Ringing,
)
from opensip.sip.invite_events import State
from opensip.sip.session_timer import SessionTimer
from opensip.sip.transaction import TransactionKey
from opensip.sip.transaction.matching import key_of_request
from opensip.sip.usage import Acknowledge, Ask, Cancel
from tests.fakes.run_until import events_of
from tests.fakes.sip_exchange import answer_to, make_request

KEY = TransactionKey("client", "z9hG4bKx", "INVITE")


class Caller:
    """An attempt of alice, and what comes back."""

    def __init__(self, body=b"offer", authorize=None, **more):
        self.attempt = InviteAttempt(
            make_request(branch=None, body=body),
            contact="<sip:alice@192.0.2.1>",
            random=lambda: 0.5,
            authorize=authorize,
            **more,
        )
        (self.first,) = self.attempt.messages_to_send()

    def answered(self, status, *, to_tag="to1", body=b"", headers=(), request=None):
        # What comes back has the Via that the layer put on.
        asked = request or self.attempt.request
        asked = asked.with_headers(asked.headers.prepend("Via", "SIP/2.0/UDP a;branch=z9hG4bKx"))
        response = answer_to(asked, status, to_tag=to_tag, body=body, headers=headers)
        self.attempt.receive_response(response, now=1)
        return response

    def ring(self, rseq, *, to_tag="to1", body=b""):
        headers = (("Require", "100rel"), ("RSeq", str(rseq)))
        return self.answered(183, to_tag=to_tag, body=body, headers=headers)

    def ask(self, method, *, cseq=5, tag="to1", body=b""):
        request = make_request(
            method, cseq=cseq, from_tag=tag, to_tag="from1", body=body, branch=f"z9hG4bK{cseq}"
        )
        self.attempt.receive_request(key_of_request(request), request)

    def statuses(self):
        return [c.response.status for c in self.commands()]

    def commands(self):
        return self.attempt.messages_to_send()

    def methods(self):
        return [c.request.method for c in self.commands()]

    def events(self):
        return events_of(self.attempt)


def test_the_invite_leaves_and_its_progress_is_told():
    alice = Caller()
    assert alice.first == Ask(alice.attempt.request)
    alice.answered(100)
    ringing = alice.answered(180)
    untagged = alice.answered(183, to_tag=None)
    assert alice.events() == [Ringing(ringing), Ringing(untagged)]


def test_the_answer_makes_a_usage_and_is_acknowledged_each_time():
    alice = Caller()
    alice.answered(180)
    alice.events()
    ok = alice.answered(200, body=b"answer")
    (event,) = alice.events()
    assert event == Established(alice.attempt.usage, ok, b"answer")
    assert event.usage.state is State.ESTABLISHED
    assert event.usage.dialog.id == ("call1", "from1", "to1")
    alice.answered(200, body=b"answer")
    alice.answered(180)
    first, again = alice.commands()
    assert isinstance(first, Acknowledge)
    assert first == again
    assert first.request.cseq.number == 1
    assert str(first.request.uri) == "sip:bob@192.0.2.2:5070"
    assert alice.events() == []


def test_a_delayed_offer_is_answered_in_the_ack():
    alice = Caller(body=b"")
    alice.attempt.acknowledge(b"too soon")
    alice.answered(200, body=b"their offer")
    alice.answered(200, body=b"their offer")
    assert alice.commands() == []
    assert [e.body for e in alice.events()] == [b"their offer"]
    alice.attempt.acknowledge(b"our answer")
    alice.attempt.acknowledge(b"twice")
    (ack,) = alice.commands()
    assert ack.request.body == b"our answer"
    alice.answered(200, body=b"their offer")
    assert alice.commands() == [ack]


def test_a_slower_fork_gets_ack_and_bye():
    alice = Caller()
    alice.answered(180, to_tag="slow")
    alice.answered(200, to_tag="fast", body=b"answer")
    alice.commands(), alice.events()
    alice.answered(200, to_tag="slow")
    ack, bye = alice.commands()
    assert ack.request.to.tag == bye.request.to.tag == "slow"
    assert (ack.request.method, bye.request.method) == ("ACK", "BYE")
    assert bye.request.cseq.number == 2
    alice.answered(200, to_tag="slow")
    assert alice.commands() == [ack]
    alice.answered(200, to_tag="slow", request=bye.request)
    alice.attempt.transaction_failed(KEY._replace(method="BYE"), 408)
    assert alice.commands() == alice.events() == []
    assert alice.attempt.usage.dialog.id.remote_tag == "fast"


@pytest.mark.parametrize("status", [302, 404, 486, 500, 603])
def test_a_failure_is_told_once(status):
    alice = Caller()
    refusal = alice.answered(status)
    alice.answered(status)
    alice.attempt.transaction_failed(KEY, 408)
    alice.attempt.cancel()
    assert alice.events() == [Refused(status, refusal)]
    assert alice.commands() == []


@pytest.mark.parametrize("status", [408, 503])
def test_nobody_answers(status):
    alice = Caller()
    alice.attempt.transaction_failed(KEY, status)
    assert alice.events() == [Refused(status, None)]


class TestCancel:
    def test_it_ends_in_487(self):
        alice = Caller()
        alice.attempt.cancel()
        alice.attempt.cancel()
        assert alice.commands() == [Cancel()]
        terminated = alice.answered(487)
        assert alice.events() == [Refused(487, terminated)]

    def test_a_2xx_that_crossed_it_gets_ack_and_bye(self):
        alice = Caller()
        alice.attempt.cancel()
        alice.commands()
        ok = alice.answered(200, body=b"answer")
        assert alice.methods() == ["ACK", "BYE"]
        assert alice.events() == [Refused(487, ok)]
        alice.answered(200, body=b"answer")
        assert alice.methods() == ["ACK"]
        assert alice.attempt.usage is None

    def test_without_any_answer_it_is_cancelled_all_the_same(self):
        alice = Caller()
        alice.attempt.cancel()
        alice.attempt.transaction_failed(KEY, 408)
        assert alice.events() == [Refused(487, None)]

    def test_a_challenge_is_not_answered_any_more(self):
        alice = Caller(authorize=lambda req, resp: [("Authorization", "Digest x")])
        alice.attempt.cancel()
        alice.commands()
        alice.answered(401)
        assert alice.commands() == []
        assert [e.status for e in alice.events()] == [487]

    def test_after_the_answer_it_does_nothing(self):
        alice = Caller()
        alice.answered(200)
        alice.commands()
        alice.attempt.cancel()
        assert alice.commands() == []


class TestChallenge:
    def test_it_is_answered_by_a_new_invite_whose_credentials_the_ack_repeats(self):
        alice = Caller(authorize=lambda req, resp: [("Proxy-Authorization", "Digest x")])
        old = alice.attempt.request
        alice.answered(180)
        alice.answered(407)
        (again,) = alice.commands()
        assert str(again.request.cseq) == "2 INVITE"
        assert again.request.body == b"offer"
        assert (again.request.from_, again.request.call_id) == (old.from_, old.call_id)
        alice.answered(407, request=old)
        assert alice.commands() == []
        alice.answered(200, body=b"answer")
        (ack,) = alice.commands()
        assert str(ack.request.cseq) == "2 ACK"
        assert ack.request.headers.get("Proxy-Authorization") == "Digest x"
        assert alice.attempt.usage.dialog.create_request("BYE").cseq.number == 3

    def test_a_peer_that_challenges_for_ever_is_left(self):
        answers = iter([[("Authorization", "Digest 1")], [("Authorization", "Digest 2")], None])
        alice = Caller(authorize=lambda req, resp: next(answers))
        for _ in range(3):
            alice.answered(401)
        assert len(alice.commands()) == 2
        assert [e.status for e in alice.events()] == [401]


class TestReliableResponses:
    def test_each_fork_is_acknowledged_by_itself(self):
        alice = Caller()
        first, second = alice.ring(5), alice.ring(9, to_tag="to2")
        alice.ring(5)
        pracks = [c.request for c in alice.commands()]
        assert [(r.method, r.headers.get("RAck"), r.to.tag) for r in pracks] == [
            ("PRACK", "5 1 INVITE", "to1"),
            ("PRACK", "9 1 INVITE", "to2"),
        ]
        events = alice.events()
        assert events == [Ringing(first), Ringing(second)]
        assert [e.dialog.remote.tag for e in events] == ["to1", "to2"]

    def test_the_call_is_answered_after_it(self):
        alice = Caller()
        alice.ring(5, body=b"early")
        alice.answered(200, body=b"early")
        prack, ack = alice.commands()
        assert prack.request.cseq.number == 2
        assert ack.request.cseq.number == 1
        alice.attempt.usage.bye()
        (bye,) = alice.attempt.usage.messages_to_send()
        assert bye.request.cseq.number == 3

    def test_an_offer_is_answered_in_the_prack(self):
        alice = Caller(body=b"")
        alice.ring(5, body=b"offer")
        ringing, offered = alice.events()
        assert offered == EarlyOffered(ringing.dialog, b"offer")
        assert alice.commands() == []
        alice.attempt.answer_early(offered.dialog, b"answer")
        (prack,) = alice.commands()
        assert prack.request.body == b"answer"

    def test_update_of_a_fork(self):
        alice = Caller()
        alice.ring(5, body=b"early")
        alice.commands(), alice.events()
        alice.ask("UPDATE", body=b"new")
        (offered,) = alice.events()
        alice.attempt.refuse_early(offered.dialog, 488)
        assert alice.statuses() == [488]
        alice.ask("UPDATE", cseq=6, body=b"newer")
        alice.attempt.answer_early(offered.dialog, b"answer")
        assert alice.statuses() == [200]
        alice.ask("UPDATE", tag="nobody")
        assert alice.events()[1:] == alice.commands() == []

    def test_update_of_ours(self):
        alice = Caller()
        alice.ring(5, body=b"early")
        alice.commands()
        (ringing,) = alice.events()
        assert alice.attempt.update(ringing.dialog, b"new")
        (update,) = alice.commands()
        response = alice.answered(200, request=update.request, body=b"answer")
        assert alice.events() == [EarlyUpdated(ringing.dialog, response)]
        alice.answered(200, request=update.request, to_tag="nobody")
        assert alice.events() == []

    def test_a_dialog_that_is_not_ours(self):
        alice, other = Caller(), Caller()
        other.ring(5, to_tag="to9")
        (ringing,) = other.events()
        alice.attempt.answer_early(ringing.dialog, b"x")
        alice.attempt.refuse_early(ringing.dialog, 488)
        assert not alice.attempt.update(ringing.dialog, b"x")
        assert alice.commands() == []


class TestSessionTimer:
    def test_it_is_asked_for_and_runs_from_the_answer(self):
        alice = Caller(timer=SessionTimer())
        invite = alice.attempt.request
        assert invite.headers.get("Session-Expires") == "1800"
        assert alice.first == Ask(invite)
        headers = (("Session-Expires", "1800;refresher=uac"), ("Allow", "UPDATE"))
        alice.answered(200, headers=headers)
        usage = alice.attempt.usage
        assert usage.get_timer() == 901
        assert usage.can_update

    def test_422_is_asked_again_with_the_interval_of_the_peer_once(self):
        alice = Caller(timer=SessionTimer())
        alice.answered(422, headers=(("Min-SE", "3600"),))
        again = alice.commands()[-1].request
        assert (again.cseq.number, again.headers.get("Session-Expires")) == (2, "3600")
        assert alice.events() == []
        alice.answered(422, headers=(("Min-SE", "3600"),))
        (refused,) = alice.events()
        assert refused.status == 422

    def test_without_one_422_is_a_refusal(self):
        alice = Caller()
        alice.answered(422, headers=(("Min-SE", "3600"),))
        (refused,) = alice.events()
        assert refused.status == 422
