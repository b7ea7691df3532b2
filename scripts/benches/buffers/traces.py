"""The lines that the buffers are tried on: when each packet comes, each with the same dice."""

import random
from dataclasses import dataclass

FRAME = 0.02  # seconds
PACKETS = 3000  # a minute
JITTER = 0.01  # seconds by which any packet is late, evenly
LATE = 0.03  # seconds more, of those that are overtaken
OVERTAKEN = 0.05  # share of them
PAUSE_EVERY, PAUSE = 10.0, 0.4  # seconds; what was sent in it comes at once after it
LOSSES = (0, 1, 3, 5, 10)  # percent
KINDS = ("plain", "reorder", "pauses")


@dataclass(frozen=True, slots=True)
class Trace:
    """`packets` are (second, number) in the order of their coming; n is sent at n * FRAME."""

    loss: int
    kind: str
    packets: list[tuple[float, int]]


def traces() -> list[Trace]:
    """Make all of them."""
    return [Trace(loss, kind, arrivals(loss / 100, kind)) for kind in KINDS for loss in LOSSES]


def arrivals(loss: float, kind: str) -> list[tuple[float, int]]:
    """Roll when the packets of one line come."""
    dice = random.Random(f"{loss} {kind}")
    packets = []
    for number in range(PACKETS):
        sent = number * FRAME
        at = sent + dice.uniform(0, JITTER)
        if dice.random() < OVERTAKEN and kind == "reorder":
            at += LATE
        into = sent % PAUSE_EVERY
        if kind == "pauses" and into >= PAUSE_EVERY - PAUSE:
            at += PAUSE_EVERY - into
        if dice.random() >= loss:
            packets.append((at, number))
    return sorted(packets)
