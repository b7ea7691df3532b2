"""A flood of forged datagrams at the port of one call: the peer's packets find room there."""

import asyncio
from contextlib import suppress
from dataclasses import replace

import pytest

from opensip.media.engine import SrtpKeys, StreamConfig
from opensip.media.latch import PROVEN
from opensip.rtp.packet import RtpPacket
from opensip.rtp.srtp import SrtpSession
from tests.fakes.engines import each_engine
from tests.fakes.parties import run
from tests.media.test_engine_moves import Peer

SUITE, KEY = "AES_CM_128_HMAC_SHA1_80", b"k" * 30
FORGED = 600  # in a packet time: more than the usual buffer of a socket takes
CHECK = b"\0\1\0\0\x21\x12\xa4\x42" + bytes(12)


async def say(peer, place, packets, protect, *, flood=None):
    """Speak amid a flood, whose datagrams are all there before the peer's."""
    forged = RtpPacket(0, 9, 9, 7, bytes(170)).serialize()
    for _ in range(packets):
        if flood is not None:
            for _ in range(FORGED):
                with suppress(ConnectionRefusedError):  # the system's word to who is kept out
                    flood.sendto(forged, peer.target)
        await peer.say(place, 1, protect=protect)


@each_engine
@pytest.mark.parametrize("beside", [False, True], ids=["sdes", "dtls"])
def test_the_peer_is_heard_amid_a_flood_and_found_again_where_a_nat_binds_it_anew(
    engine_type, beside
):
    async def main():
        peer, protect = Peer(engine_type), SrtpSession(SUITE, KEY).protect
        place, anew, stranger = peer.place(), peer.place(), peer.place()
        checks = []
        config = StreamConfig(
            remote=place.getsockname(), receive=((0, "PCMU"),), beside=beside,
            keys=SrtpKeys(SUITE, b"t" * 30, KEY),
        )  # fmt: skip
        peer.stream.configure(config)
        listen = peer.stream.listener
        peer.stream.listener = lambda batch: (listen(batch), checks.extend(batch.beside))
        await say(peer, place, 3, protect)
        if beside:  # without a flood anybody may ask
            stranger.sendto(CHECK, peer.target)
        await say(peer, place, 60, protect, flood=stranger)
        counts = peer.stream.statistics()
        assert counts["received"] >= (
            62 if not beside else 60
        )  # of a flood's first tick, and so on
        assert len(checks) == beside
        await asyncio.sleep(0.3)
        await say(peer, anew, 5, protect)
        assert peer.moves == [anew.getsockname()]
        assert peer.stream.statistics()["received"] == counts["received"] + 5
        peer.close()

    run(main)


@each_engine
def test_a_strict_source_shuts_the_door_before_the_first_packet(engine_type):
    async def main():
        peer = Peer(engine_type)
        place, other, stranger = peer.place(), peer.place(), peer.place()
        config = StreamConfig(remote=place.getsockname(), symmetric=False)
        peer.stream.configure(config)
        await asyncio.sleep(0.04)
        await say(peer, place, 20, bytes, flood=stranger)
        assert peer.stream.statistics()["received"] == 20
        peer.stream.configure(replace(config, remote=other.getsockname()))
        await say(peer, place, 2, bytes)  # of before its move
        await say(peer, other, 2, bytes)
        await say(peer, other, 20, bytes, flood=stranger)
        assert peer.stream.statistics()["received"] == 44
        peer.close()

    run(main)


@each_engine
def test_a_peer_behind_a_nat_is_let_alone_once_proven_and_the_signalled_one_may_still_come(
    engine_type,
):
    async def main():
        peer = Peer(engine_type)
        place, behind, stranger = peer.place(), peer.place(), peer.place()
        peer.stream.configure(StreamConfig(remote=place.getsockname()))
        await say(peer, behind, int(PROVEN / 0.02) + 5, bytes)
        counts = peer.stream.statistics()
        await say(peer, behind, 20, bytes, flood=stranger)
        assert peer.stream.statistics()["received"] == counts["received"] + 20
        await asyncio.sleep(0.3)
        await say(peer, place, 5, bytes)
        assert peer.moves == [behind.getsockname(), place.getsockname()]
        assert peer.stream.statistics()["received"] == counts["received"] + 25
        peer.close()

    run(main)
