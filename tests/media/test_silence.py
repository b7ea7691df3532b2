import asyncio

import numpy as np
import pytest

from opensip.audio.frame import AudioFrame
from opensip.events import MediaTimedOut
from opensip.media.silence import SilenceClock, silenced
from tests.fakes.virtual_time_loop import VirtualTimeLoop


def wait(*steps):
    """Let a clock run through `steps`, (time, what) pairs; give what it waited for."""

    async def main():
        loop, last = asyncio.get_running_loop(), [None]
        clock = SilenceClock(lambda: last[0], 30.0, 15.0, now=loop.time)

        def receive():
            last[0] = loop.time()

        known = {
            "expect": lambda: clock.expect(True),
            "hold": lambda: clock.expect(False),
            "excuse": lambda: clock.excuse(True),
            "want": lambda: clock.excuse(False),
            "receive": receive,
        }
        for at, what in steps:
            loop.call_later(at, known[what])
        return await clock.wait()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


@pytest.mark.parametrize(
    ("steps", "at", "phase"),
    [
        (["1 expect"], 31.0, "first"),
        (["1 expect", "2 receive"], 17.0, "silence"),
        (["1 expect", "2 receive", "10 receive"], 25.0, "silence"),
        (["1 expect", "2 receive", "10 hold", "90 expect"], 105.0, "silence"),
        (["1 expect", "2 receive", "10 excuse", "90 want"], 105.0, "silence"),
        (["1 expect", "2 receive", "10 excuse", "20 hold", "90 want", "95 expect"], 110.0,
         "silence"),
        (["1 expect", "2 receive", "10 excuse", "20 expect", "90 want"], 105.0, "silence"),
        (["0.5 want", "1 expect", "3 expect", "4 want"], 31.0, "first"),
    ],
)  # fmt: skip
def test_only_time_in_which_rtp_should_come_counts(steps, at, phase):
    pairs = [(float(time), what) for time, what in map(str.split, steps)]
    limit = 30.0 if phase == "first" else 15.0
    assert wait(*pairs) == MediaTimedOut(at, phase, limit)


def test_what_is_silenced_is_as_long():
    frame = silenced(AudioFrame(3.0, np.ones(160, np.int16), 8000, -20.0))
    assert (frame.at, len(frame.samples), frame.samples.any()) == (3.0, 160, False)
    assert frame.level_dbfs < -90
