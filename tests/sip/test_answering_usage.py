"""What the peer asks by PRACK and UPDATE; INVITE, ACK, BYE and CANCEL: test_invite_usage.py."""

import pytest

from opensip.sip.invite_events import (
    EarlyAnswered,
    Ended,
    OfferReceived,
    ReinviteDue,
    ReinviteReceived,
    State,
)
from opensip.sip.usage import Ask
from tests.fakes.run_until import run_until
from tests.fakes.sip_callee import Callee

REQUIRED = (("Require", "100rel"),)
FIRST = 2**30  # RSeq, as the fake chance has it


def rack(rseq=FIRST):
    return (("RAck", f"{rseq} 1 INVITE"),)


def ringing(body=b"offer", *, early=b"", status=180):
    """Bob, who rings reliably."""
    bob = Callee(body, headers=REQUIRED)
    bob.usage.provisional(status, body=early, now=0)
    (response,) = bob.responses()
    assert response.headers.get("RSeq") == str(FIRST)
    return bob


class TestPrack:
    def test_the_response_is_sent_until_it_comes(self):
        bob = ringing()
        sent = run_until(bob.usage, 2)
        assert [(at, c.response.status) for at, c in sent] == [(0.5, 180), (1.5, 180)]
        bob.request("PRACK", headers=rack(), now=2)
        assert bob.statuses() == [200]
        assert bob.usage.get_timer() == 60  # the next one, for the proxies' sake
        assert bob.events() == []

    def test_one_that_fits_nothing(self):
        bob = ringing()
        bob.request("PRACK", headers=rack(7))
        bob.request("PRACK")
        assert bob.statuses() == [481, 400]
        assert Callee().established().request("PRACK", headers=rack())

    def test_without_it_the_invite_is_refused(self):
        bob = ringing()
        last = run_until(bob.usage, 40)[-1]
        assert (last[0], last[1].response.status) == (32, 504)
        assert bob.events() == [Ended("lost", "no PRACK", 504)]
        assert bob.usage.state is State.ENDED

    def test_a_2xx_without_description_in_the_way_is_sent_at_once(self):
        bob = ringing()
        bob.usage.answer(b"answer", now=0)
        assert bob.statuses() == [200]
        bob.request("PRACK", headers=rack())
        assert bob.statuses() == [200]
        assert bob.usage.state is State.ESTABLISHED

    def test_a_2xx_waits_for_the_prack_of_a_description(self):
        bob = ringing(early=b"early", status=183)
        bob.usage.answer(b"answer", now=1)
        bob.usage.answer(b"again", now=1)
        bob.usage.provisional(180, now=1)
        assert bob.commands() == []
        assert bob.usage.state is State.EARLY
        bob.request("PRACK", headers=rack())
        prack, ok = bob.responses()
        assert (prack.cseq.method, prack.status) == ("PRACK", 200)
        assert (ok.cseq.method, ok.status, ok.body) == ("INVITE", 200, b"early")
        assert bob.usage.state is State.ESTABLISHED

    def test_it_answers_an_early_offer(self):
        bob = ringing(b"", early=b"our offer", status=183)
        bob.request("PRACK", headers=rack(), body=b"their answer")
        assert bob.statuses() == [200]
        assert bob.events() == [EarlyAnswered(b"their answer")]
        bob.usage.answer(b"", now=2)
        bob.ack(cseq=1, now=2)
        (acknowledged,) = bob.events()
        assert not acknowledged.offered

    def test_it_makes_an_offer_which_its_2xx_answers(self):
        bob = ringing(early=b"early", status=183)
        request = bob.request("PRACK", headers=rack(), body=b"another offer")
        assert bob.events() == [OfferReceived(request, b"another offer")]
        bob.usage.answer(b"answer", now=2)
        assert bob.commands() == []
        bob.usage.answer_offer(b"another answer", now=2)
        prack, ok = bob.responses()
        assert (prack.cseq.method, prack.body) == ("PRACK", b"another answer")
        assert ok.cseq.method == "INVITE"

    def test_an_offer_while_its_own_has_no_answer(self):
        bob = ringing()
        bob.request("PRACK", headers=rack(), body=b"another offer")
        assert bob.statuses() == [500]
        assert bob.events() == []

    def test_the_call_is_cancelled_while_the_2xx_waits(self):
        bob = ringing(early=b"early", status=183)
        bob.usage.answer(b"answer", now=1)
        bob.usage.receive_cancel()
        assert bob.statuses() == [487]
        assert bob.usage.get_timer() is None
        bob.request("PRACK", headers=rack())
        assert bob.statuses() == [481]


class TestUpdate:
    def test_a_refresh_moves_the_target(self):
        bob = Callee().established()
        bob.request("UPDATE")
        (ok,) = bob.responses()
        assert ok.status == 200
        assert ok.contact is not None
        assert bob.events() == []

    def test_an_offer_is_answered(self):
        bob = Callee(capabilities=(("Allow", "UPDATE"),)).established()
        request = bob.request("UPDATE", body=b"hold")
        assert bob.events() == [OfferReceived(request, b"hold")]
        bob.usage.answer_offer(b"held", headers=[("X-Own", "y")], now=2)
        (ok,) = bob.responses()
        assert (ok.status, ok.body) == (200, b"held")
        assert ok.headers.get("X-Own") == "y"
        assert ok.headers.get("Allow") == "UPDATE"
        bob.usage.answer_offer(b"held", now=2)
        assert bob.commands() == []

    def test_an_offer_is_refused(self):
        bob = Callee().established()
        bob.request("UPDATE", body=b"video")
        bob.usage.refuse_offer(488, headers=[("Warning", '305 a "no"')], now=2)
        (refusal,) = bob.responses()
        assert (refusal.status, refusal.headers.get("Warning")) == (488, '305 a "no"')
        assert bob.usage.state is State.ESTABLISHED

    @pytest.mark.parametrize("body", [b"", b"another"])
    def test_a_second_one_before_the_first_is_answered(self, body):
        bob = Callee().established()
        bob.request("UPDATE", body=b"hold")
        bob.request("UPDATE", body=body)
        (refusal,) = bob.responses()
        assert (refusal.status, refusal.headers.get("Retry-After")) == (500, "5")

    @pytest.mark.parametrize("method", ["UPDATE", "INVITE"])
    def test_one_that_meets_an_update_of_ours(self, method):
        bob = Callee().established()
        bob.usage.update(b"ours", now=1)
        bob.commands()
        bob.request(method, body=b"theirs")
        assert bob.statuses() == [491]

    def test_one_that_meets_a_reinvite_of_ours(self):
        bob = Callee().established()
        bob.usage.reinvite(b"ours", now=1)
        bob.commands()
        bob.request("UPDATE", body=b"theirs")
        bob.request("UPDATE")
        assert bob.statuses() == [491, 200]

    def test_one_that_meets_a_reinvite_of_the_peer(self):
        bob = Callee().established()
        bob.request("INVITE", body=b"first")
        bob.request("UPDATE", body=b"second")
        assert bob.statuses() == [500]

    def test_a_reinvite_that_meets_it(self):
        bob = Callee().established()
        bob.request("UPDATE", body=b"first")
        bob.request("INVITE", body=b"second")
        assert bob.statuses() == [500]

    def test_before_the_answer_it_needs_an_early_session(self):
        bob = ringing(early=b"early", status=183)
        bob.request("PRACK", headers=rack())
        request = bob.request("UPDATE", body=b"hold")
        assert bob.events() == [OfferReceived(request, b"hold")]
        bob.usage.answer_offer(b"held", now=2)
        bob.request("UPDATE", headers=(("Supported", "timer"), ("Session-Expires", "90")))
        *_, refresh = bob.responses()
        assert not refresh.headers.has("Session-Expires")
        bob.usage.update(b"ours", now=3)
        (command,) = bob.commands()
        assert isinstance(command, Ask)
        assert not command.request.headers.has("Session-Expires")
        bob.answered(command.request, 200, body=b"theirs")
        assert bob.usage.timer.get_timer() is None

    def test_before_the_answer_without_one_it_is_refused(self):
        bob = Callee()
        bob.request("UPDATE", body=b"hold")
        assert bob.statuses() == [500]

    def test_the_end_answers_what_waits(self):
        bob = Callee().established()
        bob.request("UPDATE", body=b"hold")
        bob.request("BYE")
        assert bob.statuses() == [200, 487]

    def test_what_waited_for_the_answer_is_due(self):
        bob = Callee().established()
        bob.request("UPDATE", body=b"hold")
        bob.usage.reinvite(b"ours", now=2)
        assert bob.commands() == []
        bob.usage.answer_offer(b"held", now=2)
        assert bob.events()[1:] == [ReinviteDue()]


def test_a_reinvite_after_an_update_is_told():
    bob = Callee().established()
    bob.request("UPDATE", body=b"hold")
    bob.usage.answer_offer(b"held", now=2)
    bob.events()
    request = bob.request("INVITE", body=b"resume")
    assert bob.events() == [ReinviteReceived(request, b"resume")]
