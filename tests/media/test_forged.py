"""Forged and broken datagrams, from the peer's own address: counted, dropped, never answered.

`scripts/bench forged` throws a million of them at a hundred calls, and tells what they cost.
"""

import asyncio
import itertools
import socket

import pytest

from opensip.audio.codecs import G711
from opensip.events import MediaSourceChanged
from opensip.media.inbox import MOST_A_SECOND
from opensip.media.ports import PortPool
from opensip.media.session import MediaConfig, MediaSession
from opensip.rtp.packet import RtpPacket
from opensip.rtp.rtcp import Goodbye, ReceiverReport, serialize_compound
from opensip.rtp.srtp import SrtpSession
from scripts.benches.forged.datagrams import BROKEN, FOREIGN, endless, replays, stranger
from tests.fakes.engines import each_engine
from tests.fakes.parties import Notes, rounded, run, voice

SUITE, KEY, SSRC = "AES_CM_128_HMAC_SHA1_80", b"k" * 30, 0x1234
CRYPTO = f"a=crypto:1 {SUITE} inline:{'a2' + 'tra2' * 9 + 'tr'}\r\n"  # KEY in base64
PACKETS, FORGED = 60, 40  # of the peer, and between two of them


class Peer:
    """A session and its raw peer, which others forge packets of."""

    def __init__(self, engine_type, *, secure):
        loop = asyncio.get_running_loop()
        self.engine, self.notes = engine_type(loop), Notes()
        pool = PortPool("127.0.0.1", 0, 0, clock=loop.time)
        config = MediaConfig("127.0.0.1", srtp="required" if secure else "off")
        self.session = MediaSession(self.engine, pool, config, observer=self.notes)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.protect = SrtpSession(SUITE, KEY).protect if secure else bytes
        profile = "SAVP" if secure else "AVP"
        self.session.answer(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            f"m=audio {self.socket.getsockname()[1]} RTP/{profile} 0\r\n"
            f"{CRYPTO if secure else ''}".encode()
        )

    def say(self, n, samples, ssrc=SSRC):
        packet = RtpPacket(0, n, 160 * n, ssrc, G711["PCMU"].encode(samples))
        self.socket.sendto(self.protect(packet.serialize()), self.session.address)

    def heard(self):
        frames = self.session.source._frames
        return b"".join(frame.samples.tobytes() for frame in frames)

    def dropped(self):
        counts = self.session.statistics()
        return {k.removeprefix("dropped_"): int(v) for k, v in counts.items() if "dropped_" in k}

    async def close(self):
        await self.session.close()
        self.socket.close()


@each_engine
@pytest.mark.parametrize("secure", [True, False], ids=["srtp", "plain"])
def test_each_is_counted_and_none_is_heard_answered_or_the_end(engine_type, secure):
    async def main():
        peer = Peer(engine_type, secure=secure)
        ended = asyncio.ensure_future(peer.session.wait_broken())
        said = voice(0.02 * PACKETS)
        bad = endless((*BROKEN, *(FOREIGN if secure else (stranger,))), SSRC)
        again = itertools.cycle(replays(SUITE, KEY, SSRC, 10) if secure else [b"\x80"])
        for n in range(PACKETS):
            peer.say(n, said[160 * n : 160 * n + 160])
            await asyncio.sleep(0.01)
            if 10 <= n < PACKETS - 1:
                for _ in range(FORGED):
                    peer.socket.sendto(next(bad), peer.session.address)
                peer.socket.sendto(next(again), peer.session.address)
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        counts, dropped = peer.session.statistics(), peer.dropped()
        assert sum(dropped.values()) == (PACKETS - 11) * (FORGED + 1)
        plain = {"malformed", "payload_type", "ssrc"}
        assert set(dropped) == ({"malformed", "forged", "replayed"} if secure else plain)
        assert (counts["received"], counts["lost"]) == (PACKETS, 0)
        assert rounded(said).tobytes() in peer.heard()
        assert counts["sent"] == pytest.approx(50 * (0.02 * PACKETS + 0.2), abs=3)  # no answer
        assert not ended.done()
        assert not [event for event in peer.notes if isinstance(event, MediaSourceChanged)]
        await peer.close()

    run(main)


@each_engine
@pytest.mark.parametrize("secure", [True, False], ids=["srtp", "plain"])
def test_another_source_is_heard_from_its_beginning_and_the_losses_before_it_count(
    engine_type, secure
):
    async def main():
        peer = Peer(engine_type, secure=secure)
        said, then = voice(0.4), voice(0.4, 700)
        for n in range(20):
            if n != 10:
                peer.say(n, said[160 * n : 160 * n + 160])
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.1)
        for n in range(20):
            peer.say(9000 + n, then[160 * n : 160 * n + 160], ssrc=SSRC + 1)
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)
        counts = peer.session.statistics()
        assert (counts["received"], counts["lost"]) == (39, 1)
        assert rounded(then).tobytes() in peer.heard()
        assert not peer.dropped()
        await peer.close()

    run(main)


@each_engine
def test_what_is_larger_than_any_packet_is_refused_whole(engine_type):
    async def main():
        peer = Peer(engine_type, secure=False)
        most = 1500 - 12
        peer.say(0, voice(most / 8000))
        peer.say(1, voice((most + 1) / 8000))
        peer.say(2, voice(3000 / 8000))
        await asyncio.sleep(0.1)
        assert peer.session.statistics()["received"] == 1
        assert peer.dropped() == {"malformed": 2}
        assert peer.heard().rstrip(b"\0") == rounded(voice(most / 8000)).tobytes().rstrip(b"\0")
        await peer.close()

    run(main)


@each_engine
@pytest.mark.parametrize("secure", [True, False], ids=["srtp", "plain"])
def test_forged_reports_end_no_call(engine_type, secure):
    async def main():
        peer = Peer(engine_type, secure=secure)
        host, port = peer.session.address
        bye = serialize_compound(ReceiverReport(SSRC), Goodbye((SSRC,)))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.2", 0))
            other.setblocking(False)
            for n in range(200):
                other.sendto(
                    (bye, bye[: n % 12], b"\x80\xc8\xff\xff" + bye)[n % 3], (host, port + 1)
                )
                if n % 20 == 0:
                    await asyncio.sleep(0.02)
            peer.say(0, voice(0.02))
            await asyncio.sleep(0.2)
            dropped = peer.dropped()
            assert sum(dropped.values()) == MOST_A_SECOND  # and the rest is left to the system
            assert all(why.startswith("rtcp_") for why in dropped)
            assert peer.session.statistics()["received"] == 1
            with pytest.raises(BlockingIOError):
                other.recv(2000)
        await peer.close()

    run(main)
