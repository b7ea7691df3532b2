"""What a stream hears from batch to batch: samples at one rate, and how loud they are."""

import math
from collections.abc import Callable

import numpy as np

from opensip.audio.frame import AudioFrame, Samples
from opensip.audio.level import FULL_SCALE, SILENCE_DBFS
from opensip.audio.resample import resample

VOICE_DBFS = -48.0  # below the quietest telephone speech, above the noise of most lines
_VOICE_POWER = FULL_SCALE**2 * 10 ** (VOICE_DBFS / 10)  # mean square of samples
_LEAST_POWER = FULL_SCALE**2 * 10 ** (SILENCE_DBFS / 10)
LONGEST_FILL = 0.5  # seconds of lost audio that are filled with silence


class Heard:
    """Collects decoded samples; `at` is when the first of them came."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.at = 0.0
        self._pieces: list[Samples] = []
        self._power = 0.0  # summed over the samples

    def __bool__(self) -> bool:
        """Tell whether there is anything."""
        return bool(self._pieces)

    def add(self, samples: Samples, power: float) -> bool:
        """Add samples, whose squares sum up to `power`; tells whether they may be a voice."""
        if not len(samples):
            return False
        self._pieces.append(samples)
        self._power += power
        return power > _VOICE_POWER * len(samples)

    def measure(self, samples: Samples) -> bool:
        """Add samples whose power nobody knows yet."""
        wide = samples.astype(np.float32)
        return self.add(samples, float(np.dot(wide, wide)))

    def change_rate(self, rate: int) -> None:
        """Go on with another rate, to which what is there is brought."""
        if rate == self.rate:
            return
        self._power *= rate / self.rate
        self._pieces = [resample(piece, self.rate, rate) for piece in self._pieces]
        self.rate = rate

    def add_frame(
        self, decode: Callable[[bytes], Samples], payload: bytes, *, missing: int, clock_rate: int
    ) -> tuple[int, bool]:
        """Decode one packet of a codec with state; silence stands for `missing` units before it.

        Returns how many units of the timestamp it lasts, and whether it may be a voice. Raises
        RemoteProtocolError.
        """
        if missing <= LONGEST_FILL * clock_rate:
            self.add(np.zeros(missing * self.rate // clock_rate, np.int16), 0.0)
        samples = decode(payload)
        voice = self.measure(samples)
        return len(samples) * clock_rate // self.rate, voice

    def take(self) -> AudioFrame | None:
        """Take all of it."""
        if not self._pieces:
            return None
        # a copy in any case, so that the array of all streams can go
        one = len(self._pieces) == 1
        samples = self._pieces[0].copy() if one else np.concatenate(self._pieces)
        power = max(self._power / len(samples), _LEAST_POWER)
        self._pieces.clear()
        self._power = 0.0
        return AudioFrame(self.at, samples, self.rate, 10 * math.log10(power / FULL_SCALE**2))
