"""Header fields that tell of time: RFC 3261 section 20, RFC 4028. Each has `parse` and `str`."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from opensip.sip.grammar import NO_PARAMS, Params, parse_number, refuse

_RETRY = re.compile(r"([0-9]{1,20})\s*(?:\(((?:[^\\()]|\\.)*)\))?\s*(;.*)?", re.S)
_DATE = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) "
    r"([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT"
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class SessionExpires:
    """How long a session lasts without a refresh, in seconds: RFC 4028 section 4.

    `refresher` is "uac", "uas" or None; both are roles in the transaction that carries it.
    """

    seconds: int
    params: Params = NO_PARAMS

    @classmethod
    def parse(cls, text: str) -> "SessionExpires":
        """Read it."""
        seconds, params = _delta_with_params(text, "Session-Expires")
        return cls(seconds, params)

    @classmethod
    def of(cls, seconds: int, refresher: str | None = None) -> "SessionExpires":
        """Make one."""
        return cls(seconds, NO_PARAMS.with_("refresher", refresher) if refresher else NO_PARAMS)

    @property
    def refresher(self) -> str | None:
        """Who is to refresh, if that was told in words that are known."""
        value = (self.params.get("refresher") or "").lower()
        return value if value in ("uac", "uas") else None

    def __str__(self) -> str:
        return f"{self.seconds}{self.params}"


@dataclass(frozen=True, slots=True)
class MinSE:
    """The shortest session interval that is borne, in seconds: RFC 4028 section 5."""

    seconds: int
    params: Params = NO_PARAMS

    @classmethod
    def parse(cls, text: str) -> "MinSE":
        """Read it."""
        seconds, params = _delta_with_params(text, "Min-SE")
        return cls(seconds, params)

    def __str__(self) -> str:
        return f"{self.seconds}{self.params}"


@dataclass(frozen=True, slots=True)
class RetryAfter:
    """In how many seconds to try again: RFC 3261 section 20.33."""

    seconds: int
    comment: str | None = None
    params: Params = NO_PARAMS

    @classmethod
    def parse(cls, text: str) -> "RetryAfter":
        """Read it."""
        match = _RETRY.fullmatch(text.strip())
        if match is None:
            raise refuse("Retry-After", text)
        return cls(parse_number(match[1], "Retry-After"), match[2], Params.parse(match[3] or ""))

    @property
    def duration(self) -> int | None:
        """How many seconds the peer will be there from then on, if told."""
        value = self.params.get("duration")
        return parse_number(value, "duration") if value else None

    def __str__(self) -> str:
        comment = "" if self.comment is None else f" ({self.comment})"
        return f"{self.seconds}{comment}{self.params}"


@dataclass(frozen=True, slots=True)
class Date:
    """A time of day: RFC 3261 section 20.17. `when` is UTC, to the second."""

    when: datetime

    @classmethod
    def parse(cls, text: str) -> "Date":
        """Read it; the one form is that of RFC 1123, in GMT."""
        match = _DATE.fullmatch(text.strip())
        if match is None or match[3] not in _MONTHS:
            raise refuse("Date", text)
        year, month, day = int(match[4]), _MONTHS.index(match[3]) + 1, int(match[2])
        try:
            hour, minute, second = int(match[5]), int(match[6]), int(match[7])
            when = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        except ValueError:
            raise refuse("Date", text) from None
        return cls(when)

    def __str__(self) -> str:
        when = self.when.astimezone(UTC)
        day = f"{_DAYS[when.weekday()]}, {when.day:02} {_MONTHS[when.month - 1]} {when.year:04}"
        return f"{day} {when:%H:%M:%S} GMT"


def _delta_with_params(text: str, what: str) -> tuple[int, Params]:
    number, semicolon, rest = text.strip().partition(";")
    return parse_number(number.strip(), what), Params.parse(semicolon + rest)
