"""How soon what is only listened to is in Python, by every engine's word, in virtual time."""

import asyncio
import socket

import numpy as np
import pytest

from opensip.audio.codecs import G711
from opensip.media.engine import TICK, StreamConfig
from opensip.media.hearing import Hearing
from opensip.media.ports import PortPool
from opensip.media.recorder import Recorder
from opensip.rtp.packet import RtpPacket
from tests.fakes.engines import each_engine
from tests.fakes.parties import run

GAP = 0.040  # seconds for which what is missing is waited for
LOUD = 0x10  # a code, and those after it: each loud enough to open the gate


async def listened(engine_type, times, recorder=None):
    """Send packet n of `times` at its second; tell when each was in Python, and the counts."""
    loop, heard = asyncio.get_running_loop(), {}
    engine, pair = engine_type(loop), PortPool("127.0.0.1", 0, 0, clock=loop.time).take()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        stream = engine.open(pair, StreamConfig(remote=peer.getsockname()))
        codes = {int(G711["PCMU"].decode(bytes([LOUD + n]))[0]): n for n in range(100)}

        hearing = Hearing(8000, lambda digit: None)
        if recorder is not None:
            recorder.start(now=engine.now())
            hearing.record_to(recorder)

        def take(batch):
            hearing.take(batch, said_rate=8000, held=False)
            for sample in np.unique(batch.heard.samples) if batch.heard else ():
                heard.setdefault(codes.get(int(sample)), loop.time())

        stream.listener = take
        await asyncio.sleep(0.5)
        start = loop.time()
        for at, number in sorted((at, number) for number, at in times.items()):
            await asyncio.sleep(start + at - loop.time())
            payload = bytes([LOUD + number]) * 160
            packet = RtpPacket(0, number, 160 * number, 7, payload)
            peer.sendto(packet.serialize(), pair.address)
        await asyncio.sleep(0.5)
        counts = stream.statistics()
        if recorder is not None:
            recorder.close(now=engine.now())
        engine.close()
        await asyncio.sleep(0)
    return {number: at - start for number, at in heard.items()}, counts


@each_engine
@pytest.mark.parametrize("phase", [0.001, 0.009, 0.018])
def test_a_packet_in_order_is_in_python_within_a_tick(engine_type, phase):
    async def main():
        times = {n: phase + n * TICK for n in range(50)}
        heard, counts = await listened(engine_type, times)
        voiced = range(1, 50)  # the first opens the gate
        assert all(heard[n] - times[n] <= TICK + 1e-6 for n in voiced)
        assert counts["lost"] == 0

    run(main)


@each_engine
@pytest.mark.parametrize("phase", [0.001, 0.009, 0.018])
def test_a_gap_is_waited_for_40_ms_and_no_longer(engine_type, phase):
    async def main():
        times = {n: phase + n * TICK for n in range(50) if n != 20}
        heard, counts = await listened(engine_type, times)
        waited = {n: heard[n] - times[n] for n in range(10, 50) if n != 20}
        assert GAP - TICK <= waited[21] <= GAP + TICK + 1e-6  # a tick is when Python is told
        assert all(waited[n] <= TICK + 1e-6 for n in waited if not 20 < n < 24)
        assert counts["lost"] == 1

    run(main)


@each_engine
@pytest.mark.parametrize(("late", "lost"), [(0.035, 0), (0.095, 1)])
def test_what_is_overtaken_is_heard_in_its_place_if_it_comes_in_time(engine_type, late, lost):
    async def main():
        times = {n: 0.005 + n * TICK + (late if n == 20 else 0) for n in range(50)}
        heard, counts = await listened(engine_type, times)
        assert (20 not in heard) == bool(lost)
        assert (counts["lost"], counts["late"]) == (lost, lost)
        assert heard[21] - times[21] <= GAP + TICK + 1e-6

    run(main)


@each_engine
@pytest.mark.parametrize("late", [0.09, 0.15])
def test_what_comes_too_late_for_the_ear_has_its_place_in_the_recording(
    engine_type, late, tmp_path
):
    async def main():
        times = {n: 0.005 + n * TICK + (late if n == 20 else 0) for n in range(50)}
        recorder = Recorder(tmp_path / "call.wav")
        heard, counts = await listened(engine_type, times, recorder)
        assert 20 not in heard
        assert counts["late"] == 1

    run(main)
    both = np.frombuffer((tmp_path / "call.wav").read_bytes()[44:], "<i2").reshape(-1, 2)
    sound = [int(G711["PCMU"].decode(bytes([LOUD + n]))[0]) for n in range(50)]
    lengths = [int((both[:, 0] == sample).sum()) for sample in sound]
    assert min(lengths[1:]) >= 150
    place = [int(np.argmax(both[:, 0] == sample)) for sample in sound]
    assert place[20] - place[19] == pytest.approx(160, abs=10)
    assert place[21] - place[20] == pytest.approx(160, abs=10)
