"""Reliable provisional responses alone; within a session: test_answering_usage.py."""

import pytest

from opensip.errors import RemoteProtocolError
from opensip.sip.reliable import (
    ReliableResponses,
    first_rseq,
    requires_100rel,
    supports_100rel,
)
from opensip.sip.timers import Timers
from opensip.sip.transaction.matching import key_of_request
from tests.fakes.sip_exchange import answer_to, make_request

INVITE = make_request(body=b"offer")


class Sender:
    """Sends reliable responses, and keeps (time, status, RSeq) of each that left."""

    def __init__(self, first=7):
        self.now = 0.0
        self.log = []
        self.responses = ReliableResponses(
            key_of_request(INVITE), self._note, first=first, timers=Timers()
        )

    def _note(self, command):
        headers = command.response.headers
        assert headers.get("Require") == "100rel"
        self.log.append((self.now, command.response.status, headers.get("RSeq")))

    def send(self, status, *, body=b""):
        self.responses.send(answer_to(INVITE, status, body=body), now=self.now)

    def prack(self, rack):
        headers = (("RAck", rack),) if rack else ()
        prack = make_request("PRACK", cseq=2, to_tag="to1", headers=headers)
        return self.responses.receive_prack(prack, now=self.now)

    def run(self, end):
        while (at := self.responses.get_timer()) is not None and at <= end:
            self.now = at
            self.responses.handle_timer(now=at)
        self.now = end


@pytest.fixture
def it():
    return Sender()


def test_it_is_sent_at_doubling_intervals_until_it_is_acknowledged(it):
    it.send(180)
    it.run(4)
    assert it.log == [(t, 180, "7") for t in (0, 0.5, 1.5, 3.5)]
    assert it.prack("7 1 INVITE") is False
    assert it.responses.get_timer() is None
    it.responses.handle_timer(now=99)
    assert len(it.log) == 4


def test_the_next_one_waits_for_the_prack(it):
    it.send(180)
    it.send(183, body=b"answer")
    assert it.responses.is_open
    it.prack("7 1 INVITE")
    assert it.log == [(0, 180, "7"), (0, 183, "8")]
    assert it.responses.is_open
    assert not it.responses.was_described
    assert it.prack("8 1 INVITE") is True
    assert it.responses.was_described
    assert it.responses.offer == b"answer"


def test_without_a_prack_it_is_given_up_after_64_t1(it):
    it.send(180)
    it.run(31.9)
    assert not it.responses.is_expired
    it.run(32)
    assert it.responses.is_expired
    assert [t for t, *_ in it.log] == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]


@pytest.mark.parametrize(
    ("rack", "status"),
    [
        ("8 1 INVITE", 481),
        ("7 2 INVITE", 481),
        ("7 1 UPDATE", 481),
        ("x", 400),
        (None, 400),
    ],
)
def test_a_prack_that_fits_nothing(it, rack, status):
    it.send(180)
    with pytest.raises(RemoteProtocolError) as refused:
        it.prack(rack)
    assert refused.value.sip_status == status
    assert it.responses.get_timer() == 0.5


def test_a_second_prack_of_the_same(it):
    it.send(180)
    it.prack("7 1 INVITE")
    with pytest.raises(RemoteProtocolError):
        it.prack("7 1 INVITE")


def test_after_the_final_response_none_is_sent_but_a_prack_is_taken(it):
    it.send(180)
    it.send(183)
    it.responses.stop()
    assert it.responses.get_timer() is None
    assert it.prack("7 1 INVITE") is False
    assert it.log == [(0, 180, "7")]


def test_an_alarm_that_rings_early_sends_nothing(it):
    it.send(180)
    it.responses.handle_timer(now=0.4)
    assert len(it.log) == 1


def test_option_tags():
    assert supports_100rel(make_request(headers=(("Supported", "timer, 100REL"),)))
    assert supports_100rel(make_request(headers=(("Require", "100rel"),)))
    assert not supports_100rel(make_request())
    assert requires_100rel(make_request(headers=(("Require", "100rel"),)))
    assert not requires_100rel(make_request(headers=(("Supported", "100rel"),)))


def test_the_first_rseq_leaves_room_for_more():
    assert first_rseq(lambda: 0.0) == 1
    assert 2**30 < first_rseq(lambda: 0.999999999) < 2**31
