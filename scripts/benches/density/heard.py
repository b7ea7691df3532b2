"""What a caller of the density bench makes of what it heard: answers, and how late they came. Pure.

A packet is (when it came, where it stands on the time of the media, whether there is sound in it),
all in seconds of one clock. How far apart the two times begin is not known: the most punctual
packet is taken for one that was not late.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST = 0.9  # of an answer's sound: with less of it the turn was not answered
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Answers:
    """Of some turns: how many were answered, and after how many seconds."""

    turns: int
    waits: list[float]


def late(came: Floats, media: Floats) -> Floats:
    """Tell in seconds how much later than the most punctual one each packet came."""
    offsets = came - media
    return offsets - offsets.min() if len(offsets) else offsets


def spurts(came: Floats, gap: float = 0.3) -> list[slice]:
    """Part packets where none came for `gap` seconds."""
    cuts = (np.flatnonzero(np.diff(came) > gap) + 1).tolist()
    begins, ends = [0, *cuts], [*cuts, len(came)]
    return [slice(a, b) for a, b in zip(begins, ends, strict=True) if b > a]


def answers(
    ends: Sequence[float], loud: Floats, seconds: Floats, *, within: float, answer: float
) -> Answers:
    """Look for an answer of `answer` seconds after each of `ends`, `within` so many seconds.

    `loud` tells when packets with sound came, `seconds` how much of it each held.
    """
    waits = []
    for end in ends:
        inside = (loud > end) & (loud < end + within)
        if seconds[inside].sum() >= LEAST * answer:
            waits.append(float(loud[inside][0] - end))
    return Answers(len(ends), waits)
