import asyncio

import numpy as np

from opensip.audio.frame import AudioFrame
from opensip.media.relay import MOST, USUAL, Relay
from tests.fakes.legs import FakeSink
from tests.fakes.virtual_time_loop import VirtualTimeLoop

LOUD, QUIET = -20.0, -70.0


def frame(value=1000, seconds=0.02, rate=8000, level=LOUD):
    return AudioFrame(0.0, np.full(round(seconds * rate), value, np.int16), rate, level)


def relayed(*frames):
    """Relay frames that come all at once; give the sink and what was left out."""

    async def main():
        sink = FakeSink()
        relay = Relay(sink)
        for one in frames:
            relay.hear(one)
        return sink, relay.left_out

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


def seconds(sink):
    return sum(len(samples) for _, samples in sink.written) / sink.rate


def test_what_is_heard_is_written_at_once():
    sink, left_out = relayed(frame(1), frame(2))
    assert [samples[0] for _, samples in sink.written] == [1, 2]
    assert left_out == 0


def test_in_silence_what_waits_is_brought_down():
    sink, left_out = relayed(*[frame() for _ in range(5)], frame(level=QUIET), frame())
    assert round(seconds(sink), 3) == 0.12
    assert (left_out, USUAL) == (0.02, 0.06)


def test_speech_that_piles_up_is_cut_at_last():
    sink, left_out = relayed(*[frame() for _ in range(30)])
    assert MOST <= seconds(sink) <= MOST + 0.021
    assert left_out > 0.3


def test_wideband_becomes_what_the_sink_plays():
    sink, _ = relayed(*[frame(rate=16000) for _ in range(3)])
    assert round(seconds(sink), 3) == 0.06
    assert abs(int(sink.written[-1][1][80]) - 1000) < 20
