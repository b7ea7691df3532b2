"""What was turned away: counted by kind, logged once a minute for each source and kind."""

from collections import Counter
from dataclasses import dataclass

import structlog

log = structlog.get_logger(__name__)

QUIET = 60.0  # seconds between two log lines about one thing of one source
MAX_LINES = 30  # of one kind within a minute: sources can be forged, each for one message
MAX_QUIET = 10_000  # remembered at once: a flood from forged sources must not fill the memory


class Refusals:
    """Counts every refusal; the log hears of each once a minute, with how many it missed.

    Kinds of one source are told apart, and the reasons for which TLS fails: they are few, and
    who mends one certificate must learn at once what is wrong with the next. Of many sources
    the log hears of the first; of the others, how many refusals were not told.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._quiet_until: dict[tuple[str, str], float] = {}
        self._unsaid: Counter[tuple[str, str]] = Counter()
        self._lines: dict[str, _Lines] = {}

    def note(self, kind: str, source: str, why: str, *, now: float) -> None:
        """Take note of a refusal of `kind`, as `why` explains it, to an address."""
        self.counts[kind] += 1
        what = (source, why if kind == "tls" else kind)
        if now < self._quiet_until.get(what, now):
            self._unsaid[what] += 1
            return
        lines = self._lines.get(kind)
        if lines is None or now >= lines.until:
            if lines is not None and lines.untold:
                log.warning("refusals_untold", kind=kind, count=lines.untold)
            lines = self._lines[kind] = _Lines(now + QUIET, MAX_LINES)
        if lines.left <= 0:
            lines.untold += 1
            return
        lines.left -= 1
        self._tell(what, kind, why, now)

    def _tell(self, what: tuple[str, str], kind: str, why: str, now: float) -> None:
        if len(self._quiet_until) >= MAX_QUIET:
            self._quiet_until.clear()
            self._unsaid.clear()
        self._quiet_until[what] = now + QUIET
        unsaid = self._unsaid.pop(what, 0)
        log.warning("message_refused", kind=kind, source=what[0], why=why, unsaid=unsaid)


@dataclass(slots=True)
class _Lines:
    """What the log may still hear of one kind, until a time, and what it did not."""

    until: float
    left: int
    untold: int = 0
