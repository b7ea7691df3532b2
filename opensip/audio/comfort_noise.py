"""Comfort noise (RFC 3389): what a peer that suppresses silence says of it, and its sound."""

import math

import numpy as np

from opensip.audio.frame import Samples
from opensip.audio.level import FULL_SCALE, SILENCE_DBFS

LOUDEST = -40.0  # dBFS of the noise we make, whatever is claimed: more is no background
_UNIFORM_PEAK = math.sqrt(3)  # of noise whose root mean square is 1


def read_level(payload: bytes) -> float | None:
    """Read the level of a payload in dBFS (section 3.1); None where there is none.

    The shape of the spectrum, which may follow, is passed over.
    """
    return -float(payload[0] & 0x7F) if payload else None


def amplitude(level_dbfs: float) -> float:
    """Give the root mean square of the noise that we make for a level."""
    return FULL_SCALE * 10 ** (min(level_dbfs, LOUDEST) / 20)


class ComfortNoise:
    """Makes noise. `level_dbfs` is None while none is to be heard."""

    def __init__(self) -> None:
        self.level_dbfs: float | None = None
        self._dice: np.random.Generator | None = None  # dear to make, and few calls need it

    @property
    def heard_dbfs(self) -> float:
        """The level of what is made."""
        level = self.level_dbfs
        return SILENCE_DBFS if level is None else max(min(level, LOUDEST), SILENCE_DBFS)

    def make(self, count: int) -> Samples:
        """Make `count` samples at the level that was told; silence where none was."""
        if self.level_dbfs is None:
            return np.zeros(count, np.int16)
        if self._dice is None:
            self._dice = np.random.default_rng(1)
        peak = amplitude(self.level_dbfs) * _UNIFORM_PEAK
        return np.rint(self._dice.uniform(-peak, peak, count)).astype(np.int16)
