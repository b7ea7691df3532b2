"""A ladder as text: a lifeline a party, an arrow a message, what it is about on its right."""

import textwrap
from collections.abc import Callable, Iterator
from typing import Literal

from opensip.telemetry.ladder import Ladder, Step, StepKind

Paint = Callable[[str, StepKind | Literal["faint"]], str]

WIDTH = 110  # columns, where no terminal says
_MARGIN = 18  # time, and half of the first party's head
_GAP = range(26, 41)  # columns between two lifelines
_DETAILS = 24  # columns that details need at least
_PAUSE = 1.0  # seconds without a step that show as a break of the lifelines
_UNSEEN = "�"


def plain(text: str, style: StepKind | Literal["faint"]) -> str:
    """Paint nothing."""
    del style
    return text


def ladder_text(
    ladder: Ladder, *, width: int = WIDTH, paint: Paint = plain, messages: bool = False
) -> str:
    """Draw a ladder in `width` columns, or more where it has many parties.

    `messages` writes each message whole below its arrow. Nothing that a peer wrote moves the
    cursor: control characters are replaced.
    """
    return "\n".join(_Drawing(ladder, width, paint).lines(messages=messages))


class _Drawing:
    def __init__(self, ladder: Ladder, width: int, paint: Paint) -> None:
        self._ladder = ladder
        self._paint = paint
        gaps = max(1, len(ladder.parties) - 1)
        gap = (width - _MARGIN - _DETAILS) // gaps
        gap = min(max(gap, _GAP.start), _GAP.stop - 1)
        self._lanes = [_MARGIN + gap * n for n in range(len(ladder.parties))]
        self._details = self._lanes[-1] + 3
        self._room = max(_DETAILS, width - self._details)

    def lines(self, *, messages: bool) -> Iterator[str]:
        yield _seen(f"call {self._ladder.call_id}   {self._ladder.started}")
        yield _seen(self._ladder.caption)
        yield ""
        for attribute in ("name", "address"):
            yield self._heads([_seen(getattr(party, attribute)) for party in self._ladder.parties])
        before = 0.0
        for step in self._ladder.steps:
            if step.at - before > _PAUSE:
                yield self._painted(self._row("┊"), 0, 0)
            before = step.at
            yield from self._step(step)
            if messages and step.text:
                yield from self._message(step.text)

    def _heads(self, texts: list[str]) -> str:
        """Centre each text over its lifeline, as far as the next one leaves room."""
        line = ""
        for lane, text in zip(self._lanes, texts, strict=True):
            short = _clipped(text, self._lanes[-1] - self._lanes[-2] - 2 if lane else 0)
            line = f"{line.ljust(lane - len(short) // 2)}{short}"
        return line

    def _step(self, step: Step) -> Iterator[str]:
        details = _seen(" · ".join(step.details))
        source, target = (
            self._lanes[self._ladder.column(end)] for end in (step.source, step.target)
        )
        if source == target:
            told = _seen(step.title) + (f": {details}" if details else "")
            rows = [(_put(self._row(), source, "●"), source, source + 1)]
            yield from self._beside(rows, step, textwrap.wrap(told, self._room) or [""])
            return
        left, right = sorted((source, target))
        rows = [
            (_put(self._row(), left + 2, line), left + 1, right)
            for line in self._spoken(step, right - left - 4)
        ]
        arrow = _arrow(step, right - left - 1, to_right=source < target)
        rows.append((_put(self._row(), left + 1, arrow), left + 1, right))
        yield from self._beside(rows, step, textwrap.wrap(details, self._room))

    def _spoken(self, step: Step, room: int) -> list[str]:
        return textwrap.wrap(_seen(step.title), room) if step.kind == "speech" else []

    def _beside(
        self, rows: list[tuple[str, int, int]], step: Step, details: list[str]
    ) -> Iterator[str]:
        """Put the time before the first row, and details beside the last ones."""
        first = max(0, len(rows) - 1 - max(0, len(details) - len(rows)))
        rows = rows + [(self._row(), 0, 0)] * (first + len(details) - len(rows))
        for number, (row, start, end) in enumerate(rows):
            time = f"{step.at:9.3f}" if number == 0 else ""
            place = number - first
            told = details[place] if 0 <= place < len(details) else ""
            style: StepKind | Literal["faint"] = step.kind if start == end - 1 else "faint"
            line = self._painted(_put(row, 0, time), start, end, step.kind)
            yield f"{line}   {self._paint(told, style)}" if told else line

    def _painted(self, row: str, start: int, end: int, kind: StepKind = "state") -> str:
        if start == end:
            return self._paint(row, "faint")
        before, arrow, after = row[:start], row[start:end], row[end:]
        return (
            f"{self._paint(before, 'faint')}{self._paint(arrow, kind)}{self._paint(after, 'faint')}"
        )

    def _row(self, line: str = "│") -> str:
        row = ""
        for lane in self._lanes:
            row = f"{row.ljust(lane)}{line}"
        return row

    def _message(self, text: str) -> Iterator[str]:
        for line in text.rstrip("\r\n").split("\r\n"):
            yield self._paint(f"{' ' * _MARGIN}  {_seen(line)}".rstrip(), "faint")


def _arrow(step: Step, length: int, *, to_right: bool) -> str:
    line = {"told": "┄", "speech": "┄", "media": "═"}.get(step.kind, "─")
    title = "" if step.kind == "speech" else f" {_clipped(_seen(step.title), length - 6)} "
    shaft = title.center(length - 2, line)
    if step.kind == "media":
        return f"◀{shaft}▶"
    return f"{line}{shaft}▶" if to_right else f"◀{shaft}{line}"


def _put(row: str, place: int, text: str) -> str:
    return f"{row[:place].ljust(place)}{text}{row[place + len(text) :]}"


def _clipped(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 1]}…"


def _seen(text: str) -> str:
    """Replace what a terminal would act on."""
    return "".join(c if c.isprintable() else _UNSEEN for c in text)
