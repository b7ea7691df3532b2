"""The session timer alone; how a session uses it: test_invite_usage.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.sip.session_timer import RefreshDue, SessionExpired, SessionTimer, supports_timer
from opensip.sip.timing_fields import SessionExpires
from tests.fakes.sip_exchange import answer_to, make_request

TIMER = ("Supported", "timer, 100rel")


def asked(*headers):
    return make_request(headers=headers)


def told(status, *headers):
    return answer_to(make_request(), status, headers=headers)


def fired(timer, end):
    """Fire every timer up to `end`; give (time, event)."""
    events = []
    while (at := timer.get_timer()) is not None and at <= end:
        timer.handle_timer(now=at)
        while (event := timer.next_event()) is not None:
            events.append((at, event))
    return events


def expires_of(headers):
    return dict(headers)["Session-Expires"]


class TestAsUac:
    def test_the_first_request_leaves_the_refresher_open(self):
        headers = SessionTimer().request_headers()
        assert headers == (("Session-Expires", "1800"), ("Min-SE", "90"))

    @pytest.mark.parametrize("refresher", [";refresher=uac", "", ";refresher=nobody"])
    def test_we_refresh_at_half_time(self, refresher):
        timer = SessionTimer()
        timer.receive_2xx(told(200, ("Session-Expires", "1800" + refresher)), now=10)
        assert timer.is_running
        assert timer.is_refresher
        assert expires_of(timer.request_headers()) == "1800;refresher=uac"
        assert fired(timer, 910) == [(910, RefreshDue())]
        timer.receive_2xx(told(200, ("Session-Expires", "1800;refresher=uac")), now=911)
        assert fired(timer, 1811) == [(1811, RefreshDue())]

    def test_the_peer_refreshes_or_it_is_over(self):
        timer = SessionTimer()
        timer.receive_2xx(told(200, ("Session-Expires", "1800;refresher=uas")), now=0)
        assert not timer.is_refresher
        assert expires_of(timer.request_headers()) == "1800;refresher=uas"
        assert fired(timer, 5000) == [(1768, SessionExpired())]
        assert not timer.is_running

    def test_a_short_session_is_given_up_after_two_thirds(self):
        timer = SessionTimer()
        timer.receive_2xx(told(200, ("Session-Expires", "90;refresher=uas")), now=0)
        assert fired(timer, 90) == [(60, SessionExpired())]

    def test_a_refresh_without_an_answer_ends_it_too(self):
        timer = SessionTimer()
        timer.receive_2xx(told(200, ("Session-Expires", "90;refresher=uac")), now=0)
        assert fired(timer, 90) == [(45, RefreshDue()), (60, SessionExpired())]

    @pytest.mark.parametrize("value", [None, "soon", "0"])
    def test_without_session_expires_there_is_no_end(self, value):
        timer = SessionTimer()
        timer.receive_2xx(told(200, ("Session-Expires", "90")), now=0)
        timer.receive_2xx(told(200, *([("Session-Expires", value)] if value else [])), now=1)
        assert not timer.is_running
        assert timer.get_timer() is None
        timer.handle_timer(now=1000)
        assert timer.next_event() is None

    def test_422_raises_the_interval_once(self):
        timer = SessionTimer(interval=120)
        assert timer.receive_422(told(422, ("Min-SE", "3600")))
        assert timer.request_headers() == (("Session-Expires", "3600"), ("Min-SE", "3600"))
        assert not timer.receive_422(told(422, ("Min-SE", "3600")))
        assert not timer.receive_422(told(422))
        assert not timer.receive_422(told(422, ("Min-SE", "long")))

    def test_422_to_a_refresh_raises_it_too(self):
        timer = SessionTimer()
        timer.receive_2xx(told(200, ("Session-Expires", "100;refresher=uac")), now=0)
        assert timer.receive_422(told(422, ("Min-SE", "200")))
        assert expires_of(timer.request_headers()) == "200;refresher=uac"

    def test_a_refused_refresh_is_tried_again_before_the_end(self):
        timer = SessionTimer()
        timer.receive_2xx(told(200, ("Session-Expires", "90;refresher=uac")), now=0)
        assert fired(timer, 45) == [(45, RefreshDue())]
        timer.receive_failure(told(500, ("Retry-After", "7")), now=46)
        assert fired(timer, 53) == [(53, RefreshDue())]
        timer.receive_failure(told(500, ("Retry-After", "never")), now=53)
        assert fired(timer, 55) == [(54.75, RefreshDue())]
        timer.receive_failure(None, now=59.9)
        assert fired(timer, 61) == [(60, SessionExpired())]

    def test_a_refusal_where_nothing_is_ours_to_refresh_changes_nothing(self):
        timer = SessionTimer()
        timer.receive_failure(None, now=0)
        assert timer.get_timer() is None
        timer.receive_2xx(told(200, ("Session-Expires", "90;refresher=uas")), now=0)
        timer.receive_failure(None, now=0)
        assert timer.get_timer() == 60


class TestAsUas:
    @pytest.mark.parametrize(
        ("headers", "answer"),
        [
            # what carriers send
            ((TIMER, ("Session-Expires", "1800;refresher=uac")), "1800;refresher=uac"),
            ((TIMER, ("Session-Expires", "1800;refresher=uas")), "1800;refresher=uas"),
            ((TIMER, ("Session-Expires", "600")), "600;refresher=uas"),
            ((TIMER, ("Session-Expires", "7200")), "1800;refresher=uas"),
            ((TIMER, ("Session-Expires", "7200"), ("Min-SE", "3600")), "3600;refresher=uas"),
            ((TIMER, ("Session-Expires", "3000"), ("Min-SE", "3600")), "3000;refresher=uas"),
            ((TIMER,), "1800;refresher=uas"),
            ((TIMER, ("Min-SE", "3600")), "3600;refresher=uas"),
            # put there by a proxy: the caller knows nothing of it
            ((("Session-Expires", "600;refresher=uac"),), "600;refresher=uas"),
            ((("Session-Expires", "60"),), "60;refresher=uas"),
        ],
    )
    def test_what_is_agreed(self, headers, answer):
        timer, request = SessionTimer(), asked(*headers)
        assert not timer.is_too_short(request)
        told = timer.answer(request, now=0)
        assert expires_of(told) == answer
        assert (("Require", "timer") in told) == supports_timer(request)
        assert timer.is_refresher == answer.endswith("uas")

    def test_who_says_nothing_of_timers_gets_none(self):
        timer = SessionTimer()
        assert timer.answer(asked(), now=0) == ()
        assert not timer.is_running

    def test_a_timer_that_runs_goes_on(self):
        timer = SessionTimer()
        timer.answer(asked(TIMER, ("Session-Expires", "600;refresher=uac")), now=0)
        assert timer.answer(asked(), now=100) == (("Session-Expires", "600;refresher=uas"),)
        assert timer.get_timer() == 400

    def test_a_refresh_by_the_peer_moves_the_end(self):
        timer, request = SessionTimer(), asked(TIMER, ("Session-Expires", "600;refresher=uac"))
        timer.answer(request, now=0)
        assert timer.get_timer() == 568
        timer.answer(request, now=300)
        assert fired(timer, 868) == [(868, SessionExpired())]

    def test_too_short(self):
        timer = SessionTimer(minimum=120)
        assert timer.is_too_short(asked(TIMER, ("Session-Expires", "119")))
        assert not timer.is_too_short(asked(TIMER, ("Session-Expires", "120")))
        assert not timer.is_too_short(asked(("Session-Expires", "119")))
        assert not timer.is_too_short(asked(TIMER))
        assert timer.min_se == ("Min-SE", "120")


@given(
    asked_for=st.integers(1, 10_000),
    least=st.none() | st.integers(90, 10_000),
    refresher=st.sampled_from([None, "uac", "uas"]),
    knows=st.booleans(),
)
def test_two_of_us_agree(asked_for, least, refresher, knows):
    headers = [("Session-Expires", str(SessionExpires.of(asked_for, refresher)))]
    headers += [("Min-SE", str(least))] if least else []
    headers += [TIMER] if knows else []
    callee, caller = SessionTimer(), SessionTimer()
    agreed = callee.answer(asked(*headers), now=0)
    caller.receive_2xx(told(200, *agreed), now=0)
    assert SessionExpires.parse(expires_of(agreed)).seconds <= asked_for
    assert callee.is_refresher != caller.is_refresher
    first = caller if caller.is_refresher else callee
    other = callee if caller.is_refresher else caller
    assert first.get_timer() < other.get_timer()
