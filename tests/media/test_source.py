import asyncio
import contextvars
from types import SimpleNamespace

import numpy as np
import pytest

from opensip.audio.frame import AudioFrame, Steady
from opensip.media.source import LONGEST_QUEUE, StreamSource
from tests.fakes.virtual_time_loop import VirtualTimeLoop

call = contextvars.ContextVar("call")


def frame(at):
    return AudioFrame(at, np.zeros(160, np.int16), 8000, -100.0)


def run(main):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


def test_a_reader_waits_and_the_end_is_for_ever():
    async def main():
        source = StreamSource(8000)
        reading = asyncio.create_task(source.read())
        await asyncio.sleep(0)
        source.put(frame(1))
        assert (await reading).at == 1
        source.put(frame(2))
        source.end()
        source.put(frame(3))
        return [await source.read() for _ in range(3)]

    two, *ends = run(main)
    assert two.at == 2
    assert ends == [None, None]


def test_the_end_wakes_a_reader():
    async def main():
        source = StreamSource(8000)
        reading = asyncio.create_task(source.read())
        await asyncio.sleep(0)
        source.end()
        return await reading

    assert run(main) is None


def test_a_cancelled_reader_loses_nothing():
    async def main():
        source = StreamSource(8000)
        reading = asyncio.create_task(source.read())
        await asyncio.sleep(0)
        reading.cancel()
        source.put(frame(1))
        return await source.read()

    assert run(main).at == 1


def test_what_nobody_reads_is_forgotten_oldest_first():
    async def main():
        source = StreamSource(8000)
        for at in range(LONGEST_QUEUE + 3):
            source.put(frame(at))
        assert source.forgotten == 3
        return await source.read()

    assert run(main).at == 3


def test_who_takes_each_frame_has_it_at_once_and_what_waited_first():
    async def main():
        source, taken = StreamSource(8000), []
        source.put(frame(1))
        call.set("ours")
        listening = asyncio.create_task(source.each(lambda one: taken.append((one.at, call.get()))))
        await asyncio.sleep(0)
        call.set("another's")
        source.put(frame(2))
        assert taken == [(1, "ours"), (2, "ours")]
        listening.cancel()
        await asyncio.wait({listening})
        source.put(frame(3))
        assert len(taken) == 2
        assert (await source.read()).at == 3
        listening = asyncio.create_task(source.each(taken.append))
        await asyncio.sleep(0)
        source.end()
        await listening
        await source.each(taken.append)
        assert len(taken) == 2

    run(main)


def test_what_a_taker_raises_is_raised_where_it_waits_and_no_frame_is_lost_after_it():
    async def main():
        source = StreamSource(8000)
        listening = asyncio.create_task(source.each(lambda one: 1 // 0))
        await asyncio.sleep(0)
        source.put(frame(1))
        source.put(frame(2))
        with pytest.raises(ZeroDivisionError):
            await listening
        assert (await source.read()).at == 2

    run(main)


def test_the_stream_is_told_what_may_come_in_longer_frames():
    stream = SimpleNamespace(steady=Steady.NOTHING)
    source = StreamSource(8000, stream)
    source.steady = Steady.VOICE
    assert stream.steady is source.steady is Steady.VOICE
    alone = StreamSource(8000)
    alone.steady = Steady.VOICE
    assert alone.steady is Steady.NOTHING  # nobody is there who could
