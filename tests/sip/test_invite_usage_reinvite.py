"""A session that is changed by INVITE within its dialog, by the peer and by us."""

import pytest

from opensip.errors import LocalProtocolError
from opensip.sip.invite_events import (
    Acknowledged,
    Ended,
    ReinviteCancelled,
    Reinvited,
    ReinviteDue,
    ReinviteReceived,
    ReinviteRefused,
    RequestReceived,
    State,
)
from opensip.sip.invite_usage import InviteUsage
from opensip.sip.transaction.matching import key_of_request
from opensip.sip.usage import Acknowledge
from tests.fakes.sip_callee import Callee
from tests.fakes.sip_exchange import make_request


class TestPeersReinvite:
    def test_it_is_answered_and_acknowledged(self):
        bob = Callee().established()
        request = bob.request("INVITE", body=b"hold", now=5)
        assert bob.events() == [ReinviteReceived(request, b"hold")]
        bob.usage.answer(b"held", now=5)
        assert bob.statuses() == [200]
        assert bob.usage.get_timer() == 5.5
        bob.ack(now=5.1)
        assert bob.events() == [Acknowledged(b"", offered=False)]

    def test_without_an_offer_we_make_one(self):
        bob = Callee().established()
        bob.request("INVITE")
        bob.events()
        bob.usage.answer(b"our offer", now=5)
        bob.ack(body=b"their answer")
        assert bob.events() == [Acknowledged(b"their answer", offered=True)]

    def test_a_refusal_leaves_the_session_alone(self):
        bob = Callee().established()
        bob.request("INVITE", body=b"video")
        bob.events()
        bob.usage.reject(488)
        assert bob.statuses() == [488]
        assert bob.events() == []
        assert bob.usage.state is State.ESTABLISHED

    def test_it_is_cancelled(self):
        bob = Callee().established()
        bob.request("INVITE", body=b"hold")
        bob.events()
        bob.usage.receive_cancel()
        assert bob.statuses() == [487]
        assert bob.events() == [ReinviteCancelled()]

    def test_bye_ends_one_that_waits(self):
        bob = Callee().established()
        bob.request("INVITE", body=b"hold")
        bob.usage.bye()
        commands = bob.commands()
        assert commands[0].response.status == 487
        assert commands[1].request.method == "BYE"

    def test_its_transport_fails(self):
        bob = Callee().established()
        request = bob.request("INVITE", body=b"hold")
        bob.events()
        bob.usage.transaction_failed(key_of_request(request), 503)
        assert bob.asked().method == "BYE"
        assert bob.events() == [Ended("lost", "INVITE: 503")]

    def test_failure_of_another_server_transaction_is_nothing(self):
        bob = Callee().established()
        bob.usage.transaction_failed(key_of_request(make_request("INFO")), 503)
        assert bob.events() == []

    def test_before_the_ack_of_an_accepted_offer_it_stands_for_the_ack(self):
        bob = Callee()
        bob.usage.answer(b"answer", now=0)
        bob.commands()
        request = bob.request("INVITE", body=b"hold")
        assert bob.events() == [
            Acknowledged(b"", offered=False),
            ReinviteReceived(request, b"hold"),
        ]
        assert bob.usage.get_timer() is None

    def test_before_the_answer_to_our_offer_it_gets_491(self):
        bob = Callee(body=b"")
        bob.usage.answer(b"our offer", now=0)
        bob.commands()
        bob.request("INVITE", body=b"hold")
        assert bob.statuses() == [491]
        assert bob.events() == []

    def test_while_a_bye_waits_for_the_ack_it_lets_the_bye_go(self):
        bob = Callee()
        bob.usage.answer(b"answer", now=0)
        bob.usage.bye()
        bob.commands()
        bob.request("INVITE", body=b"hold")
        bye, refusal = bob.commands()
        assert bye.request.method == "BYE"
        assert refusal.response.status == 487

    def test_an_overtaken_one_gets_500(self):
        bob = Callee().established()
        bob.request("INFO", cseq=9)
        bob.request("INVITE", cseq=5)
        assert bob.statuses() == [500]

    def test_other_requests_are_passed_on(self):
        bob = Callee().established()
        info = bob.request("INFO", body=b"5")
        assert bob.events() == [RequestReceived(key_of_request(info), info)]
        assert bob.commands() == []


class TestOurReinvite:
    def test_it_is_accepted_and_each_2xx_acknowledged(self):
        bob = Callee().established()
        bob.usage.reinvite(b"offer", headers=[("Subject", "x")], now=1)
        request = bob.asked()
        assert (request.method, request.body) == ("INVITE", b"offer")
        bob.answered(request, 100)
        bob.answered(request, 200, body=b"answer")
        (event,) = bob.events()
        assert isinstance(event, Reinvited)
        assert event.body == b"answer"
        bob.answered(request, 200, body=b"answer")
        first, second = bob.commands()
        assert first == second
        assert isinstance(first, Acknowledge)
        assert first.request.cseq.number == request.cseq.number
        assert bob.events() == []

    def test_without_an_offer_the_ack_answers(self):
        bob = Callee().established()
        bob.usage.reinvite(b"", now=1)
        request = bob.asked()
        bob.answered(request, 200, body=b"their offer")
        bob.answered(request, 200, body=b"their offer")
        assert bob.commands() == []
        assert [e.body for e in bob.events()] == [b"their offer"]
        bob.request("INVITE", body=b"glare")
        assert bob.statuses() == [491]
        bob.usage.acknowledge(b"our answer")
        bob.usage.acknowledge(b"twice")
        (command,) = bob.commands()
        assert command.request.body == b"our answer"

    def test_bye_acknowledges_the_offer_that_waits(self):
        bob = Callee().established()
        bob.usage.reinvite(b"", now=1)
        bob.answered(bob.asked(), 200, body=b"their offer")
        bob.usage.bye()
        ack, bye = bob.commands()
        assert (ack.request.method, bye.request.method) == ("ACK", "BYE")

    def test_a_2xx_after_our_bye_is_acknowledged(self):
        bob = Callee().established()
        bob.usage.reinvite(b"", now=1)
        request = bob.asked()
        bob.usage.bye()
        bob.commands(), bob.events()
        bob.answered(request, 200, body=b"their offer")
        assert [c.request.method for c in bob.commands()] == ["ACK"]
        assert bob.events() == []

    def test_a_failure_after_our_bye_is_nothing(self):
        bob = Callee().established()
        bob.usage.reinvite(b"offer", now=1)
        request = bob.asked()
        bob.usage.bye()
        bob.commands(), bob.events()
        bob.answered(request, 487)
        assert bob.commands() == bob.events() == []

    def test_a_refusal_leaves_the_session_alone(self):
        bob = Callee().established()
        bob.usage.reinvite(b"offer", now=1)
        bob.answered(bob.asked(), 488)
        (event,) = bob.events()
        assert isinstance(event, ReinviteRefused)
        assert event.response.status == 488
        assert bob.usage.state is State.ESTABLISHED

    @pytest.mark.parametrize("status", [408, 481])
    def test_a_peer_that_knows_nothing_of_it_is_lost(self, status):
        bob = Callee().established()
        bob.usage.reinvite(b"offer", now=1)
        bob.answered(bob.asked(), status)
        assert bob.asked().method == "BYE"
        assert bob.events() == [Ended("lost", f"re-INVITE: {status}")]

    def test_nobody_answers(self):
        bob = Callee().established()
        bob.usage.reinvite(b"offer", now=1)
        bob.asked()
        key = bob.key._replace(side="client")
        bob.usage.transaction_failed(key, 408)
        bob.usage.transaction_failed(key, 408)
        assert bob.asked().method == "BYE"
        assert bob.events() == [Ended("lost", "re-INVITE: 408")]

    def test_nobody_answers_what_the_session_can_do_without(self):
        bob = Callee().established()
        bob.usage.reinvite(b"offer", now=1, vital=False)
        bob.asked()
        bob.usage.transaction_failed(bob.key._replace(side="client"), 408)
        (event,) = bob.events()
        assert isinstance(event, ReinviteRefused)
        assert bob.usage.state is State.ESTABLISHED
        bob.usage.reinvite(b"offer", now=40)
        assert bob.asked().method == "INVITE"

    @pytest.mark.parametrize("owner", [True, False])
    @pytest.mark.parametrize("random", [0.0, 0.5, 0.999])
    def test_after_a_collision_it_is_due_within_the_right_window(self, owner, random):
        bob = Callee()
        usage = bob.usage = InviteUsage(bob.usage.dialog, owner=owner, random=lambda: random)
        usage.reinvite(b"offer", now=10)
        bob.answered(bob.asked(), 491, now=10)
        assert bob.events() == []
        pause = usage.get_timer() - 10
        low, high = (2.1, 4.0) if owner else (0.0, 2.0)
        assert low - 1e-9 <= pause <= high + 1e-9
        assert pause == pytest.approx(low + (high - low) * random, abs=0.006)
        usage.reinvite(b"too soon", now=10)
        assert bob.commands() == []
        usage.handle_timer(now=usage.get_timer())
        assert bob.events() == [ReinviteDue()]
        usage.reinvite(b"offer", now=15)
        assert bob.asked().body == b"offer"

    def test_theirs_during_ours_gets_491(self):
        bob = Callee().established()
        bob.usage.reinvite(b"offer", now=1)
        bob.asked()
        bob.request("INVITE", body=b"hold")
        assert bob.statuses() == [491]

    def test_ours_during_theirs_is_due_when_theirs_is_over(self):
        bob = Callee().established()
        bob.request("INVITE", body=b"hold")
        bob.events()
        bob.usage.reinvite(b"offer", now=1)
        assert bob.commands() == []
        bob.usage.answer(b"held", now=1)
        assert bob.events() == []
        bob.ack()
        assert bob.events() == [Acknowledged(b"", offered=False), ReinviteDue()]

    def test_ours_during_ours_is_due_later(self):
        bob = Callee().established()
        bob.usage.reinvite(b"one", now=1)
        request = bob.asked()
        bob.usage.reinvite(b"two", now=1)
        assert bob.commands() == []
        bob.answered(request, 200, body=b"answer")
        assert [type(e) for e in bob.events()] == [Reinvited, ReinviteDue]

    def test_the_pause_after_a_collision_waits_for_theirs(self):
        bob = Callee().established()
        bob.usage.reinvite(b"offer", now=1)
        bob.answered(bob.asked(), 491, now=1)
        bob.request("INVITE", body=b"hold", now=1.5)
        bob.usage.handle_timer(now=bob.usage.get_timer())
        assert [type(e) for e in bob.events()] == [ReinviteReceived]
        bob.usage.answer(b"held", now=2.5)
        bob.ack(now=2.6)
        assert ReinviteDue() in bob.events()

    def test_before_the_session_there_is_none(self):
        with pytest.raises(LocalProtocolError, match="EARLY"):
            Callee().usage.reinvite(b"offer", now=0)

    def test_a_challenge_is_answered_and_the_ack_has_the_credentials(self):
        bob = Callee(authorize=lambda req, resp: [("Authorization", "Digest x")]).established()
        bob.usage.reinvite(b"offer", now=1)
        first = bob.asked()
        bob.answered(first, 407)
        again = bob.asked()
        assert again.cseq.number == first.cseq.number + 1
        assert bob.events() == []
        bob.answered(again, 200, body=b"answer")
        (ack,) = bob.commands()
        assert ack.request.headers.get("Authorization") == "Digest x"

    def test_acks_of_long_ago_are_not_kept(self):
        bob = Callee().established()
        requests = []
        for _ in range(6):
            bob.usage.reinvite(b"offer", now=1)
            requests.append(bob.asked())
            bob.answered(requests[-1], 200, body=b"answer")
            bob.commands(), bob.events()
        bob.answered(requests[0], 200)
        assert bob.commands() == []
        bob.answered(requests[2], 200)
        assert len(bob.commands()) == 1

    def test_responses_of_other_requests_are_not_ours(self):
        bob = Callee().established()
        bob.answered(make_request("INFO", cseq=1), 200)
        bob.answered(make_request("INVITE", cseq=99), 200)
        assert bob.commands() == bob.events() == []
