"""The session within a dialog: each role's states, races, offers and answers."""

import pytest

from opensip.errors import LocalProtocolError
from opensip.sip.dialog import DialogState
from opensip.sip.invite_events import (
    Acknowledged,
    Ended,
    State,
)
from opensip.sip.transaction.matching import key_of_request
from tests.fakes.run_until import run_until
from tests.fakes.sip_callee import Callee
from tests.fakes.sip_exchange import make_request

BYE_BY_US = Ended("local", "bye")


class TestFirstInvite:
    def test_it_is_answered(self):
        bob = Callee()
        bob.usage.provisional(100, now=0)
        bob.usage.provisional(180, now=0)
        bob.usage.provisional(183, body=b"early", now=0)
        assert bob.statuses() == [100, 180, 183]
        bob.usage.answer(b"answer", headers=[("Allow", "BYE")], now=2)
        (command,) = bob.commands()
        assert command.key == bob.key
        assert command.response.body == b"answer"
        assert command.response.headers.get("Allow") == "BYE"
        assert bob.usage.state is State.ESTABLISHED
        assert bob.usage.dialog.state is DialogState.CONFIRMED
        bob.usage.provisional(180, now=0)
        bob.usage.answer(b"again", now=2)
        assert bob.commands() == []

    def test_the_2xx_is_sent_until_the_ack_comes(self):
        bob = Callee()
        bob.usage.answer(b"answer", now=0)
        (ok,) = bob.commands()
        assert run_until(bob.usage, 4) == [(0.5, ok), (1.5, ok), (3.5, ok)]
        bob.ack(cseq=9, now=4)
        assert bob.events() == []
        bob.ack(now=4)
        bob.ack(now=5)
        assert bob.events() == [Acknowledged(b"", offered=False)]
        assert bob.usage.get_timer() is None

    def test_without_an_ack_it_is_ended_after_64_t1(self):
        bob = Callee()
        bob.usage.answer(b"answer", now=0)
        bob.commands()
        sent = run_until(bob.usage, 40)
        assert [at for at, _ in sent][:-1] == [
            0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5,
        ]  # fmt: skip
        at, last = sent[-1]
        assert (at, last.request.method) == (32, "BYE")
        assert bob.events() == [Ended("lost", "no ACK")]
        assert bob.usage.state is State.ENDING

    def test_a_delayed_offer_is_answered_in_the_ack(self):
        bob = Callee(body=b"")
        bob.usage.answer(b"our offer", now=0)
        bob.ack(body=b"their answer")
        assert bob.events() == [Acknowledged(b"their answer", offered=True)]

    def test_it_is_rejected(self):
        bob = Callee()
        bob.usage.reject(486, "Busy", headers=[("Retry-After", "9")])
        bob.usage.reject(603)
        assert bob.statuses() == [486]
        assert bob.events() == [Ended("local", "rejected", 486)]
        assert bob.usage.state is State.ENDED

    def test_it_is_cancelled(self):
        bob, cancel = Callee(), make_request("CANCEL")
        bob.usage.receive_cancel(cancel)
        bob.usage.receive_cancel(cancel)
        assert bob.statuses() == [487]
        assert bob.events() == [Ended("remote", "cancelled", 487, cancel)]
        bob.usage.answer(b"too late", now=1)
        assert bob.commands() == []

    def test_bye_of_the_caller_before_the_answer(self):
        bob = Callee()
        bye = bob.request("BYE")
        assert bob.statuses() == [200, 487]
        assert bob.events() == [Ended("remote", "bye", None, bye)]

    def test_our_bye_before_the_answer_is_a_refusal(self):
        bob = Callee()
        bob.usage.bye()
        assert bob.statuses() == [603]
        assert bob.events() == [Ended("local", "rejected", 603)]

    def test_its_transport_fails(self):
        bob = Callee()
        bob.usage.transaction_failed(bob.key, 503)
        assert bob.commands() == []
        assert bob.events() == [Ended("lost", "INVITE: 503")]

    def test_a_second_invite_before_the_answer_comes_too_soon(self):
        bob = Callee(random=0.99)
        bob.request("INVITE")
        (command,) = bob.commands()
        assert command.response.status == 500
        assert command.response.headers.get("Retry-After") == "10"


class TestBye:
    def test_ours_ends_the_session_at_once_and_the_usage_with_its_answer(self):
        bob = Callee().established()
        bob.usage.bye(headers=[("Reason", "Q.850;cause=16")])
        assert bob.events() == [BYE_BY_US]
        bye = bob.asked()
        assert bye.headers.get("Reason") == "Q.850;cause=16"
        assert bob.usage.state is State.ENDING
        bob.usage.bye()
        bob.usage.lose("x")
        bob.answered(bye, 100)
        assert bob.usage.state is State.ENDING
        bob.answered(bye, 481)
        assert bob.usage.state is State.ENDED
        assert bob.commands() == bob.events() == []

    def test_ours_stays_without_an_answer(self):
        bob = Callee().established()
        bob.usage.bye()
        key = key_of_request(make_request("BYE"))._replace(side="client")
        bob.usage.transaction_failed(key, 408)
        assert bob.usage.state is State.ENDED

    def test_ours_waits_for_the_ack(self):
        bob = Callee()
        bob.usage.answer(b"answer", now=0)
        bob.commands()
        bob.usage.bye(headers=[("Reason", "SIP")])
        bob.usage.bye()
        assert bob.commands() == bob.events() == []
        with pytest.raises(LocalProtocolError):
            bob.usage.reinvite(b"offer", now=0)
        bob.ack()
        assert bob.asked().headers.get("Reason") == "SIP"
        assert bob.events() == [Acknowledged(b"", offered=False), BYE_BY_US]

    def test_ours_waits_no_longer_than_64_t1(self):
        bob = Callee()
        bob.usage.answer(b"answer", now=0)
        bob.usage.bye()
        bob.commands()
        assert run_until(bob.usage, 40)[-1][0] == 32
        assert bob.events() == [BYE_BY_US]

    def test_theirs_is_answered_even_without_the_ack(self):
        bob = Callee()
        bob.usage.answer(b"answer", now=0)
        bob.commands()
        bye = bob.request("BYE")
        assert bob.statuses() == [200]
        assert bob.events() == [Ended("remote", "bye", None, bye)]
        assert bob.usage.get_timer() is None

    def test_both_at_once(self):
        bob = Callee().established()
        bob.usage.bye()
        ours = bob.asked()
        bob.request("BYE")
        assert bob.statuses() == [200]
        assert bob.events() == [BYE_BY_US]
        bob.answered(ours, 200)
        assert bob.usage.state is State.ENDED

    def test_after_the_end_nothing_is_there(self):
        bob = Callee().established()
        bob.request("BYE")
        bob.commands(), bob.events()
        bob.request("BYE")
        bob.request("INVITE")
        assert bob.statuses() == [481, 481]
        assert bob.events() == []

    def test_a_reinvite_after_our_bye_gets_481(self):
        bob = Callee().established()
        bob.usage.bye()
        bob.commands()
        bob.request("INVITE", body=b"offer")
        assert bob.statuses() == [481]

    def test_a_challenge_is_answered_once(self):
        credentials = iter([[("Authorization", "Digest x")], None])
        bob = Callee(authorize=lambda request, response: next(credentials)).established()
        bob.usage.bye()
        first = bob.asked()
        bob.answered(first, 401)
        again = bob.asked()
        assert again.headers.get("Authorization") == "Digest x"
        assert again.cseq.number == first.cseq.number + 1
        bob.answered(again, 401)
        assert bob.commands() == []
        assert bob.usage.state is State.ENDED

    def test_a_session_that_is_lost_is_ended(self):
        bob = Callee().established()
        bob.usage.lose("no media")
        assert bob.asked().method == "BYE"
        assert bob.events() == [Ended("lost", "no media")]
