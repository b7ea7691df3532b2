"""Cuts a caller's audio into windows of one length at 8 kHz, as the detectors want it."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from opensip.audio.frame import AudioFrame, Samples
from opensip.audio.level import dbfs
from opensip.audio.resample import live_resampler

RATE = 8000
_GAP = 0.03  # seconds; audio that comes later than this after the last does not join it


class Window(NamedTuple):
    """Samples at 8 kHz that began at `at`, and their level."""

    at: float
    samples: Samples
    level_dbfs: float


class Windows:
    """The windows of one call, each of `size` samples; what is left of a frame waits."""

    def __init__(self, rate: int, size: int) -> None:
        self._size = size
        self._resampler = live_resampler(rate, RATE) if rate != RATE else None
        self._kept = np.empty(0, np.int16)
        self._until = 0.0  # when what is kept ended

    def of(self, frame: AudioFrame) -> Iterator[Window]:
        """Give the windows that this frame completes, in order."""
        samples = self._resampler.push(frame.samples) if self._resampler else frame.samples
        kept = self._kept if abs(frame.at - self._until) < _GAP else self._kept[:0]
        if not len(kept) and len(samples) == self._size and not self._resampler:
            self._kept, self._until = kept, frame.at + frame.seconds
            yield Window(frame.at, samples, frame.level_dbfs)  # the usual case: nothing to cut
            return
        at = frame.at - len(kept) / RATE
        joined = np.concatenate([kept, samples])
        whole = len(joined) // self._size * self._size
        self._kept, self._until = joined[whole:], frame.at + frame.seconds
        for start in range(0, whole, self._size):
            part = joined[start : start + self._size]
            yield Window(at + start / RATE, part, dbfs(part))
