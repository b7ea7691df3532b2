"""What was turned away: counted by kind, logged once a minute for each source and kind."""

from collections import Counter

import structlog

log = structlog.get_logger(__name__)

QUIET = 60.0  # seconds between two log lines about one thing of one source
MAX_QUIET = 10_000  # remembered at once: a flood from forged sources must not fill the memory


class Refusals:
    """Counts every refusal; the log hears of each once a minute, with how many it missed.

    Kinds of one source are told apart, and the reasons for which TLS fails: they are few, and
    who mends one certificate must learn at once what is wrong with the next.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._quiet_until: dict[tuple[str, str], float] = {}
        self._unsaid: Counter[tuple[str, str]] = Counter()

    def note(self, kind: str, source: str, why: str, *, now: float) -> None:
        """Take note of a refusal of `kind`, as `why` explains it, to an address."""
        self.counts[kind] += 1
        what = (source, why if kind == "tls" else kind)
        if now < self._quiet_until.get(what, now):
            self._unsaid[what] += 1
            return
        if len(self._quiet_until) >= MAX_QUIET:
            self._quiet_until.clear()
            self._unsaid.clear()
        self._quiet_until[what] = now + QUIET
        unsaid = self._unsaid.pop(what, 0)
        log.warning("message_refused", kind=kind, source=source, why=why, unsaid=unsaid)
