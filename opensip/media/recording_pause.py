"""The pauses of a call: what is told in one is kept by nobody, whether it is recorded or not."""

import math

import numpy as np

from opensip.audio.frame import Samples
from opensip.events import Observer, RecordingPaused, RecordingResumed


class Pauses:
    """When an agent wanted no recording. Books go by it too, so there need be no recording."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._spans: list[tuple[float, float]] = []  # from when till when; the last may be open

    @property
    def lasting(self) -> bool:
        """Whether what is heard and said now is kept by nobody."""
        return bool(self._spans) and self._spans[-1][1] == math.inf

    def begin(self, *, now: float) -> None:
        """Have nobody keep what is heard and said from now on."""
        if not self.lasting:
            self._spans.append((now, math.inf))
            self._observer.note(RecordingPaused(now))

    def end(self, *, now: float) -> None:
        """Let what is heard and said from now on be kept again."""
        if self.lasting:
            self._spans[-1] = (self._spans[-1][0], now)
            self._observer.note(RecordingResumed(now))

    def spared(self, samples: Samples, *, at: float, rate: int) -> Samples:
        """Silence what fell into a pause; the first sample is of the time `at`."""
        for start, end in self._spans:
            first = max(0.0, (start - at) * rate)
            behind = min(float(len(samples)), (end - at) * rate)
            if first < behind:
                samples = samples.copy()
                samples[int(first) : int(np.ceil(behind))] = 0
        return samples
