"""How long a session lasts without a refresh, and who refreshes it: RFC 4028."""

from dataclasses import dataclass

from opensip.errors import RemoteProtocolError
from opensip.sip.message import Request, Response
from opensip.sip.timing_fields import MinSE, RetryAfter, SessionExpires

INTERVAL = 1800  # seconds: what section 4 recommends, and carriers propose
MINIMUM = 90  # seconds: the smallest that section 5 allows
_BYE_AHEAD = 32.0  # seconds before the end at which a session is given up (section 10)
_SHORTEST_RETRY = 1.0  # seconds between a refresh that failed and the next
_RETRIES = 4  # a refresh that failed is tried again after this part of the time that is left


@dataclass(frozen=True, slots=True)
class RefreshDue:
    """Half of the interval is over: send a re-INVITE or UPDATE with `request_headers`."""


@dataclass(frozen=True, slots=True)
class SessionExpired:
    """No refresh came in time: send BYE."""


Event = RefreshDue | SessionExpired


def supports_timer(message: Request | Response) -> bool:
    """Tell whether whoever wrote the message knows session timers."""
    headers = message.headers
    tags = (*headers.values("Supported"), *headers.values("Require"))
    return any(tag.lower() == "timer" for tag in tags)


class SessionTimer:
    """The session timer of one dialog, in either role. Does no I/O.

    Requests that make, change or refresh the session carry `request_headers`; their final
    responses go to `receive_2xx`, `receive_422` or `receive_failure`. Requests of the peer are
    refused with 422 and `min_se` if they are `is_too_short`; the 2xx to them carries what
    `answer` returns. `interval` and `minimum` are in seconds; `interval` is what we propose,
    and the longest that we agree to unless the peer's Min-SE is longer.
    """

    __slots__ = (
        "_events",
        "_expire_at",
        "_interval",
        "_minimum",
        "_refresh_at",
        "_wanted",
        "is_refresher",
    )

    def __init__(self, *, interval: int = INTERVAL, minimum: int = MINIMUM) -> None:
        self._wanted = max(interval, minimum)
        self._minimum = minimum
        self._interval: int | None = None  # as agreed; None: the session does not expire
        self.is_refresher = False
        self._refresh_at: float | None = None
        self._expire_at: float | None = None
        self._events: list[Event] = []

    @property
    def is_running(self) -> bool:
        """True while the session expires without a refresh."""
        return self._interval is not None

    @property
    def min_se(self) -> tuple[str, str]:
        """The header that tells the shortest interval that we bear."""
        return "Min-SE", str(MinSE(self._minimum))

    # ---- as the one that asks

    def request_headers(self) -> tuple[tuple[str, str], ...]:
        """Write the headers of a request of ours (section 7.1), beside Supported: timer.

        The first request leaves open who refreshes; later ones keep it as it is (section 7.4).
        """
        refresher = None
        if self.is_running:
            refresher = "uac" if self.is_refresher else "uas"
        interval = max(self._interval or self._wanted, self._minimum)
        return ("Session-Expires", str(SessionExpires.of(interval, refresher))), self.min_se

    def receive_2xx(self, response: Response, *, now: float) -> None:
        """Take the 2xx to a request of ours (section 7.2): without Session-Expires, no end."""
        expires = _session_expires(response)
        if expires is None:
            self.stop()
        else:
            self._run(expires.seconds, refresher=expires.refresher != "uas", now=now)

    def receive_422(self, response: Response) -> bool:
        """Take over the peer's Min-SE (section 7.3); tell whether to ask again with it."""
        try:
            least = MinSE.parse(response.headers.get("Min-SE") or "").seconds
        except RemoteProtocolError:
            return False
        if least <= max(self._interval or self._wanted, self._minimum):
            return False  # asked for as much already: the peer would refuse for ever
        self._minimum = least
        self._wanted = max(self._wanted, least)
        return True

    def receive_failure(self, response: Response | None, *, now: float) -> None:
        """Learn that a refresh was refused, but the session goes on: try again before its end."""
        if self._expire_at is None or not self.is_refresher:
            return
        pause = max((self._expire_at - now) / _RETRIES, _SHORTEST_RETRY, _retry_after(response))
        self._refresh_at = now + pause

    # ---- as the one that is asked

    def is_too_short(self, request: Request) -> bool:
        """Tell whether to answer 422: not to those that do not know it (section 9)."""
        expires = _session_expires(request)
        return expires is not None and expires.seconds < self._minimum and supports_timer(request)

    def answer(self, request: Request, *, now: float) -> tuple[tuple[str, str], ...]:
        """Agree to the timer of a request, and write the headers of our 2xx (section 9).

        The peer's choice of who refreshes stands, else we do. Where the peer says nothing of
        timers there is none, unless one runs already.
        """
        known, asked = supports_timer(request), _session_expires(request)
        if asked is None and not known and not self.is_running:
            return ()
        interval = self._interval_for(request, asked)
        refresher = (asked.refresher if asked is not None and known else None) or "uas"
        self._run(interval, refresher=refresher == "uas", now=now)
        field = ("Session-Expires", str(SessionExpires.of(interval, refresher)))
        return (field, ("Require", "timer")) if known else (field,)

    def _interval_for(self, request: Request, asked: SessionExpires | None) -> int:
        """Choose as section 9 allows: no longer than asked for, no shorter than Min-SE."""
        if asked is None:
            return max(self._interval or self._wanted, _min_se(request))
        return min(asked.seconds, max(self._wanted, _min_se(request)))

    # ---- time

    def stop(self) -> None:
        """Let the session last without an end, or know that it is over."""
        self._interval = self._refresh_at = self._expire_at = None
        self.is_refresher = False

    def get_timer(self) -> float | None:
        """Tell when `handle_timer` must next be called, if ever."""
        if self._refresh_at is None or self._expire_at is None:
            return self._expire_at
        return min(self._refresh_at, self._expire_at)

    def handle_timer(self, *, now: float) -> None:
        """Let every timer that is due fire."""
        if self._expire_at is not None and now >= self._expire_at:
            self.stop()
            self._events.append(SessionExpired())
        elif self._refresh_at is not None and now >= self._refresh_at:
            self._refresh_at = None
            self._events.append(RefreshDue())

    def next_event(self) -> Event | None:
        """Take the next event."""
        return self._events.pop(0) if self._events else None

    def _run(self, interval: int, *, refresher: bool, now: float) -> None:
        self._interval, self.is_refresher = interval, refresher
        self._expire_at = now + interval - min(_BYE_AHEAD, interval / 3)
        self._refresh_at = now + interval / 2 if refresher else None


def _session_expires(message: Request | Response) -> SessionExpires | None:
    value = message.headers.get("Session-Expires")
    if value is None:
        return None
    try:
        expires = SessionExpires.parse(value)
    except RemoteProtocolError:
        return None  # as if it were not there: a call is worth more than its timer
    return expires if expires.seconds > 0 else None


def _min_se(message: Request | Response) -> int:
    try:
        return MinSE.parse(message.headers.get("Min-SE") or "").seconds
    except RemoteProtocolError:
        return MINIMUM


def _retry_after(response: Response | None) -> float:
    value = response.headers.get("Retry-After") if response is not None else None
    try:
        return RetryAfter.parse(value).seconds if value is not None else 0.0
    except RemoteProtocolError:
        return 0.0
