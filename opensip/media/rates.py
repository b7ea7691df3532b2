"""One rate for whoever listens and speaks, whatever the codec of the moment has."""

from opensip.audio.frame import AudioSink, Samples
from opensip.audio.resample import Resampler


class ToRate:
    """Brings a live stream of sound to `rate` Hz; the rate that it comes with may change."""

    def __init__(self, rate: int) -> None:
        self._resampler = Resampler(rate, rate)

    def push(self, samples: Samples, rate: int) -> Samples:
        """Convert the next samples, of `rate` Hz."""
        if rate != self._resampler.src:
            self._resampler = Resampler(rate, self._resampler.dst)
        return self._resampler.push(samples)


class RateSink:
    """A sink of `rate` Hz before one whose rate follows its codec. Positions are in our samples."""

    def __init__(self, sink: AudioSink, rate: int) -> None:
        self.rate = rate
        self._sink = sink
        self._rates: dict[int, ToRate] = {}

    def write(self, samples: Samples) -> int:
        """Queue samples; returns the position at which they start."""
        to = self._sink.rate
        if to not in self._rates:  # another codec: what the filter of the last remembers is past
            self._rates = {to: ToRate(to)}
        return self._ours(self._sink.write(self._rates[to].push(samples, self.rate)))

    def flush(self) -> int:
        """Forget what is queued; returns how many samples were never played."""
        self._rates.clear()
        return self._ours(self._sink.flush())

    def pause(self) -> None:
        """Stop playing at once, and keep what is queued."""
        self._sink.pause()

    def resume(self) -> None:
        """Play on from where `pause` stopped."""
        self._sink.resume()

    def played(self) -> int:
        """How many of the written samples have been sent so far."""
        return self._ours(self._sink.played())

    def queued(self) -> int:
        """How many of the written samples have not been sent yet."""
        return self._ours(self._sink.queued())

    async def drained(self) -> None:
        """Wait until all that was written is sent or flushed."""
        await self._sink.drained()

    def _ours(self, count: int) -> int:
        return count * self.rate // self._sink.rate
