"""The peer's INVITE alone; how it meets the rest of the session: test_answering_usage.py."""

import pytest

from opensip.errors import RemoteProtocolError
from opensip.sip.dialog import Dialog
from opensip.sip.peer_invite import PeerInvite
from opensip.sip.timers import Timers
from opensip.sip.transaction.matching import key_of_request
from tests.fakes.sip_callee import Callee
from tests.fakes.sip_exchange import make_request

REQUIRED = (("Require", "100rel"),)
SUPPORTED = (("Supported", "100rel"),)


class Taker:
    def __init__(self, body=b"offer", headers=()):
        self.commands = []
        self.request = make_request(body=body, headers=headers)
        dialog = Dialog.as_uas(self.request, local_tag="ours", contact="<sip:bob@192.0.2.2>")
        self.invite = PeerInvite(dialog, self.commands.append, random=lambda: 0.0, timers=Timers())
        self.invite.begin(key_of_request(self.request), self.request)

    def ring(self, status=180, *, body=b"", wished=False):
        self.invite.provisional(status, None, headers=(), body=body, reliable=wished, now=0.0)

    def prack(self):
        prack = make_request("PRACK", cseq=2, to_tag="ours", headers=(("RAck", "1 1 INVITE"),))
        return self.invite.receive_prack(prack, now=0.0)

    def sent(self):
        sent = [(c.response.status, c.response.headers.get("RSeq")) for c in self.commands]
        self.commands.clear()
        return sent


@pytest.mark.parametrize(
    ("headers", "wished", "rseq"),
    [
        ((), False, None),
        ((), True, None),
        (SUPPORTED, False, None),
        (SUPPORTED, True, "1"),
        (REQUIRED, False, "1"),
    ],
)
def test_when_a_response_is_reliable(headers, wished, rseq):
    bob = Taker(headers=headers)
    bob.ring(100, wished=wished)
    bob.ring(180, wished=wished)
    assert bob.sent() == [(100, None), (180, rseq)]


def test_the_first_reliable_response_to_an_invite_without_offer_makes_it():
    bob = Taker(body=b"", headers=REQUIRED)
    bob.ring()
    assert bob.sent() == []
    bob.ring(183, body=b"our offer")
    bob.ring(180)
    assert bob.sent() == [(183, "1")]
    assert bob.invite.awaits_answer
    assert bob.invite.awaits_prack
    assert not bob.invite.was_described
    assert bob.prack() is True
    assert bob.sent() == [(180, "2")]
    assert bob.invite.was_described
    assert not bob.invite.awaits_answer
    bob.invite.accept(b"ignored", headers=(), now=1)
    assert bob.commands[-1].response.body == b""
    assert not bob.invite.answered.offered


def test_an_early_answer_is_repeated_in_the_2xx():
    bob = Taker(headers=SUPPORTED)
    assert bob.invite.owes_answer
    bob.ring(183, body=b"early", wished=True)
    assert not bob.invite.owes_answer
    assert not bob.invite.awaits_answer
    assert bob.prack() is False
    bob.invite.accept(b"late", headers=(), now=1)
    assert bob.commands[-1].response.body == b"early"


def test_a_prack_where_nothing_was_reliable():
    bob = Taker()
    bob.ring()
    with pytest.raises(RemoteProtocolError) as refused:
        bob.prack()
    assert refused.value.sip_status == 481


def test_when_it_is_over_nothing_is_sent():
    bob = Taker(headers=SUPPORTED)
    bob.ring(wished=True)
    assert bob.invite.get_timer() == 0.5
    assert bob.invite.refuse(486)
    assert bob.invite.get_timer() is None
    assert not bob.invite.refuse(486)
    bob.ring()
    bob.invite.accept(b"x", headers=(), now=1)
    bob.invite.handle_timer(now=99)
    assert bob.sent() == [(180, "1"), (486, None)]
    assert bob.invite.request is None


def test_timers_of_1xx_and_2xx():
    bob = Taker(headers=SUPPORTED)
    bob.invite.handle_timer(now=0)
    bob.ring(wished=True)
    bob.invite.handle_timer(now=0.5)
    assert bob.sent() == [(180, "1"), (180, "1")]
    bob.invite.accept(b"answer", headers=(), now=1)
    assert bob.invite.get_timer() == 1.5
    bob.invite.handle_timer(now=1.4)
    bob.invite.handle_timer(now=1.5)
    assert bob.sent() == [(200, None), (200, None)]


def test_it_expires_without_prack():
    bob = Taker(headers=SUPPORTED)
    bob.ring(wished=True)
    assert not bob.invite.has_expired
    bob.invite.handle_timer(now=32)
    assert bob.invite.has_expired


def test_a_provisional_response_is_sent_again_each_minute():
    bob = Callee()
    bob.usage.provisional(183, headers=[("X-A", "b")], body=b"early", now=0)
    assert bob.statuses() == [183]
    for at in (60, 120):
        assert bob.usage.get_timer() == at
        bob.usage.handle_timer(now=at)
        (again,) = bob.responses()
        assert (again.status, again.headers.get("X-A")) == (183, "b")
    bob.usage.answer(b"answer", now=130)
    assert bob.statuses() == [200]
    assert bob.usage.get_timer() == 130.5


def test_100_is_not():
    bob = Callee()
    bob.usage.provisional(100, now=0)
    assert bob.usage.get_timer() is None
