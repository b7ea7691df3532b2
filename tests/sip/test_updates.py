"""Our UPDATEs alone; how they meet the rest of the session: test_invite_usage.py."""

import pytest

from opensip.sip.dialog import Dialog
from opensip.sip.invite_events import Ended, Updated, UpdateRefused
from opensip.sip.session_timer import SessionTimer
from opensip.sip.updates import Updates
from tests.fakes.sip_exchange import answer_to, make_request


@pytest.fixture
def commands():
    return []


@pytest.fixture
def updates(commands):
    invite = make_request()
    dialog = Dialog.as_uac(invite, answer_to(invite, 200), "<sip:alice@192.0.2.1>")
    return Updates(
        dialog,
        commands.append,
        owner=True,
        random=lambda: 0.0,
        authorize=None,
        timer=SessionTimer(),
    )


def answer(updates, commands, status, *, live=True, **more):
    sent = commands[-1].request
    sent = sent.with_headers(sent.headers.prepend("Via", "SIP/2.0/UDP a;branch=z9hG4bKx"))
    return updates.receive_response(answer_to(sent, status, **more), live=live, now=10)


def test_it_is_busy_from_the_request_to_the_answer(updates, commands):
    updates.send(b"offer", [("X", "y")])
    assert commands[0].request.method == "UPDATE"
    assert commands[0].request.headers.get("X") == "y"
    assert updates.is_busy
    assert updates.is_offering
    assert answer(updates, commands, 100) is None
    outcome = answer(updates, commands, 200, body=b"answer")
    assert outcome == Updated(outcome.response, b"answer", offered=True)
    assert not updates.is_busy
    assert not updates.is_offering
    assert str(updates._dialog.remote_target) == "sip:bob@192.0.2.2:5070"


def test_outcomes(updates, commands):
    for status, kind in ((481, Ended), (408, Ended), (488, UpdateRefused), (491, type(None))):
        updates.send(b"offer", [])
        assert isinstance(answer(updates, commands, status), kind)
    assert updates.pause_until == 12.1
    assert not updates.is_due(12.0)
    assert updates.is_due(12.1)
    assert not updates.is_due(12.1)


def test_a_refresh_that_collides_is_only_refused(updates, commands):
    updates.send(b"", [])
    assert not updates.is_offering
    assert answer(updates, commands, 491).offered is False
    assert updates.pause_until is None


def test_422_is_asked_again_with_the_interval_of_the_peer(updates, commands):
    updates.send(b"", [("Session-Expires", "1800"), ("Min-SE", "90")])
    assert answer(updates, commands, 422, headers=(("Min-SE", "3600"),)) is None
    again = commands[-1].request
    assert again.headers.get_all("Session-Expires") == ("3600",)
    assert again.headers.get_all("Min-SE") == ("3600",)
    assert again.cseq.number == 3
    refused = answer(updates, commands, 422, headers=(("Min-SE", "3600"),))
    assert isinstance(refused, UpdateRefused)


def test_whether_the_peer_takes_them(updates, commands):
    assert not updates.can_update
    updates.note(make_request(headers=(("Allow", "INVITE, update"),)))
    assert updates.can_update
    updates.note(make_request())
    assert updates.can_update
    updates.send(b"", [])
    answer(updates, commands, 501)
    assert not updates.can_update


def test_no_answer_ends_the_dialog(updates):
    assert updates.failed(408) is None
    updates.send(b"", [])
    assert updates.failed(408) == Ended("lost", "UPDATE: 408")


def test_when_the_session_is_over_nothing_matters(updates, commands):
    updates.send(b"offer", [])
    assert answer(updates, commands, 200, live=False) is None
