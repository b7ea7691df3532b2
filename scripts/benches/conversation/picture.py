"""The picture of the conversation bench: cut-ins against the wait, a point a setting. Pure.

Cut-ins stand by their square root: a few of them matter more than many more.
"""

import math
from collections.abc import Iterator, Sequence
from html import escape

from scripts.benches.conversation.score import Point

_WIDE, _HIGH = 760, 460  # of the plot, in pixels
_LEFT, _TOP = 70, 50
_MARKS = (0, 1, 5, 10, 25, 50, 100)  # %
_COLOURS = ("#2fa37c", "#c0504d", "#8e6bd1")


def draw(points: Sequence[Point]) -> str:
    """Draw a line a side, through its points by their mean wait."""
    right = _step(max(point.mean for point in points))
    parts = [*_axes(right)]
    for number, side in enumerate(dict.fromkeys(point.side for point in points)):
        own = sorted((p for p in points if p.side == side), key=lambda point: point.mean)
        parts += _line(own, number, right)
    size = f'width="{_WIDE + _LEFT + 60}" height="{_HIGH + _TOP + 60}"'
    style = "font-family:sans-serif;font-size:12px;background:white"
    return "\n".join(
        [f'<svg xmlns="http://www.w3.org/2000/svg" {size} style="{style}">', *parts, "</svg>\n"]
    )


def _line(points: Sequence[Point], number: int, right: float) -> Iterator[str]:
    colour, y = _COLOURS[number], 22
    x = _LEFT + number * 250
    yield f'<circle cx="{x}" cy="{y - 4}" r="5" fill="{colour}"/>'
    yield f'<text x="{x + 10}" y="{y}">{escape(points[0].side)}</text>'
    places = [(_LEFT + point.mean / right * _WIDE, _height(point.cut_ins)) for point in points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
    for (x, y), point in zip(places, points, strict=True):
        told = f"{point.setting}: {point.mean:.0f} ms, {point.cut_ins:g} %"
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}">'
        yield f"<title>{escape(told)}</title></circle>"
        yield f'<text x="{x + 7:.1f}" y="{y - 6:.1f}" fill="{colour}">'
        yield f"{escape(point.setting)}</text>"


def _axes(right: float) -> Iterator[str]:
    for n in range(6):
        x = _LEFT + n * _WIDE / 5
        yield f'<path d="M{x} {_TOP}V{_TOP + _HIGH}" stroke="#ddd"/>'
        yield (
            f'<text x="{x}" y="{_TOP + _HIGH + 18}" text-anchor="middle">{right * n / 5:g}</text>'
        )
    for percent in _MARKS:
        y = _height(percent)
        yield f'<path d="M{_LEFT} {y:.1f}H{_LEFT + _WIDE}" stroke="#ddd"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{percent}</text>'
    yield (
        f'<text x="{_LEFT + _WIDE / 2}" y="{_TOP + _HIGH + 42}" text-anchor="middle">'
        "mean wait from the last word to the answer, in ms</text>"
    )
    yield (
        f'<text transform="translate(20 {_TOP + _HIGH / 2}) rotate(-90)" text-anchor="middle">'
        "inner pauses cut in on, in %</text>"
    )


def _height(percent: float) -> float:
    return _TOP + _HIGH * (1 - math.sqrt(percent / 100))


def _step(most: float) -> float:
    """Round up to a number that five parts suit."""
    return next((step for step in (500, 1000, 1500, 2000, 2500) if most <= step), 5000)
