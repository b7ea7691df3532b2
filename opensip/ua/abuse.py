"""What one source may ask of us before we stop listening: rates, answers, bans. Pure."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

MAX_SOURCES = 10_000  # remembered in each table: a flood of forged sources may not fill memory
FLOOD = 10.0  # times the allowed rate: who sends that much is banned
VOUCHED = 3600.0  # seconds for which a good password speaks for its source
WINDOW = 60.0  # seconds within which answers to a stranger are counted

SCANNERS = (
    "friendly-scanner",
    "sipvicious",
    "sipcli",
    "sip-scan",
    "sundayddr",
    "vaxsipuseragent",
    "pplsip",
    "sipsak",
    "iwar",
    "siparmyknife",
    "smap",
    "nmap",
)


@dataclass(frozen=True, slots=True)
class AbuseLimits:
    """Messages a second and at once, answers a minute, seconds of a ban, words of scanners.

    `crowd` is how many messages a second are read of all strangers together: forged sources
    keep each below its own rate.
    """

    rate: float = 20.0
    burst: int = 100
    crowd: float = 500.0
    answers: int = 10
    ban: float = 300.0
    scanners: tuple[str, ...] = SCANNERS


class AbuseGuard:
    """Judges sources that `is_known` does not know. `now` is in seconds of one clock."""

    def __init__(self, limits: AbuseLimits, is_known: Callable[[str], bool]) -> None:
        self._limits = limits
        self._words = tuple(word.lower().encode() for word in limits.scanners)
        self._is_known = is_known
        # Ordered, for of a plain dict the oldest is not found at once: a flood would feel it.
        self._vouched: OrderedDict[str, float] = OrderedDict()
        self._banned: OrderedDict[str, float] = OrderedDict()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # messages left, when
        self._answers: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._crowd = (max(limits.crowd, 1.0), 0.0)  # messages left to all strangers, and when

    def trusts(self, source: str, *, now: float) -> bool:
        """Tell whether no limit holds for a source."""
        return now < self._vouched.get(source, 0.0) or self._is_known(source)

    def vouch(self, source: str, *, now: float) -> None:
        """Trust a source for a while: it has proved who it is."""
        _put(self._vouched, source, now + VOUCHED)
        self._banned.pop(source, None)
        self._answers.pop(source, None)

    def ban(self, source: str, *, now: float) -> None:
        """Hear no more of a source for a while."""
        _put(self._banned, source, now + self._limits.ban)

    def banned(self, *, now: float) -> dict[str, float]:
        """List who is banned, and for how many seconds still."""
        return {source: until - now for source, until in self._banned.items() if until > now}

    def is_banned(self, source: str, *, now: float) -> bool:
        """Tell whether a source is banned."""
        until = self._banned.get(source)
        if until is None:
            return False
        if now < until and not self._is_known(source):
            return True
        del self._banned[source]
        return False

    def why_not(self, data: bytes, source: str, *, now: float) -> tuple[str, str] | None:
        """Judge a message before it is read: None, or kind of refusal and why.

        The kind is "banned", "rate", "crowd" or "scanner"; nothing of it is to be answered.
        """
        if self.trusts(source, now=now):
            return None
        if self.is_banned(source, now=now):
            return "banned", "is banned"
        if (refusal := self._too_much(source, now)) is not None:
            return refusal
        if self._words and (word := self._scanner(data)):
            self.ban(source, now=now)
            return "scanner", f"calls itself {word}: banned for {self._limits.ban:g} seconds"
        return None

    def may_answer(self, source: str, *, now: float) -> bool:
        """Count an answer to a source; False says that a stranger has had enough of them."""
        if self.trusts(source, now=now):
            return True
        count, since = self._answers.get(source, (0, now))
        if now - since > WINDOW:
            count, since = 0, now
        _put(self._answers, source, (count + 1, since))
        return count < self._limits.answers

    def _too_much(self, source: str, now: float) -> tuple[str, str] | None:
        """Judge how much a source sends, and then all of them together."""
        limits = self._limits
        left = self._take(source, now)
        if left < -limits.rate * FLOOD:
            self.ban(source, now=now)
            return "rate", f"a flood: banned for {limits.ban:g} seconds"
        if left < 0:
            return "rate", f"more than {limits.rate:g} messages a second"
        if not self._joins_crowd(now):
            return "crowd", f"more than {limits.crowd:g} messages a second of all strangers"
        return None

    def _take(self, source: str, now: float) -> float:
        """Take one message out of a source's bucket; what is left may be below zero."""
        limits = self._limits
        left, at = self._buckets.get(source, (float(limits.burst), now))
        left = min(left + (now - at) * limits.rate, float(limits.burst)) - 1
        _put(self._buckets, source, (left, now))
        return left

    def _joins_crowd(self, now: float) -> bool:
        """Take one message out of what all strangers share, if there is one."""
        most, (left, at) = self._limits.crowd, self._crowd
        left = min(left + (now - at) * most, max(most, 1.0))
        joins = left >= 1
        self._crowd = (left - joins, now)
        return joins

    def _scanner(self, data: bytes) -> str:
        """Find a scanner's word in User-Agent, without reading the message."""
        head = data[:4096].lower()
        at = head.find(b"\nuser-agent:")
        if at < 0:
            return ""
        line = head[at + 12 : head.find(b"\r", at + 12)]
        return next((word.decode() for word in self._words if word in line), "")


def _put(table: OrderedDict[str, T], source: str, value: T) -> None:
    if len(table) >= MAX_SOURCES and source not in table:
        table.popitem(last=False)
    table[source] = value
