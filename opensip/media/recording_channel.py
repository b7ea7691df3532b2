"""One channel of a recording: pieces of sound, each in its place on the time axis of the call."""

import numpy as np

from opensip.audio.frame import Samples

EXACT = 0.001  # seconds by which a piece may be off its place and still joins what went before
NEAR = 0.015  # seconds: what is later by no more may just be late, as a busy loop's packets are
LASTING = 1.0  # seconds for which all that comes is late before we take it for the truth


class Channel:
    """Samples not yet on disk. `end` and positions count samples from the start of the call.

    A piece is never early, so one before its place moves all that follows there; one that is
    only a little late joins the last, until it is clear that the lateness stays.
    """

    def __init__(self, rate: int) -> None:
        self.end = 0
        self._start = 0
        self._samples = np.zeros(0, np.int16)
        self._exact, self._near = round(EXACT * rate), round(NEAR * rate)
        self._lasting = round(LASTING * rate)
        self._late_since = 0  # position from which everything was late
        self._least: int | None = None  # samples by which it was, at least

    def place(self, position: int, samples: Samples) -> None:
        """Put samples at `position`, or right after the last ones where that is near."""
        if not len(samples):
            return
        position = self._settled(position)
        samples = samples[max(0, self._start - position) :]  # its beginning is already on disk
        offset = max(position, self._start) - self._start
        self._grow(offset + len(samples))
        self._samples[offset : offset + len(samples)] = samples
        self.end = self._start + offset + len(samples)

    def fill(self, position: int, samples: Samples) -> None:
        """Put samples in their place where that has passed but is not on disk yet."""
        first, behind = max(position, self._start), min(position + len(samples), self.end)
        if first < behind:
            part = samples[first - position : behind - position]
            self._samples[first - self._start : behind - self._start] = part

    def take_to(self, end: int) -> Samples:
        """Take everything before `end`; what never came is silence."""
        count = end - self._start
        self._grow(count)
        taken, self._samples = self._samples[:count], self._samples[count:].copy()
        self._start = end
        self.end = max(self.end, end)
        return taken

    def _settled(self, position: int) -> int:
        """Tell where a piece goes that came for `position`."""
        late = position - self.end
        if late <= self._exact or late > self._near:
            self._least = None
            return self.end if abs(late) <= self._exact else position
        if self._least is None:
            self._least, self._late_since = late, position
        self._least = min(self._least, late)
        if position - self._late_since < self._lasting:
            return self.end
        least, self._least = self._least, None
        return self.end + least

    def _grow(self, count: int) -> None:
        missing = count - len(self._samples)
        if missing > 0:
            self._samples = np.concatenate((self._samples, np.zeros(missing, np.int16)))
