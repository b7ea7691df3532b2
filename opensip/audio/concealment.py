"""What is heard in the place of lost sound: the last period again, fading, then comfort noise.

After ITU-T G.711 appendix I, without its delay: the loss is heard of only when it is there.
"""

import math

import numpy as np
from numpy.typing import NDArray

from opensip.audio.frame import Samples
from opensip.audio.level import FULL_SCALE

SHORTEST_PERIOD, LONGEST_PERIOD = 32, 160  # samples at 8 kHz: voices of 250 to 50 Hz
HISTORY = 2 * LONGEST_PERIOD
BLEND = 32  # samples in which the true sound takes over again
HOLD = 80  # samples before the repeated sound begins to fade
FADE = 400  # samples until it has gone; repeated for longer it is a buzz
SHARE = 0.8  # of the sound that is repeated: ears, and PESQ, mind less sound less than more
JUMP = 0.88  # of the step from the last sample to the repeated sound is left each sample: no click
FALL = 4  # sound that fell in the last 20 ms falls on, by this power of how it did, each 20 ms
QUIETEST_NOISE, LOUDEST_NOISE = 4.0, 100.0  # root mean square; the louder is -50 dB of full scale
LOUDEST_TOLD = FULL_SCALE / 100  # by the peer itself: -40 dB, see comfort_noise.py
RISE = 1.02  # by which the background may become louder, a frame
_UNIFORM_PEAK = math.sqrt(3)  # of noise whose root mean square is 1

Wide = NDArray[np.float64]


class Concealment:
    """Stands in for what one source lost, at 8 kHz. Give it every frame, come or not, in order."""

    def __init__(self) -> None:
        self._history = np.zeros(HISTORY, np.int16)
        self._period: Wide = np.zeros(1)
        self._jump = 0.0  # from what is repeated to the last sample that came
        self._fall = 1.0  # of what is repeated, each sample
        self._lost = 0  # samples since the last that came
        self._noise = QUIETEST_NOISE
        self._loudest = LOUDEST_NOISE
        self._dice = np.random.default_rng(1)  # the same noise each time, so that tests can tell

    def hear(self, samples: Samples) -> Samples:
        """Take a frame that came; after a loss its beginning is blended with its stand-in."""
        self._measure_noise(samples)
        if self._lost:
            count = min(BLEND, len(samples))
            share = np.arange(1, count + 1) / (BLEND + 1)
            stand_in, samples = self._next(count), samples.copy()
            samples[:count] = _rounded(stand_in + (samples[:count] - stand_in) * share)
            self._lost = 0
        self._remember(samples)
        return samples

    def make(self, count: int) -> Samples:
        """Make `count` samples that did not come."""
        if not self._lost:
            self._period = _period(self._history)
            before = self._history[-len(self._period) - 1]  # what the period came after
            self._jump = float(self._history[-1]) - SHARE * float(before)
            self._fall = _fall(self._history)
        samples = _rounded(self._next(count))
        self._remember(samples)
        return samples

    def set_noise(self, level: float) -> None:
        """Take the root mean square of the background from the peer, which knows it."""
        self._noise = min(max(level, QUIETEST_NOISE), LOUDEST_TOLD)
        self._loudest = max(self._noise, LOUDEST_NOISE)  # what waits to be played may be older

    def _next(self, count: int) -> Wide:
        places = np.arange(self._lost, self._lost + count)
        self._lost += count
        gain = np.clip(1 - (places - HOLD) / FADE, 0, 1) * self._fall**places
        noise = self._dice.uniform(-1, 1, count) * self._noise * _UNIFORM_PEAK
        noise[places < HOLD] = 0
        repeated = SHARE * self._period[places % len(self._period)] + self._jump * JUMP**places
        mixed: Wide = gain * repeated + (1 - gain) * noise
        return mixed

    def _measure_noise(self, samples: Samples) -> None:
        """Follow the background: it is the quietest of late; a voice raises it but slowly."""
        wide = samples.astype(np.float64)
        level = math.sqrt(float(np.dot(wide, wide)) / max(len(samples), 1))
        self._noise = min(max(min(level, self._noise * RISE), QUIETEST_NOISE), self._loudest)

    def _remember(self, samples: Samples) -> None:
        self._history = np.concatenate((self._history, samples))[-HISTORY:]


def _period(history: Samples) -> Wide:
    """Cut one period out of the last sound, whose end flows into its beginning."""
    wide = history.astype(np.float64)
    size = _period_size(wide)
    period, seam = wide[-size:].copy(), size // 4
    share = np.arange(1, seam + 1) / (seam + 1)
    period[size - seam :] += (wide[-size - seam : -size] - period[size - seam :]) * share
    return period


def _fall(history: Samples) -> float:
    """Tell by what a sample is to be less than the one before: 1 unless the sound was falling.

    Where a word ends, sound that stays as loud is worse than silence.
    """
    wide = history.astype(np.float64)
    earlier, last = (float(np.dot(half, half)) + 1 for half in np.split(wide, 2))
    return min(1.0, math.pow(last / earlier, FALL / HISTORY))


def _period_size(wide: Wide) -> int:
    """Find the lag at which the last sound is most like itself."""
    last = wide[-LONGEST_PERIOD:]
    earlier = np.lib.stride_tricks.sliding_window_view(wide, LONGEST_PERIOD)
    lags = np.arange(SHORTEST_PERIOD, LONGEST_PERIOD + 1)
    windows = earlier[len(earlier) - 1 - lags]
    products = windows @ last
    likeness = np.where(products > 0, products**2 / ((windows**2).sum(axis=1) + 1), 0)
    return int(lags[np.argmax(likeness)]) if likeness.any() else LONGEST_PERIOD


def _rounded(wide: Wide) -> Samples:
    return np.rint(np.clip(wide, -32768, 32767)).astype(np.int16)
