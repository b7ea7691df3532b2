"""A session that is changed by UPDATE, and one that is refreshed in time."""

import pytest

from opensip.errors import LocalProtocolError
from opensip.sip.invite_events import (
    Ended,
    Reinvited,
    ReinviteDue,
    Updated,
    UpdateDue,
    UpdateRefused,
)
from opensip.sip.transaction import TransactionKey
from tests.fakes.sip_callee import Callee
from tests.fakes.sip_exchange import make_request

TIMED = (("Supported", "timer"), ("Session-Expires", "90;refresher=uac"))
WITH_UPDATE = (("Allow", "INVITE, UPDATE"),)
CAPABLE = (("Supported", "timer"),)


class TestOurUpdate:
    def test_it_offers_and_is_answered(self):
        bob = Callee(headers=WITH_UPDATE, capabilities=CAPABLE).established()
        assert bob.usage.can_update
        bob.usage.update(b"hold", headers=[("X-Own", "y")], now=2)
        update = bob.asked()
        assert (update.method, update.body) == ("UPDATE", b"hold")
        assert update.headers.get("Supported") == "timer"
        assert update.headers.get("Session-Expires") == "1800"
        bob.answered(update, 200, body=b"held")
        (event,) = bob.events()
        assert event == Updated(event.response, b"held")

    def test_a_refusal_is_told(self):
        bob = Callee().established()
        assert not bob.usage.can_update
        bob.usage.update(b"hold", now=2)
        bob.answered(bob.asked(), 488)
        (event,) = bob.events()
        assert isinstance(event, UpdateRefused)

    def test_it_waits_for_what_is_under_way(self):
        bob = Callee().established()
        bob.usage.reinvite(b"offer", now=2)
        reinvite = bob.asked()
        bob.usage.update(b"hold", now=2)
        assert bob.commands() == []
        bob.answered(reinvite, 200, body=b"answer")
        reinvited, due = bob.events()
        assert isinstance(reinvited, Reinvited)
        assert due == UpdateDue()

    def test_one_at_a_time(self):
        bob = Callee().established()
        bob.usage.update(now=2)
        update = bob.asked()
        bob.usage.update(now=2)
        bob.usage.update(b"hold", now=2)
        assert bob.commands() == []
        bob.answered(update, 200)
        assert bob.events() == [UpdateDue()]

    def test_after_a_collision_it_is_due_again(self):
        bob = Callee().established()
        bob.usage.update(b"hold", now=2)
        bob.answered(bob.asked(), 491, now=2)
        bob.usage.update(b"hold", now=2)
        assert bob.commands() == []
        assert bob.usage.get_timer() == 3
        bob.usage.handle_timer(now=3)
        assert bob.events() == [UpdateDue()]

    @pytest.mark.parametrize("status", [408, 481])
    def test_a_peer_that_knows_the_call_no_more(self, status):
        bob = Callee().established()
        bob.usage.update(b"hold", now=2)
        bob.answered(bob.asked(), status)
        assert bob.events() == [Ended("lost", f"UPDATE: {status}")]

    def test_a_peer_that_does_not_answer(self):
        bob = Callee().established()
        bob.usage.update(b"hold", now=2)
        bob.usage.transaction_failed(TransactionKey("client", "b", "UPDATE"), 408)
        assert bob.events() == [Ended("lost", "UPDATE: 408")]
        bob.usage.transaction_failed(TransactionKey("client", "b", "INFO"), 408)

    def test_not_before_the_session(self):
        with pytest.raises(LocalProtocolError):
            Callee().usage.update(b"hold", now=2)

    def test_a_response_of_another_method_is_let_go_by(self):
        bob = Callee().established()
        bob.answered(make_request("INFO", cseq=2), 200)
        assert bob.events() == []


class TestSessionTimer:
    def test_what_was_asked_for_is_agreed(self):
        bob = Callee(headers=TIMED)
        bob.usage.answer(b"answer", now=0)
        (ok,) = bob.responses()
        assert ok.headers.get("Session-Expires") == "90;refresher=uac"
        assert ok.headers.get("Require") == "timer"

    def test_a_refresh_that_stays_away_ends_the_call(self):
        bob = Callee(headers=TIMED).established()
        bob.request("UPDATE", headers=TIMED, now=30)
        (ok,) = bob.responses()
        assert ok.headers.get("Session-Expires") == "90;refresher=uac"
        assert bob.usage.get_timer() == 90
        bob.usage.handle_timer(now=90)
        assert bob.events() == [Ended("lost", "session expired")]
        assert bob.asked().method == "BYE"

    def test_a_refresh_by_invite_counts_too(self):
        bob = Callee(headers=TIMED).established()
        bob.request("INVITE", headers=TIMED, body=b"offer", now=30)
        bob.usage.answer(b"answer", now=30)
        bob.ack(now=30)
        assert bob.usage.get_timer() == 90

    def test_we_refresh_by_update_where_the_peer_takes_it(self):
        headers = (*WITH_UPDATE, ("Supported", "timer"), ("Session-Expires", "90;refresher=uas"))
        bob = Callee(headers=headers).established()
        bob.usage.handle_timer(now=45)
        update = bob.asked()
        assert (update.method, update.body) == ("UPDATE", b"")
        assert update.headers.get("Session-Expires") == "90;refresher=uac"
        bob.answered(update, 200, headers=(("Session-Expires", "90;refresher=uac"),), now=46)
        assert bob.events() == []
        assert bob.usage.get_timer() == 91

    def test_else_by_invite(self):
        headers = (("Supported", "timer"), ("Session-Expires", "90;refresher=uas"))
        bob = Callee(headers=headers).established()
        bob.usage.handle_timer(now=45)
        assert bob.events() == [ReinviteDue()]
        bob.usage.reinvite(b"offer", now=45)
        bob.answered(bob.asked(), 200, headers=(("Session-Expires", "90;refresher=uac"),), now=46)
        assert bob.usage.get_timer() == 91

    def test_a_peer_that_takes_no_update_after_all(self):
        headers = (*WITH_UPDATE, ("Supported", "timer"), ("Session-Expires", "90;refresher=uas"))
        bob = Callee(headers=headers).established()
        bob.usage.handle_timer(now=45)
        bob.answered(bob.asked(), 405, now=46)
        assert bob.events() == [ReinviteDue()]

    def test_a_refused_refresh_is_tried_again(self):
        headers = (*WITH_UPDATE, ("Supported", "timer"), ("Session-Expires", "90;refresher=uas"))
        bob = Callee(headers=headers).established()
        bob.usage.handle_timer(now=45)
        bob.answered(bob.asked(), 500, headers=(("Retry-After", "5"),), now=46)
        assert bob.events() == []
        assert bob.usage.get_timer() == 51
        bob.usage.handle_timer(now=51)
        assert bob.asked().method == "UPDATE"

    def test_a_reinvite_that_is_too_short_is_asked_again_longer(self):
        bob = Callee(headers=TIMED).established()
        bob.usage.reinvite(b"offer", now=2)
        bob.answered(bob.asked(), 422, headers=(("Min-SE", "120"),))
        again = bob.asked()
        assert again.headers.get("Session-Expires") == "120;refresher=uas"
        assert again.headers.get("Min-SE") == "120"

    @pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
    def test_what_is_too_short_for_us_is_422(self, method):
        bob = Callee(headers=TIMED).established()
        bob.request(method, headers=(("Supported", "timer"), ("Session-Expires", "60")))
        (refusal,) = bob.responses()
        assert (refusal.status, refusal.headers.get("Min-SE")) == (422, "90")
        assert bob.events() == []
