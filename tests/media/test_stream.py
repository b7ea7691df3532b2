"""The streams of every engine."""

import asyncio
import gc
import socket

import numpy as np
import pytest

from opensip.audio.codecs import CODECS
from opensip.audio.frame import Steady
from opensip.audio.level import levels
from opensip.errors import MediaError
from opensip.media.engine import TICK, StreamConfig
from opensip.media.engine_python import PythonEngine
from opensip.media.ports import PortPool
from opensip.media.recorder import Recorder
from opensip.media.session import MediaConfig, MediaSession
from opensip.rtp.packet import RtpPacket
from tests.fakes.engines import REAL_TIME_ENGINES, each_engine
from tests.fakes.virtual_time_loop import VirtualTimeLoop

CLOCK = 0.002  # seconds: uvloop counts whole milliseconds
VOICE = (6000 * np.sin(np.arange(800) / 3)).astype(np.int16)


def run(main, loop_factory=VirtualTimeLoop):
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(main())


def open_stream(engine_type, config):
    """Open a stream of an engine of its own; returns it with its ports and batches."""
    loop, batches = asyncio.get_running_loop(), []
    engine = engine_type(loop)
    pair = PortPool("127.0.0.1", 0, 0, clock=loop.time).take()
    stream = engine.open(pair, config)
    stream.listener = batches.append
    return stream, pair, batches


@each_engine
def test_what_left_is_told_while_it_is_kept(engine_type):
    async def main():
        stream, _, batches = open_stream(engine_type, StreamConfig(remote=("127.0.0.1", 9)))
        stream.write(VOICE)
        await asyncio.sleep(0.1)
        assert all(batch.said is None for batch in batches)
        stream.keep_said = True
        stream.write(VOICE)
        await asyncio.sleep(0.21)
        said = np.concatenate([b.said for b in batches if b.said is not None])
        codec = CODECS["PCMU"]
        assert codec.decode(codec.encode(VOICE)).tobytes() in said.tobytes()
        stream.close()
        stream.close()

    run(main)


@each_engine
def test_a_prompt_stream_tells_of_every_tick(engine_type):
    async def main():
        stream, _, batches = open_stream(engine_type, StreamConfig(remote=("127.0.0.1", 9)))
        await asyncio.sleep(1)
        assert len(batches) == 10
        stream.prompt = True
        await asyncio.sleep(1)
        assert 10 + 49 <= len(batches) <= 10 + 51
        stream.prompt = False
        told = len(batches)
        await asyncio.sleep(1)
        assert told + 9 <= len(batches) <= told + 11
        stream.close()

    run(main)


@each_engine
@pytest.mark.parametrize("phase", [0.001, 0.011])
def test_a_steady_voice_comes_in_runs_of_60_ms_and_its_end_at_once(engine_type, phase):
    async def main():
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind(("127.0.0.1", 0))
            stream, pair, _ = open_stream(engine_type, StreamConfig(remote=peer.getsockname()))
            stream.steady = Steady.VOICE
            told = []
            stream.listener = lambda batch: told.append((loop.time(), batch))
            start = loop.time() + phase
            for number in range(80):  # a voice of 53 packets, then silence
                await asyncio.sleep(start + number * TICK - loop.time())
                payload = bytes([0x10 if number < 53 else 0xFF]) * 160
                packet = RtpPacket(0, number, 160 * number, 7, payload)
                peer.sendto(packet.serialize(), pair.address)
            stream.steady = Steady.NOTHING
            await asyncio.sleep(TICK)
        heard = [(at, batch.heard) for at, batch in told if batch.heard]
        voiced = [(at, frame) for at, frame in heard if np.abs(frame.samples).max() > 1000]
        sizes = [len(frame.samples) for _, frame in voiced]
        assert sizes[2:-1] == [480] * len(sizes[2:-1])
        last_packet = start + 52 * TICK
        assert voiced[-1][0] - last_packet <= 2 * TICK + 1e-6  # with the first silence after it
        quiet = [len(frame.samples) for at, frame in heard if at > voiced[-1][0]]
        assert set(quiet[:20]) == {160}  # each tick, while a voice is near
        assert sum(len(frame.samples) for _, frame in heard) >= 78 * 160
        told_levels = [frame for _, frame in heard if frame.levels]
        assert bool(told_levels) is (engine_type is not PythonEngine)
        for frame in told_levels:
            assert list(frame.levels) == pytest.approx(levels(frame.samples, 160), abs=1e-3)
        stream.close()

    run(main)


@each_engine
def test_silence_after_a_voice_may_come_in_runs_of_100_ms_and_the_next_voice_at_once(engine_type):
    async def main():
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind(("127.0.0.1", 0))
            stream, pair, _ = open_stream(engine_type, StreamConfig(remote=peer.getsockname()))
            told = []
            stream.listener = lambda batch: told.append((loop.time(), batch.heard))
            start = loop.time() + 0.001
            for number in range(80):  # a voice of 5 packets, silence, a voice from the 67th on
                await asyncio.sleep(start + number * TICK - loop.time())
                stream.steady = Steady.SILENCE if number >= 10 else Steady.NOTHING
                loud = number < 5 or number >= 67
                packet = RtpPacket(
                    0, number, 160 * number, 7, bytes([0x10 if loud else 0xFF]) * 160
                )
                peer.sendto(packet.serialize(), pair.address)
            await asyncio.sleep(2 * TICK)
        heard = [(at, frame) for at, frame in told if frame]
        assert sum(len(frame.samples) for _, frame in heard) == 80 * 160
        quiet = [(at, frame) for at, frame in heard if start + 11 * TICK < at < start + 67 * TICK]
        sizes = [len(frame.samples) for _, frame in quiet]
        assert sizes[1:] == [800] * (len(sizes) - 1)
        assert len(sizes) >= 10
        at, first = next((at, frame) for at, frame in heard if at > quiet[-1][0])
        assert np.abs(first.samples[-160:]).max() > 1000  # what waited comes with it
        assert at - (start + 67 * TICK) <= TICK + 1e-6
        stream.close()

    run(main)


@each_engine
@pytest.mark.parametrize("turns", range(6))
def test_a_stream_closed_at_once_leaves_nothing_open(engine_type, turns):
    faults = []

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
        stream, pair, _ = open_stream(engine_type, StreamConfig())
        for _ in range(turns):
            await asyncio.sleep(0)
        stream.close()
        await asyncio.sleep(0.1)
        assert pair.rtp.fileno() == pair.rtcp.fileno() == -1

    run(main)
    gc.collect()
    assert not faults


@each_engine
def test_who_takes_no_events_gets_none(engine_type):
    async def main():
        stream, *_ = open_stream(engine_type, StreamConfig(remote=("127.0.0.1", 9)))
        with pytest.raises(MediaError, match="no telephone events"):
            await stream.send_digit("1")
        stream.close()

    run(main)


@each_engine
def test_packets_that_cannot_leave_are_counted(engine_type):
    async def main():
        unreachable = StreamConfig(remote=("127.0.0.1", 0), rtcp=("127.0.0.1", 65536))
        stream, *_ = open_stream(engine_type, unreachable)
        await asyncio.sleep(10.01)
        counts = stream.statistics()
        assert counts["unsent"] == 500 + counts["rtcp_sent"]
        assert counts["rtcp_sent"] >= 1
        stream.close()

    run(main)


@each_engine
def test_packets_of_two_ticks(engine_type):
    async def main():
        stream, *_ = open_stream(engine_type, StreamConfig(remote=("127.0.0.1", 9), ptime=40))
        await asyncio.sleep(1.01)
        assert stream.statistics()["sent"] == 25
        stream.close()

    run(main)


def loud(samples):
    return int((abs(samples) > 3000).sum())


def loops():
    yield pytest.param(asyncio.new_event_loop, id="asyncio")
    try:
        import uvloop
    except ImportError:
        return
    yield pytest.param(uvloop.new_event_loop, id="uvloop")


@pytest.mark.parametrize("engine_type", REAL_TIME_ENGINES)
@pytest.mark.parametrize("loop_factory", [*loops()])
def test_on_real_loops_a_word_is_heard_and_recorded(engine_type, loop_factory, tmp_path):
    async def main():
        loop = asyncio.get_running_loop()
        engine, pool = engine_type(loop), PortPool("127.0.0.1", 0, 0, clock=loop.time)
        caller, callee = (MediaSession(engine, pool, MediaConfig("127.0.0.1")) for _ in range(2))
        caller.accept(callee.answer(caller.offer()))
        recorder = Recorder(tmp_path / "call.wav")
        callee.record_to(recorder)
        heard = recorded = 0
        # Said until it is there: a busy machine may bring a word too late, or in pieces.
        while min(heard, recorded) < len(VOICE) // 2:
            if not caller.sink.queued():
                caller.sink.write(VOICE)
            frame = await callee.source.read()
            heard += loud(frame.samples)
            recorded = loud(np.frombuffer(recorder.path.read_bytes()[44:], "<i2")[::2])
        before, now = loop.time(), engine.now()
        await asyncio.sleep(0)  # a loop may tell the time of its last turn
        assert before - CLOCK <= now <= loop.time() + CLOCK
        await caller.close()
        await callee.close()

    run(main, loop_factory)


@each_engine
@pytest.mark.parametrize("reports", [True, False])
def test_who_gets_no_reports_gets_no_goodbye(engine_type, reports):
    async def main():
        there = ("127.0.0.1", 9)
        config = StreamConfig(remote=there, rtcp=there if reports else None)
        stream, *_ = open_stream(engine_type, config)
        sent = []
        stream._send_rtcp = sent.append
        await asyncio.sleep(0.1)
        stream.close()
        assert bool(sent) is reports

    run(main)
