import asyncio
import contextlib

import numpy as np

from opensip.call.hold import play_hold_tone
from tests.fakes.legs import FakeSink
from tests.fakes.virtual_time_loop import VirtualTimeLoop


def test_the_tone_has_no_gap_and_no_silence_of_three_seconds():
    async def main():
        sink = FakeSink()
        task = asyncio.create_task(play_hold_tone(sink))
        await asyncio.sleep(30)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return sink

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        sink = runner.run(main())
    played_to = 0.0
    for at, samples in sink.written:
        assert at <= played_to
        played_to += len(samples) / sink.rate
    sounding = np.flatnonzero(np.concatenate([samples for _, samples in sink.written]))
    assert np.diff(sounding).max() < 2.0 * sink.rate
