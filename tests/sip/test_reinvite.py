"""Our re-INVITEs alone; how they meet the rest of the session: test_invite_usage.py."""

import pytest

from opensip.sip.dialog import Dialog
from opensip.sip.invite_events import Ended, Reinvited, ReinviteRefused
from opensip.sip.reinvite import Reinvites
from opensip.sip.usage import Acknowledge, Ask
from tests.fakes.sip_exchange import answer_to, make_request


@pytest.fixture
def commands():
    return []


@pytest.fixture
def reinvites(commands):
    invite = make_request()
    dialog = Dialog.as_uac(invite, answer_to(invite, 200), "<sip:alice@192.0.2.1>")
    return Reinvites(dialog, commands.append, owner=True, random=lambda: 0.0, authorize=None)


def answer(reinvites, status, *, live=True, cseq=2, body=b""):
    response = answer_to(make_request(cseq=cseq, to_tag="to1"), status, body=body)
    return reinvites.receive_response(response, live=live, now=10)


def test_it_is_busy_from_the_request_to_the_ack(reinvites, commands):
    reinvites.send(b"offer", [])
    assert isinstance(commands[0], Ask)
    assert reinvites.is_busy
    assert answer(reinvites, 180) is None
    assert reinvites.is_busy
    outcome = answer(reinvites, 200, body=b"answer")
    assert isinstance(outcome, Reinvited)
    assert not reinvites.is_busy
    assert isinstance(commands[1], Acknowledge)


def test_it_is_busy_until_the_offer_of_the_peer_is_answered(reinvites, commands):
    reinvites.send(b"", [])
    answer(reinvites, 200, body=b"offer")
    assert reinvites.is_busy
    reinvites.acknowledge(b"answer")
    assert not reinvites.is_busy
    assert commands[1].request.body == b"answer"


def test_the_target_moves_with_the_2xx(reinvites, commands):
    reinvites.send(b"offer", [])
    answer(reinvites, 200)
    assert str(commands[1].request.uri) == "sip:bob@192.0.2.2:5070"


def test_outcomes(reinvites):
    for status, kind in ((481, Ended), (488, ReinviteRefused), (491, type(None))):
        reinvites.send(b"offer", [])
        cseq = reinvites._request.cseq.number
        assert isinstance(answer(reinvites, status, cseq=cseq), kind)
    assert reinvites.pause_until == 12.1
    assert not reinvites.is_due(12.0)
    assert reinvites.is_due(12.1)
    assert not reinvites.is_due(12.1)


def test_no_answer_ends_the_dialog(reinvites):
    reinvites.send(b"offer", [])
    assert reinvites.failed(408) == Ended("lost", "re-INVITE: 408")
    assert reinvites.failed(408) is None


@pytest.mark.parametrize("way", ["nobody", "a proxy"])
def test_no_answer_to_what_is_not_vital_is_a_refusal(reinvites, way):
    reinvites.send(b"offer", [], vital=False)
    outcome = reinvites.failed(408) if way == "nobody" else answer(reinvites, 408)
    assert isinstance(outcome, ReinviteRefused)
    assert outcome.response.status == 408
    assert not reinvites.is_busy
    reinvites.send(b"offer", [], vital=False)
    cseq = reinvites._request.cseq.number
    assert answer(reinvites, 481, cseq=cseq) == Ended("lost", "re-INVITE: 481")
    reinvites.send(b"refresh", [])
    assert reinvites.failed(408) == Ended("lost", "re-INVITE: 408")


def test_when_the_session_is_over_only_the_ack_matters(reinvites, commands):
    reinvites.send(b"", [])
    assert answer(reinvites, 200, live=False) is None
    assert isinstance(commands[1], Acknowledge)
    reinvites.send(b"", [])
    assert answer(reinvites, 491, live=False, cseq=3) is None
    assert reinvites.pause_until is None
