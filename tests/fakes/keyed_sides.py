"""Two sides that come to keys of SRTP by DTLS, and the network between them."""

import asyncio

from opensip.media.dtls import DtlsCertificate
from opensip.media.engine import Beside
from opensip.media.keying import Keying
from opensip.rtp.payload import PCMU
from opensip.sdp.fingerprint import DtlsPeer
from opensip.sdp.ice import IcePeer
from opensip.sdp.offer_answer import Negotiated
from tests.fakes.virtual_time_loop import VirtualTimeLoop

ONE, TWO, ELSEWHERE = ("192.0.2.1", 4000), ("192.0.2.2", 5000), ("192.0.2.66", 6000)
ICE = IcePeer("them", "q" * 22)
FINISHED = b"\x16\xfe\xfd\x00\x01" + bytes(6) + b"\x00\x01\x14"  # of epoch 1


class Side:
    """One keying, which knows where the other is."""

    def __init__(self, address):
        self.address, self.sent, self.notes, self.failures = address, [], 0, []
        self.drawn = 0
        self.keying = Keying(
            certificate=DtlsCertificate(), send=lambda data, to: self.sent.append((data, to)),
            keyed=self.note, failed=self.failures.append, random=self.random,
        )  # fmt: skip

    def note(self):
        self.notes += 1

    def random(self, count):
        self.drawn += 1
        return bytes([self.drawn]) * count

    def agree(self, other, role, **how):
        self.keying.agree(agreement(other, role, **how), other.address)

    def renew(self, other, ice, *, role="active", **how):
        return self.keying.renew(agreement(other, role, ice=ice, **how))

    def take(self):
        sent, self.sent = self.sent, []
        return sent


def agreement(other, role, *, fingerprint=None, ice=None, tls_id=""):
    """What is agreed on with the other side."""
    peer = DtlsPeer((fingerprint or other.keying.own.fingerprint,), role, tls_id)
    return Negotiated(
        b"", other.address, other.address, PCMU, 0, None, ((0, PCMU),), 20, "sendrecv", False,
        dtls=peer, mux=True, ice=ice,
    )  # fmt: skip


def carry(one, other):
    """Let both exchange all that they send."""
    while some := [(o, d, s) for s, o in ((one, other), (other, one)) for d, _ in s.take()]:
        for to, data, sender in some:
            to.keying.receive(Beside(data, sender.address))


def run(main):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


async def keyed_pair(**how):
    one, two = Side(ONE), Side(TWO)
    two.agree(one, "passive", **how)
    one.agree(two, "active")
    carry(one, two)
    return one, two
