"""What was turned away: counted by kind, logged once a minute for each source."""

from collections import Counter

import structlog

log = structlog.get_logger(__name__)

QUIET = 60.0  # seconds between two log lines about one source
MAX_SOURCES = 10_000  # remembered at once: a flood from forged sources must not fill the memory


class Refusals:
    """Counts every refusal; the log hears of a source once a minute, with what it missed."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._quiet_until: dict[str, float] = {}
        self._unsaid: Counter[str] = Counter()

    def note(self, kind: str, source: str, why: str, *, now: float) -> None:
        """Take note of a refusal of `kind`, as `why` explains it, to an address."""
        self.counts[kind] += 1
        if now < self._quiet_until.get(source, now):
            self._unsaid[source] += 1
            return
        if len(self._quiet_until) >= MAX_SOURCES:
            self._quiet_until.clear()
            self._unsaid.clear()
        self._quiet_until[source] = now + QUIET
        unsaid = self._unsaid.pop(source, 0)
        log.warning("message_refused", kind=kind, source=source, why=why, unsaid=unsaid)
