"""How loud sound is."""

import math

import numpy as np

from opensip.audio.frame import Samples

SILENCE_DBFS = -100.0  # of digital silence, instead of minus infinity
FULL_SCALE = 32768.0


def dbfs(samples: Samples) -> float:
    """Tell the mean power in dB of a full-scale square wave: at most 0, a full sine has -3.

    Nothing, and what is softer than one step of 16 bits, has SILENCE_DBFS.
    """
    if not len(samples):
        return SILENCE_DBFS
    wide = samples.astype(np.float32)
    power = float(np.dot(wide, wide)) / len(samples)
    return max(10 * math.log10(power / FULL_SCALE**2), SILENCE_DBFS) if power else SILENCE_DBFS
