import asyncio

import numpy as np
import pytest

from opensip.audio.tones import goertzel, tone
from opensip.media.rates import RateSink, ToRate


def test_sound_of_changing_rate_comes_out_at_one():
    to = ToRate(16000)
    narrow, wide = tone(1000, 0.5, 8000), tone(1000, 0.5, 16000)
    heard = [to.push(narrow[at : at + 160], 8000) for at in range(0, 4000, 160)]
    assert {len(piece) for piece in heard} == {320}
    assert goertzel(np.concatenate(heard)[400:], 1000, 16000) == pytest.approx(-16, abs=0.5)
    assert np.array_equal(to.push(wide, 16000), wide)


class Sink:
    """A sink whose rate follows a codec, as the streams of an engine do; plays on `play`."""

    def __init__(self):
        self.rate, self.written, self.calls = 8000, [], []
        self._total = self._left = 0.0  # seconds

    def write(self, samples):
        at = self._total
        self.written.append(samples)
        self._total += len(samples) / self.rate
        self._left += len(samples) / self.rate
        return round(at * self.rate)

    def play(self, seconds):
        self._left -= seconds

    def flush(self):
        left = self.queued()
        self._total, self._left = self._total - self._left, 0.0
        return left

    def queued(self):
        return round(self._left * self.rate)

    def played(self):
        return round((self._total - self._left) * self.rate)

    def pause(self):
        self.calls.append("pause")

    def resume(self):
        self.calls.append("resume")

    async def drained(self):
        self.calls.append("drained")


def test_positions_are_in_our_samples_whatever_the_codec():
    below = Sink()
    sink = RateSink(below, 16000)
    assert sink.write(tone(440, 1.0, 16000)) == 0
    assert len(below.written[0]) == 8000
    assert sink.write(np.zeros(1600, np.int16)) == 16000
    below.play(0.5)
    assert (sink.played(), sink.queued()) == (8000, 9600)
    below.rate = 16000
    assert (sink.played(), sink.queued()) == (8000, 9600)
    assert sink.write(np.ones(320, np.int16)) == 17600
    assert below.written[-1].tolist() == [1] * 320
    assert sink.flush() == 9920
    assert (sink.played(), sink.queued()) == (8000, 0)


def test_all_else_is_handed_on():
    below = Sink()
    sink = RateSink(below, 16000)
    sink.pause()
    sink.resume()
    asyncio.run(sink.drained())
    assert below.calls == ["pause", "resume", "drained"]
