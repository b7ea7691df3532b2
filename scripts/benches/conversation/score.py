"""What callers of the conversation bench heard: how long they waited, and what cut in on them.

Pure. `made` gives the turns of each call: where each begins, its end, and its inner pauses, in
samples from the mark.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scripts.benches.talk.run import BEGIN, Result

MISSED = 4.1  # seconds, before the next turn begins
Turn = tuple[int, int, list[tuple[int, int]]]


def waits(results: Sequence[Result], made: Sequence[Sequence[Turn]]) -> tuple[list[float], int]:
    """Give the waits in ms, and how many turns nobody answered."""
    found, missed = [], 0
    for result, spans in zip(results, made, strict=True):
        for _, end, _ in spans:
            left = result.left(end - 1)
            after = result.loud[(result.loud > left) & (result.loud < left + MISSED)]
            if len(after):
                found.append(1000 * float(after[0] - left))
            else:
                missed += 1
    return found, missed


def cut_ins(results: Sequence[Result], made: Sequence[Sequence[Turn]]) -> float:
    """Tell on how many of a hundred inner pauses the agent cut in."""
    cut, all_pauses = 0, 0
    for result, spans in zip(results, made, strict=True):
        for _, _, inner in spans:
            for begin, end in inner:
                all_pauses += 1
                since, until = result.left(begin), result.left(end) + 0.2
                cut += bool(((result.loud > since + 0.1) & (result.loud < until)).any())
    return round(100 * cut / all_pauses, 1) if all_pauses else 0.0


def added(results: Sequence[Result]) -> list[float]:
    """Give the ms from the later of commit and the voice's first sound to the packet's arrival."""
    found = []
    for result in results:
        ends = [event["voiced_until"] for event in result.of("speech_ended")]
        for event in result.of("turn_taken"):
            end = max(at for at in ends if at <= event["at"])
            found += _after(result, end + max(event["commit_ms"], event["voice_ms"]) / 1000)
    return found


def added_by_peer(results: Sequence[Result]) -> list[float]:
    """Give the same of the peer, whose voice never begins before the commit."""
    return [
        ms for result in results for event in result.of("voice_begun")
        if event["at"] > result.left(BEGIN) for ms in _after(result, event["at"])
    ]  # fmt: skip


def _after(result: Result, ready: float) -> list[float]:
    loud = result.loud[result.loud > ready - 0.001]
    return [1000 * float(loud[0] - ready)] if len(loud) else []


def discarded(results: Sequence[Result]) -> float:
    """Tell how many of a hundred answers begun early were thrown away."""
    decisions = [e["decision"] for r in results for e in r.of("turn_decided")]
    return round(100 * decisions.count("discarded") / max(1, decisions.count("speculated")), 1)


@dataclass(frozen=True)
class Point:
    """One setting of one side: the share of inner pauses cut in on, and the waits, in ms."""

    side: str
    setting: str
    cut_ins: float
    mean: float
    median: float
    p95: float
    missed: int

    def beats(self, other: "Point") -> bool:
        """Tell whether callers wait less and are not cut in on more."""
        return (self.mean < other.mean and self.median < other.median
                and self.cut_ins <= other.cut_ins and self.missed <= other.missed)  # fmt: skip


def point(
    side: str, setting: str, results: Sequence[Result], made: Sequence[Sequence[Turn]]
) -> Point:
    """Sum up a run."""
    found, missed = waits(results, made)
    mean, median, p95 = float(np.mean(found)), *np.percentile(found, (50, 95))
    return Point(side, setting, cut_ins(results, made), mean, float(median), float(p95), missed)
