"""The picture of a ladder, in strips of SVG one below the other: heads, then a strip a step.

`ladder_svg` stacks them into one picture; `ladder_html` puts each message's text between them.
Lengths are in pixels. Colours stand in classes, so that a dark page can have others.
"""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from opensip.telemetry.ladder import US, Ladder, Step

TIME = 96  # width of the column of times
EDGE = 28  # space right of the last head
GAPS = {1: 0, 2: 460, 3: 340}  # between two lifelines, by the number of them
GAP = 290  # where there are more
HEADS = 62  # height of the strip of heads
PAUSE = 1.0  # seconds without a step that show as a break of the lifelines

_HEAD = 210  # width of a head
_TITLE, _SMALL = 7.4, 6.3  # width of a character, on average
_LINE, _SMALL_LINE = 18, 15  # height of a line


@dataclass(frozen=True, slots=True)
class Strip:
    """A piece of the picture over its whole width; `step` is None for heads and pauses."""

    height: int
    markup: str
    step: Step | None = None


class Picture:
    """The strips of a ladder."""

    def __init__(self, ladder: Ladder) -> None:
        self._ladder = ladder
        count = len(ladder.parties)
        self._gap = GAPS.get(count, GAP)
        self._lanes = [TIME + _HEAD // 2 + self._gap * n for n in range(count)]
        self.width = self._lanes[-1] + _HEAD // 2 + EDGE

    def heads(self) -> Strip:
        """Draw a box for each party, where its lifeline begins."""
        boxes = "".join(
            f'<rect class="head{" us" * (party.key == US)}" x="{lane - _HEAD // 2}" y="4" '
            f'width="{_HEAD}" height="46" rx="9"/>'
            + text(lane, 23, "name", _clipped(party.name, int(_HEAD / 8.2)))
            + text(lane, 40, "small middle", _clipped(party.address, int(_HEAD / _SMALL)))
            for lane, party in zip(self._lanes, self._ladder.parties, strict=True)
        )
        return Strip(HEADS, boxes + self._lifelines(50, HEADS))

    def strips(self) -> Iterator[Strip]:
        """Draw each step, and a break of the lifelines where nothing happened for long."""
        before = min([0.0, *(step.at for step in self._ladder.steps[:1])])
        for step in self._ladder.steps:
            if step.at - before > PAUSE:
                label = text(TIME - 12, 16, "time", f"+{step.at - before:.1f} s")
                yield Strip(24, self._lifelines(0, 24, "life pause") + label)
            before = step.at
            yield self._draw(step)

    def _draw(self, step: Step) -> Strip:
        source, target = (
            self._lanes[self._ladder.column(end)] for end in (step.source, step.target)
        )
        if source == target:
            height, markup = self._note(step, source)
        elif step.kind == "speech":
            height, markup = self._speech(step, source, target)
        elif step.kind == "media":
            height, markup = self._media(step, source, target)
        else:
            height, markup = self._arrow(step, source, target)
        return Strip(height, self._lifelines(0, height) + markup, step)

    def _arrow(self, step: Step, source: int, target: int) -> tuple[int, str]:
        middle, y = (source + target) // 2, 25
        tip = -9 if target > source else 9
        details, height = self._details(step, middle, y + 15, abs(target - source) - 36)
        markup = (
            text(middle, y - 7, f"title halo {step.kind}", step.title)
            + f'<path class="arrow {step.kind}" d="M{source} {y}H{target + tip // 2}"/>'
            + f'<path class="tip {step.kind}" d="M{target} {y}l{tip} -5v10z"/>'
        )
        return max(y + 11, height), self._time(step, y + 4) + markup + details

    def _media(self, step: Step, source: int, target: int) -> tuple[int, str]:
        left, right = sorted((source, target))
        lines = _wrapped(" · ".join((step.title, *step.details)), (right - left - 40) / _TITLE)
        tall = 12 + _LINE * len(lines)
        markup = f'<rect class="band" x="{left}" y="5" width="{right - left}" height="{tall}"/>'
        markup += "".join(
            text((left + right) // 2, 24 + _LINE * n, "title media", line)
            for n, line in enumerate(lines)
        )
        return tall + 10, self._time(step, 23) + markup

    def _speech(self, step: Step, source: int, target: int) -> tuple[int, str]:
        """Draw a bubble on the side of who speaks."""
        room, to_right = abs(target - source) - 76, target > source
        lines = _wrapped(step.title, room / _TITLE)
        wide = min(room, round(max(map(len, lines)) * _TITLE) + 24)
        tall = 12 + _LINE * len(lines)
        x = source + 16 if to_right else source - 16 - wide
        tail = f"M{source + 4} 16l13 -5v12z" if to_right else f"M{source - 4} 16l-13 -5v12z"
        who = "us" if step.source == US else "peer"
        markup = f'<path class="bubble {who}" d="{tail}"/>'
        markup += (
            f'<rect class="bubble {who}" x="{x}" y="4" width="{wide}" height="{tall}" rx="11"/>'
        )
        markup += "".join(
            text(x + 12, 22 + _LINE * n, "said", line) for n, line in enumerate(lines)
        )
        details = " · ".join(step.details)
        if details:
            anchor, place = ("small", x + 6) if to_right else ("small end", x + wide - 6)
            markup += text(place, tall + 18, anchor, details)
        return tall + (28 if details else 12), self._time(step, 21) + markup

    def _note(self, step: Step, lane: int) -> tuple[int, str]:
        """Draw a pill on a lifeline, and what there is to say of it below."""
        wide = round(len(step.title) * _SMALL * 1.08) + 26
        details, height = self._details(step, lane, 39, max(self._gap - 30, _HEAD))
        markup = (
            f'<rect class="pill {step.kind}" x="{lane - wide // 2}" y="4" width="{wide}" '
            f'height="22" rx="11"/>' + text(lane, 19, f"pilled {step.kind}", step.title)
        )
        return max(31, height), self._time(step, 19) + markup + details

    def _details(self, step: Step, middle: int, y: int, room: int) -> tuple[str, int]:
        lines = _wrapped(" · ".join(step.details), room / _SMALL)
        markup = "".join(
            text(middle, y + _SMALL_LINE * n, "small middle halo", line)
            for n, line in enumerate(lines)
        )
        return markup, y + _SMALL_LINE * len(lines) - 4 if lines else 0

    def _time(self, step: Step, y: int) -> str:
        return text(TIME - 12, y, "time", f"{step.at:.3f}")

    def _lifelines(self, top: int, bottom: int, style: str = "life") -> str:
        return "".join(
            f'<path class="{style}" d="M{lane} {top}V{bottom}"/>' for lane in self._lanes
        )


def text(x: int, y: int, style: str, content: str) -> str:
    """Write a line; what XML cannot hold is replaced."""
    return f'<text class="{style}" x="{x}" y="{y}">{shown(content)}</text>'


def shown(content: str) -> str:
    """Escape for XML and HTML; control characters and lone surrogates are replaced."""
    return escape("".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in content))


def _wrapped(content: str, characters: float) -> list[str]:
    return textwrap.wrap(content, max(10, int(characters)))


def _clipped(content: str, characters: int) -> str:
    return content if len(content) <= characters else f"{content[: characters - 1]}…"


_FORM = """
text { font-family: system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; font-size: 13px; }
.name { font-size: 14.5px; font-weight: 650; text-anchor: middle; }
.caption { font-size: 16px; font-weight: 650; }
.title { font-weight: 600; text-anchor: middle; }
.small { font-size: 11px; } .middle { text-anchor: middle; } .end { text-anchor: end; }
.time { font-size: 11px; text-anchor: end; font-variant-numeric: tabular-nums; }
.pilled { font-size: 11.5px; font-weight: 550; text-anchor: middle; }
.halo { paint-order: stroke; stroke-width: 4px; stroke-linejoin: round; }
.arrow { fill: none; stroke-width: 1.7; } .arrow.told { stroke-dasharray: 5 4; }
.life { fill: none; stroke-width: 1.4; } .life.pause { stroke-dasharray: 2 5; }
.head, .pill { stroke-width: 1.2; } .head.us { stroke-width: 2; }
"""
_LIGHT = {
    "page": "#ffffff", "ink": "#1b2430", "faint": "#667085", "life": "#c8cfda", "box": "#f3f5f8",
    "request": "#2257d5", "provisional": "#8d6708", "success": "#14784a", "failure": "#c02a38",
    "told": "#7447c4", "media": "#0b7583", "band": "#e2f3f5", "us": "#e5f4eb", "peer": "#e6eefd",
    "fault": "#fde6e8",
}  # fmt: skip
_DARK = {
    "page": "#11151b", "ink": "#e7ebf1", "faint": "#97a2b4", "life": "#3b4553", "box": "#1d242e",
    "request": "#84a9ff", "provisional": "#dfb956", "success": "#5fcb96", "failure": "#ff808b",
    "told": "#bb9ff7", "media": "#56c8d6", "band": "#12303a", "us": "#15382a", "peer": "#1b2f55",
    "fault": "#4a1e26",
}  # fmt: skip


def _colours(palette: dict[str, str]) -> str:
    p = palette
    arrows = "".join(
        f".arrow.{kind} {{ stroke: {p[kind]}; }}\n"
        f".tip.{kind}, .title.{kind} {{ fill: {p[kind]}; }}\n"
        for kind in ("request", "provisional", "success", "failure", "told", "media")
    )
    return f"""
.page {{ fill: {p["page"]}; }} .halo {{ stroke: {p["page"]}; }}
text {{ fill: {p["ink"]}; }} .small, .time {{ fill: {p["faint"]}; }}
.life {{ stroke: {p["life"]}; }}
.head, .pill {{ fill: {p["box"]}; stroke: {p["life"]}; }} .head.us {{ stroke: {p["request"]}; }}
.band {{ fill: {p["band"]}; }}
.bubble.us {{ fill: {p["us"]}; }} .bubble.peer {{ fill: {p["peer"]}; }}
.pill.fault {{ fill: {p["fault"]}; stroke: {p["failure"]}; }}
.pilled.fault {{ fill: {p["failure"]}; }} .pilled.media {{ fill: {p["media"]}; }}
{arrows}"""


STYLE = f"{_FORM}{_colours(_LIGHT)}@media (prefers-color-scheme: dark) {{{_colours(_DARK)}}}\n"
