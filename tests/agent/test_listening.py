import asyncio

import numpy as np
import pytest

from opensip.agent.listening import cancelled, listen
from opensip.audio.frame import AudioFrame
from tests.fakes.virtual_time_loop import VirtualTimeLoop


def run(main):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


class Source:
    rate = 8000

    def __init__(self, *frames):
        self.frames, self.at = list(frames), 0.0

    async def read(self):
        if not self.frames:
            return None
        delay, samples = self.frames[0]
        at = self.at + delay
        await asyncio.sleep(at - asyncio.get_running_loop().time())  # who gives up loses nothing
        self.at = at
        self.frames.pop(0)
        return AudioFrame(at - samples / 8000, np.zeros(samples, np.int16), 8000, -100.0)

    async def each(self, take):
        while frame := await self.read():
            take(frame)


def test_what_came_too_early_is_left_out_and_time_passes_without_audio():
    async def main():
        now, heard, ticks = asyncio.get_running_loop().time, [], []
        await listen(
            Source((0.1, 800), (2.0, 160), (0.1, 160)),
            since=1.0,
            now=now,
            deadline=lambda: 0.5 if not ticks else None,
            heard=heard.append,
            tick=ticks.append,
        )
        assert [len(frame.samples) for frame in heard] == [160, 160]  # the first came too early
        assert ticks == [pytest.approx(0.5)]
        assert len(asyncio.all_tasks()) == 1

    run(main)


def test_what_runs_is_ended():
    async def main():
        task = asyncio.create_task(asyncio.sleep(1e6))
        await cancelled(task, None)
        assert task.cancelled()

    run(main)


def test_all_calls_look_for_their_deadlines_at_the_same_moments():
    async def main():
        loop, looks = asyncio.get_running_loop(), ([], [])

        async def call(begins, looked):
            await asyncio.sleep(begins)
            await listen(
                Source((1.5, 160)),
                since=0.0,
                now=loop.time,
                deadline=lambda: looked.append(loop.time()),
                heard=lambda frame: None,
                tick=lambda at: None,
            )

        await asyncio.gather(call(0.01, looks[0]), call(0.05, looks[1]))
        assert 12 <= len(looks[0]) <= 13
        assert looks[0] == looks[1][: len(looks[0])]

    run(main)


def test_what_one_call_raises_is_its_own_and_no_look_outlives_the_calls():
    async def main():
        loop, told = asyncio.get_running_loop(), []
        loop.set_exception_handler(lambda _, context: told.append(context["exception"]))
        looked = []

        async def call(deadline):
            await listen(
                Source((1.0, 160)),
                since=0.0,
                now=loop.time,
                deadline=deadline,
                heard=lambda frame: None,
                tick=lambda at: None,
            )

        def fail():
            raise ValueError("a bug")

        await asyncio.gather(
            call(lambda: looked.append(loop.time())), call(fail), call(lambda: None)
        )
        assert [type(one) for one in told] == [ValueError]
        assert len(looked) >= 7
        assert not [timer for timer in loop._scheduled if not timer.cancelled()]

    run(main)
