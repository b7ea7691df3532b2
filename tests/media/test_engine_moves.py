"""A peer that moves by a re-INVITE, and whose packets of before are on their way meanwhile."""

import asyncio
import socket
from contextlib import suppress

import numpy as np
import pytest

from opensip.audio.codecs import G711
from opensip.media.engine import SrtpKeys, StreamConfig
from opensip.media.latch import GRACE
from opensip.media.ports import PortPool
from opensip.rtp.packet import RtpPacket
from opensip.rtp.srtp import SrtpSession
from tests.fakes.engines import each_engine
from tests.fakes.parties import run, voice

SUITE, OLD_KEY, NEW_KEY = "AES_CM_128_HMAC_SHA1_80", b"k" * 30, b"n" * 30
CODES = {"PCMU": 0, "PCMA": 8}


class Peer:
    """A raw peer: what it says is one sine through whatever it moves to."""

    def __init__(self, engine_type, *, first=0):
        loop = asyncio.get_running_loop()
        self.engine, self.n, self.heard, self.moves = engine_type(loop), first, [], []
        self.first = first
        pair = PortPool("127.0.0.1", 0, 0, clock=loop.time).take()
        self.target = pair.address
        self.stream = self.engine.open(pair, StreamConfig())
        self.stream.listener = self._listen
        self.sockets = []

    def _listen(self, batch):
        if batch.heard is not None:
            self.heard.append(batch.heard.samples)
        if batch.moved_to is not None:
            self.moves.append(batch.moved_to)

    def place(self):
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind(("127.0.0.1", 0))
        made.setblocking(False)
        self.sockets.append(made)
        return made

    def agree(self, place, *, law="PCMU", key=None, symmetric=True):
        keys = SrtpKeys(SUITE, b"t" * 30, key) if key else None
        receive = ((CODES[law], law),)
        self.stream.configure(
            StreamConfig(
                remote=place.getsockname(), codec=law, payload_type=CODES[law],
                receive=receive, keys=keys, symmetric=symmetric,
            )
        )  # fmt: skip

    async def say(self, place, packets, *, law="PCMU", protect=lambda data: data):
        for _ in range(packets):
            sound = voice(0.02 * (self.n - self.first + 1))[-160:]
            packet = RtpPacket(
                CODES[law], self.n & 0xFFFF, 160 * self.n, 7, G711[law].encode(sound)
            )
            with suppress(ConnectionRefusedError):  # the system's word to who is kept out
                place.sendto(protect(packet.serialize()), self.target)
            self.n += 1
            await asyncio.sleep(0.02)

    async def all_heard(self):
        await asyncio.sleep(0.2)
        return np.concatenate(self.heard)

    def close(self):
        self.engine.close()
        for one in self.sockets:
            one.close()


def click(heard, packets):
    """The worst deviation from the sine, whose 8000 is at full height."""
    assert len(heard) == 160 * packets
    return int(np.abs(heard.astype(int) - voice(0.02 * packets)).max())


@each_engine
@pytest.mark.parametrize("symmetric", [True, False], ids=["symmetric", "strict"])
@pytest.mark.parametrize("secure", [True, False], ids=["srtp", "plain"])
def test_a_move_of_address_codec_and_key_makes_no_click(engine_type, secure, symmetric):
    async def main():
        peer = Peer(engine_type)
        old, new = peer.place(), peer.place()
        before = SrtpSession(SUITE, OLD_KEY).protect if secure else bytes
        after = SrtpSession(SUITE, NEW_KEY).protect if secure else bytes
        peer.agree(old, key=OLD_KEY if secure else None, symmetric=symmetric)
        await peer.say(old, 20, protect=before)
        peer.agree(new, law="PCMA", key=NEW_KEY if secure else None, symmetric=symmetric)
        await peer.say(old, 10, protect=before)  # it has not had our answer yet
        await peer.say(new, 20, law="PCMA", protect=after)
        heard = await peer.all_heard()
        assert click(heard, 50) < 300  # what both laws round off
        assert peer.stream.statistics()["lost"] == 0
        assert not [name for name in peer.stream.statistics() if name.startswith("dropped")]
        assert peer.moves == []
        assert len(_all(old)) == pytest.approx(20, abs=2)  # until we answered, and no longer
        assert len(_all(new)) == pytest.approx(40, abs=2)
        peer.close()

    run(main)


def _all(place):
    packets = []
    while True:
        try:
            packets.append(place.recv(2048))
        except BlockingIOError:
            return packets


@each_engine
def test_the_rollover_counter_lives_through_a_move(engine_type):
    async def main():
        peer = Peer(engine_type, first=65526)
        old, new = peer.place(), peer.place()
        protect = SrtpSession(SUITE, OLD_KEY).protect
        peer.agree(old, key=OLD_KEY)
        await peer.say(old, 15, protect=protect)  # over the wrap
        peer.agree(new, law="PCMA", key=OLD_KEY)
        await peer.say(new, 15, law="PCMA", protect=protect)
        assert click(await peer.all_heard(), 30) < 300
        assert peer.stream.statistics()["lost"] == 0
        peer.close()

    run(main)


def at_the_second_round(session, *, first):
    """Let a sender count on from the wrap of its sequence: libsrtp counts what it protects."""
    for number in range(first, first + 15):
        session.protect(RtpPacket(0, number & 0xFFFF, 160 * number, 7, b"").serialize())
    return session.protect


@each_engine
@pytest.mark.parametrize("keeps", [True, False], ids=["goes on", "begins anew"])
def test_the_rollover_counter_of_a_peer_with_a_new_key(engine_type, keeps):
    async def main():
        peer = Peer(engine_type, first=65526)
        place, after = peer.place(), SrtpSession(SUITE, NEW_KEY)
        peer.agree(place, key=OLD_KEY)
        await peer.say(place, 15, protect=SrtpSession(SUITE, OLD_KEY).protect)  # over the wrap
        peer.agree(place, key=NEW_KEY)
        protect = at_the_second_round(after, first=65526) if keeps else after.protect
        peer.stream.statistics()
        forged = SrtpSession(SUITE, b"f" * 30)
        for n in range(3):  # decides nothing
            packet = RtpPacket(0, 5 + n, 800, 7, bytes(160)).serialize()
            place.sendto(forged.protect(packet), peer.target)
        await peer.say(place, 15, protect=protect)
        assert click(await peer.all_heard(), 30) < 300
        counts = peer.stream.statistics()
        assert (counts["lost"], counts["dropped_forged"]) == (0, 3)
        peer.close()

    run(main)


@each_engine
def test_the_old_place_and_key_are_good_until_the_new_ones_come_and_not_for_ever(engine_type):
    async def main():
        peer = Peer(engine_type)
        old, new = peer.place(), peer.place()
        before, after = SrtpSession(SUITE, OLD_KEY), SrtpSession(SUITE, NEW_KEY)
        peer.agree(old, key=OLD_KEY, symmetric=False)
        await peer.say(old, 2, protect=before.protect)
        peer.agree(new, key=NEW_KEY, symmetric=False)
        await peer.say(new, 1, protect=after.protect)
        await peer.say(old, 1, protect=before.protect)
        await peer.say(old, 1, protect=after.protect)
        assert peer.stream.statistics()["received"] == 3
        peer.agree(old, key=OLD_KEY, symmetric=False)
        await peer.say(new, GRACE + 3, protect=after.protect)
        counts = peer.stream.statistics()
        assert counts["received"] == 3 + GRACE
        peer.close()

    run(main)


@each_engine
def test_a_peer_that_says_it_moved_and_does_not_is_found_where_it_is(engine_type):
    async def main():
        peer = Peer(engine_type)
        old, new = peer.place(), peer.place()
        peer.agree(old)
        await peer.say(old, 5)
        peer.agree(new)  # an address behind a NAT, which is not where its packets come from
        await peer.say(old, GRACE + 10)
        assert peer.stream.statistics()["received"] == GRACE + 14  # one was the candidate
        assert peer.moves == [old.getsockname()]
        peer.close()

    run(main)


@each_engine
def test_a_stranger_who_is_faster_than_the_peer_does_not_keep_the_call(engine_type):
    async def main():
        peer = Peer(engine_type)
        first, second, stranger = peer.place(), peer.place(), peer.place()
        for place in (first, second):  # the call's beginning, and a re-INVITE that moves the peer
            peer.agree(place)
            counts = peer.stream.statistics()
            for n in (700, 701, 702):
                packet = RtpPacket(0, n, 160 * n, 66, bytes((0xFF,)) * 160)
                stranger.sendto(packet.serialize(), peer.target)
                await asyncio.sleep(0.02)
            _all(stranger)
            await peer.say(place, 1)
            await asyncio.sleep(0.04)
            _all(stranger)
            _all(place)
            for _ in range(10):
                stranger.sendto(packet.serialize(), peer.target)
                await peer.say(place, 5)
            assert peer.stream.statistics()["received"] - counts["received"] >= 51
            assert len(_all(place)) == pytest.approx(50, abs=2)
            assert not _all(stranger)
            assert peer.moves[-1] == place.getsockname()
        peer.close()

    run(main)
