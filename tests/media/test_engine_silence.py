"""A peer that suppresses silence: comfort noise (RFC 3389), or nothing, and then a marker."""

import asyncio
import socket
from dataclasses import replace

import numpy as np
import pytest

from opensip.audio.codecs import G711
from opensip.audio.level import dbfs
from opensip.media.engine import StreamConfig
from opensip.media.ports import PortPool
from opensip.rtp.packet import RtpPacket
from opensip.rtp.rtcp import ReceiverReport, serialize_compound
from tests.fakes.engines import each_engine
from tests.fakes.parties import Party, rounded, run, voice

NOISE = 13
OFFER = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio {} RTP/AVP 0 13\r\na=ptime:{}\r\n"
)


def arrived(peer):
    packets = []
    while True:
        try:
            packets.append(RtpPacket.parse(peer.recv(2048)))
        except BlockingIOError:
            return packets


class Quiet:
    """A raw peer of a session, which sends what it likes and when."""

    def __init__(self, engine_type, ptime=20):
        self.party = Party(engine_type, srtp="off")
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.sequence = self.timestamp = 0
        port = self.socket.getsockname()[1]
        self.party.session.answer(OFFER.format(port, ptime).encode())

    def send(self, number, payload, *, marker=False):
        packet = RtpPacket(number, self.sequence, self.timestamp, 7, payload, marker)
        self.socket.sendto(packet.serialize(), self.party.session.address)
        self.sequence += 1

    async def say(self, samples, *, ptime=0.02):
        size = round(8000 * ptime)
        for start in range(0, len(samples), size):
            self.send(0, G711["PCMU"].encode(samples[start : start + size]), marker=not start)
            self.timestamp += size
            await asyncio.sleep(ptime)

    async def fall_silent(self, seconds, level=None, *, every=None):
        """Send nothing for a while, but comfort noise at the start or at intervals."""
        waited = 0.0
        while waited < seconds:
            if level is not None:
                self.send(NOISE, bytes((level,)))
            step = every or seconds
            await asyncio.sleep(step)
            waited += step
            self.timestamp += round(8000 * step)

    def report(self):
        host, port = self.party.session.address
        report = serialize_compound(ReceiverReport(7))
        self.socket.sendto(report, (host, port + 1))

    async def close(self):
        await self.party.session.close()
        self.socket.close()


@each_engine
def test_comfort_noise_is_heard_at_its_level_and_speech_after_it_whole(engine_type):
    async def main():
        peer = Quiet(engine_type)
        said = voice(0.5)
        await peer.say(said)
        await peer.fall_silent(3.0, 60)
        await peer.say(said)
        await asyncio.sleep(0.3)
        heard = peer.party.heard()
        assert len(heard) == pytest.approx(8000 * 4.2, abs=8000 * 0.2)
        between = heard[5200 : 5200 + 8000 * 2]
        assert dbfs(between) == pytest.approx(-60, abs=0.5)
        assert np.abs(between).max() < 100  # no byte of it was taken for a sample
        whole = rounded(said).tobytes()
        assert heard.tobytes().count(whole) == 2
        assert peer.party.counts["received"] == 51
        await peer.close()

    run(main)


@each_engine
@pytest.mark.parametrize("every", [None, 4.0], ids=["nothing", "noise"])
def test_silence_within_the_limits_ends_no_call(engine_type, every):
    async def main():
        peer = Quiet(engine_type)
        limit = asyncio.ensure_future(peer.party.session.wait_timed_out())
        await peer.say(voice(0.2))
        await peer.fall_silent(60.0 if every else 14.0, 70 if every else None, every=every)
        assert not limit.done()
        await peer.say(voice(0.2))
        await asyncio.sleep(13)
        assert not limit.done()
        await asyncio.sleep(3)
        assert limit.done()  # which is when it is really gone
        assert peer.party.counts["lost"] == 0
        await peer.close()

    run(main)


@each_engine
@pytest.mark.parametrize("told", [True, False], ids=["noise", "nothing"])
def test_a_peer_that_told_its_noise_is_there_while_it_reports(engine_type, told):
    async def main():
        peer, level = Quiet(engine_type), 70 if told else None
        limit = asyncio.ensure_future(peer.party.session.wait_timed_out())
        await peer.say(voice(0.2))
        for _ in range(9):
            await peer.fall_silent(5.0, level)
            peer.report()
            level = None  # once is enough
        assert limit.done() is not told
        await asyncio.sleep(16)
        assert limit.done()
        await peer.close()

    run(main)


@each_engine
@pytest.mark.parametrize("theirs", [0.01, 0.02, 0.03, 0.04, 0.06])
@pytest.mark.parametrize("ours", [10, 20, 30, 40, 60])
def test_packet_times_may_differ_each_way(engine_type, theirs, ours):
    async def main():
        peer = Quiet(engine_type, ptime=ours)
        said = voice(0.6)
        peer.party.session.sink.write(said)
        await peer.say(said, ptime=theirs)
        await asyncio.sleep(0.3)
        assert rounded(said).tobytes() in peer.party.heard().tobytes()
        packets = arrived(peer.socket)
        assert {len(packet.payload) for packet in packets} == {8 * ours}
        sound = G711["PCMU"].decode(b"".join(packet.payload for packet in packets))
        assert rounded(said).tobytes() in sound.tobytes()
        await peer.close()

    run(main)


@each_engine
def test_joined_to_another_the_peers_noise_is_played_there_at_its_level(engine_type):
    async def main():
        peer = Quiet(engine_type)
        other = PortPool("127.0.0.1", 0, 0, clock=lambda: 0.0).take()
        here = peer.party
        there = here.engine.open(PortPool("127.0.0.1", 0, 0, clock=lambda: 0.0).take(), _to(other))
        assert here.engine.connect(here.session.stream, there)
        await peer.say(voice(0.5))
        await peer.fall_silent(1.5, 48)
        sound = G711["PCMU"].decode(b"".join(packet.payload for packet in arrived(other.rtp)))
        assert dbfs(sound[-8000:]) == pytest.approx(-48, abs=1)
        there.close()
        other.close()
        await peer.close()

    run(main)


def _to(pair):
    return StreamConfig(remote=pair.address)


@each_engine
@pytest.mark.parametrize("ptime", [10, 20, 30, 40, 60])
def test_joined_to_a_leg_of_another_packet_time_no_sample_is_lost(engine_type, ptime):
    async def main():
        peer, said = Quiet(engine_type), voice(1.0)
        other = PortPool("127.0.0.1", 0, 0, clock=lambda: 0.0).take()
        here = peer.party
        pair = PortPool("127.0.0.1", 0, 0, clock=lambda: 0.0).take()
        there = here.engine.open(pair, replace(_to(other), ptime=ptime))
        assert here.engine.connect(here.session.stream, there)
        await peer.say(said)
        await asyncio.sleep(0.3)
        packets = arrived(other.rtp)
        assert {len(packet.payload) for packet in packets} == {8 * ptime}
        sound = G711["PCMU"].decode(b"".join(packet.payload for packet in packets))
        assert rounded(said).tobytes() in sound.tobytes()
        there.close()
        other.close()
        await peer.close()

    run(main)


@each_engine
def test_a_path_that_becomes_longer_is_believed_once_and_at_once(engine_type):
    async def main():
        peer, offsets, samples = Quiet(engine_type), [], 0

        def listen(batch):
            nonlocal samples
            if batch.heard is not None:
                offsets.append(batch.heard.at - samples / 8000)
                samples += len(batch.heard.samples)

        peer.party.session.stream.listener = listen
        await peer.say(voice(1.0))
        await asyncio.sleep(0.05)
        await peer.say(voice(5.0))
        await peer.close()
        return np.diff(offsets)

    steps = run(main)
    (one,) = steps[abs(steps) > 0.001]
    assert one == pytest.approx(0.05, abs=0.011)
