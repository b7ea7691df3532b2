"""How loud sound is."""

import math
from collections.abc import Iterable

import numpy as np

from opensip.audio.frame import AudioFrame, Samples

SILENCE_DBFS = -100.0  # of digital silence, instead of minus infinity
FULL_SCALE = 32768.0
_FULL_POWER = FULL_SCALE**2
_LEAST_POWER = _FULL_POWER * 10 ** (SILENCE_DBFS / 10)
PIECE = 0.02  # seconds on which is decided whether a voice is there


def dbfs(samples: Samples) -> float:
    """Tell the mean power in dB of a full-scale square wave: at most 0, a full sine has -3.

    Nothing, and what is softer than one step of 16 bits, has SILENCE_DBFS.
    """
    if not len(samples):
        return SILENCE_DBFS
    wide = samples.astype(np.float32)
    return _dbfs_of(float(np.dot(wide, wide)) / len(samples))


def levels(samples: Samples, size: int) -> list[float]:
    """Tell the level of each `size` samples, the last of which may be fewer."""
    if 0 < len(samples) <= size:
        return [dbfs(samples)]
    whole = len(samples) // size * size
    wide = samples[:whole].astype(np.float32).reshape(-1, size)
    told = [_dbfs_of(power / size) for power in np.vecdot(wide, wide).tolist()]
    return told if whole == len(samples) else [*told, dbfs(samples[whole:])]


def _dbfs_of(power: float) -> float:
    return 10 * math.log10(power / _FULL_POWER) if power > _LEAST_POWER else SILENCE_DBFS


def pieces(frame: AudioFrame) -> Iterable[AudioFrame]:
    """Cut a batch into stretches short enough to decide on voice."""
    size = max(1, int(PIECE * frame.rate))
    return (frame,) if len(frame.samples) <= size else _cut(frame, size)


def _cut(frame: AudioFrame, size: int) -> Iterable[AudioFrame]:
    for number, level in enumerate(frame.levels or levels(frame.samples, size)):
        start = number * size
        samples = frame.samples[start : start + size]
        yield AudioFrame(frame.at + start / frame.rate, samples, frame.rate, level)
