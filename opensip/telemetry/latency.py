"""Where the time of answers went, turn by turn and over many: from the records of calls. Pure."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

STAGES = ("endpointing", "recognizer", "dialogue", "synthesizer", "playout")
SHOWN = (50, 95, 99)  # percentiles: a mean hides those who waited
_SIGNS = "░▒▓█·"  # of the stages, one each
_COLOURS = ("#9aa5b1", "#5b8def", "#8e6bd1", "#2fa37c", "#e0a030")
_ROW, _LEFT, _WIDE = 22, 110, 640  # of the picture, in pixels

Paint = Callable[[str, int], str]  # paints the bar of the stage of that number


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer: the milliseconds of each stage, which add up to `total`, and why it came then."""

    call: str
    at: float
    stages: tuple[float, ...]
    total: float
    why: str = ""
    supposed: bool = False


def turns_of(record: Mapping[str, Any]) -> Iterator[Turn]:
    """Give the answers of a call's record whose time is known.

    Raises ValueError, KeyError, TypeError or AttributeError of a record that no call wrote.
    """
    for turn in record.get("turns", ()):
        if told := turn.get("latencies"):
            stages = tuple(_ms(told.get(f"{stage}_ms", 0.0)) for stage in STAGES)
            yield Turn(
                str(record.get("call_id", "")), float(turn["at"]), stages,
                _ms(told["total_ms"]), str(told.get("why", "")), bool(told.get("supposed")),
            )  # fmt: skip


def _ms(value: Any) -> float:
    if not 0 <= float(value) < math.inf:
        raise ValueError(f"{value!r} is no time in milliseconds")
    return float(value)


def percentile(values: Iterable[float], percent: float) -> float:
    """Give the least of the values that is not below `percent` of them; 0 of nothing."""
    found = sorted(values)
    return found[max(0, math.ceil(len(found) * percent / 100) - 1)] if found else 0.0


def summary(turns: Sequence[Turn]) -> list[str]:
    """Write a table: a line a stage, a column a percentile; milliseconds."""
    rows = [(stage, [turn.stages[n] for turn in turns]) for n, stage in enumerate(STAGES)]
    rows.append(("total", [turn.total for turn in turns]))
    head = f"{'ms':12}" + "".join(f"{f'p{percent}':>8}" for percent in SHOWN) + f"{'max':>8}"
    lines = [head]
    for name, values in rows:
        told = [*(percentile(values, percent) for percent in SHOWN), max(values, default=0.0)]
        lines.append(f"{name:12}" + "".join(f"{value:8.0f}" for value in told))
    return lines


def reasons(turns: Sequence[Turn]) -> list[str]:
    """Tell why turns ended when they did, the most frequent reason first."""
    counts: dict[str, int] = {}
    for turn in turns:
        why = "silence" if turn.why.startswith("silence of") else turn.why
        counts[why] = counts.get(why, 0) + 1
    order = sorted(counts.items(), key=lambda item: -item[1])
    return [f"{count:6}  {why or 'not told'}" for why, count in order]


def bars(turns: Sequence[Turn], *, width: int, paint: Paint) -> list[str]:
    """Draw each answer as a stacked bar that ends with its first sample sent."""
    scale = max((turn.total for turn in turns), default=1.0) or 1.0
    lines = ["  ".join(f"{paint(sign, n)} {STAGES[n]}" for n, sign in enumerate(_SIGNS))]
    for turn in turns:
        bar, done, drawn = "", 0.0, 0
        for number, spent in enumerate(turn.stages):
            done += spent
            end = round(done / scale * width)
            bar += paint(_SIGNS[number] * (end - drawn), number)
            drawn = end
        lines.append(f"{turn.at:7.1f} s {turn.total:6.0f} ms {bar} {_told(turn)}".rstrip())
    return lines


def latency_svg(turns: Sequence[Turn]) -> str:
    """Draw the same as a picture."""
    scale = max((turn.total for turn in turns), default=1.0) or 1.0
    parts = []
    for number, stage in enumerate(STAGES):
        x = _LEFT + number * 120
        parts.append(f'<rect x="{x}" y="6" width="12" height="12" fill="{_COLOURS[number]}"/>')
        parts.append(f'<text x="{x + 17}" y="16">{stage}</text>')
    for row, turn in enumerate(turns, start=1):
        parts += _svg_bar(turn, y=row * _ROW + 4, scale=scale)
    height, wide = (len(turns) + 1) * _ROW + 10, _LEFT + _WIDE + 260
    style = "font-family:sans-serif;font-size:12px"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{height}" style="{style}">'
    )
    return "\n".join([head, *parts, "</svg>\n"])


def _svg_bar(turn: Turn, *, y: int, scale: float) -> Iterator[str]:
    yield f'<text x="4" y="{y + 13}">{turn.at:.1f} s</text>'
    x = float(_LEFT)
    for number, spent in enumerate(turn.stages):
        wide = spent / scale * _WIDE
        if wide > 0:
            told = f"<title>{STAGES[number]} {spent:.0f} ms</title>"
            yield (
                f'<rect x="{x:.1f}" y="{y}" width="{wide:.1f}" height="16"'
                f' fill="{_COLOURS[number]}">{told}</rect>'
            )
        x += wide
    yield f'<text x="{x + 6:.1f}" y="{y + 13}">{turn.total:.0f} ms {escape(_told(turn))}</text>'


def _told(turn: Turn) -> str:
    early = "begun early" if turn.supposed else ""
    return ", ".join(filter(None, (turn.why, early)))
