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
