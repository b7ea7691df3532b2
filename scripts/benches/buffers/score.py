"""What a listener has of a buffer that is asked for a frame each tick."""

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass

FRAME = 0.02
START, TAIL = 0.005, 1.0  # seconds: the first tick, and after the last packet

Put = Callable[[int, float], None]  # takes packet n, which came then
Take = Callable[[float], int | None]  # tells which is played on the tick then, None for none


@dataclass(frozen=True, slots=True)
class Score:
    """`delivered_pct` of what was sent was heard, late by `delay_ms` in the median.

    Between the first and the last that were heard there were `gaps`, of `gap_ms` together and
    `longest_ms` at most, in which nothing of what was said was heard.
    """

    delivered_pct: float
    gaps: int
    gap_ms: int
    longest_ms: int
    delay_ms: float


def run(packets: Iterable[Sequence[float]], put: Put, take: Take) -> list[tuple[float, int | None]]:
    """Play a trace tick by tick; lists (second, number) of the ticks."""
    waiting = [(at, int(number)) for at, number in packets]
    end, heard, place = waiting[-1][0] + TAIL, [], 0
    for tick in range(round((end - START) / FRAME)):
        now = START + tick * FRAME
        while place < len(waiting) and waiting[place][0] <= now:
            at, number = waiting[place]
            put(number, at)
            place += 1
        heard.append((now, take(now)))
    return heard


def score(heard: list[tuple[float, int | None]], sent: int) -> dict[str, float]:
    """Judge what was heard on each tick."""
    places = [n for n, (_, number) in enumerate(heard) if number is not None]
    lengths, last = [], places[0]
    for place in places[1:]:
        if place > last + 1:
            lengths.append(place - last - 1)
        last = place
    delays = [1000 * (at - number * FRAME) for at, number in heard if number is not None]
    numbers = {number for _, number in heard if number is not None}
    frame = round(1000 * FRAME)
    return asdict(
        Score(
            delivered_pct=round(100 * len(numbers) / sent, 2),
            gaps=len(lengths),
            gap_ms=frame * sum(lengths),
            longest_ms=frame * max(lengths, default=0),
            delay_ms=round(statistics.median(delays), 1),
        )
    )
