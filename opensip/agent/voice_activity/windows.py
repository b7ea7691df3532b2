"""Cuts a caller's audio into windows of one length at 8 kHz, as the detectors want it."""

from collections.abc import Sequence

import numpy as np

from opensip.audio.frame import AudioFrame, Samples
from opensip.audio.level import levels
from opensip.audio.resample import live_resampler

RATE = 8000
_GAP = 0.03  # seconds; audio that comes later than this after the last does not join it


class Windows:
    """The windows of one call, each of `size` samples; what is left of a frame waits."""

    def __init__(self, rate: int, size: int) -> None:
        self._size = size
        self._resampler = live_resampler(rate, RATE) if rate != RATE else None
        self._kept = np.empty(0, np.int16)
        self._until = 0.0  # when what is kept ended

    def of(self, frame: AudioFrame) -> Sequence[AudioFrame]:
        """Give the windows that this frame completes, in order."""
        at, samples, told = self.cut(frame)
        size = self._size
        return [
            AudioFrame(
                at + number * size / RATE, samples[number * size : (number + 1) * size], RATE, level
            )
            for number, level in enumerate(told)
        ]

    def cut(self, frame: AudioFrame) -> tuple[float, Samples, Sequence[float]]:
        """Give the same as one: when it begins, samples of whole windows, the level of each."""
        size, samples = self._size, frame.samples
        if not self._resampler and not len(self._kept):  # the usual case: nothing to cut
            if len(samples) == size:
                return frame.at, samples, (frame.level_dbfs,)
            if frame.levels and len(samples) == len(frame.levels) * size:
                return frame.at, samples, frame.levels
        samples = self._resampler.push(samples) if self._resampler else samples
        kept = self._kept if abs(frame.at - self._until) < _GAP else self._kept[:0]
        joined = np.concatenate([kept, samples]) if len(kept) else samples
        whole = len(joined) // size * size
        self._kept, self._until = joined[whole:], frame.at + frame.seconds
        told = levels(joined[:whole], size) if whole else ()
        return frame.at - len(kept) / RATE, joined[:whole], told
