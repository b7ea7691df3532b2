"""Provisional responses that are sent until they are acknowledged: RFC 3262 section 3."""

from collections import deque
from collections.abc import Callable

from opensip.errors import RemoteProtocolError
from opensip.sip.message import Request, Response
from opensip.sip.response_fields import MAX_FIRST_RSEQ, RAck, RSeq
from opensip.sip.timers import Timers
from opensip.sip.transaction import TransactionKey
from opensip.sip.usage import Command, Respond


def supports_100rel(message: Request) -> bool:
    """Tell whether the sender acknowledges reliable provisional responses."""
    tags = (*message.headers.values("Supported"), *message.headers.values("Require"))
    return any(tag.lower() == "100rel" for tag in tags)


def requires_100rel(message: Request | Response) -> bool:
    """Tell whether a request demands them, or a response is one."""
    return any(tag.lower() == "100rel" for tag in message.headers.values("Require"))


class ReliableResponses:
    """The reliable provisional responses to one INVITE, one after the other. Does no I/O.

    Each waits for the PRACK of the one before (section 3 demands it of the first two). `first`
    is the RSeq of the first, from 1 to 2^31-1. `is_expired` tells that no PRACK came for
    64*T1: refuse the INVITE.
    """

    __slots__ = (
        "_command",
        "_expire_at",
        "_key",
        "_resend_after",
        "_resend_at",
        "_rseq",
        "_sent",
        "_stopped",
        "_timers",
        "_waiting",
        "is_expired",
        "offer",
    )

    def __init__(
        self,
        key: TransactionKey,
        command: Callable[[Command], None],
        *,
        first: int,
        timers: Timers,
    ) -> None:
        self.is_expired = False
        self.offer = b""  # or answer: the first body that was sent
        self._key = key
        self._command = command
        self._timers = timers
        self._rseq = first - 1
        self._sent: Response | None = None  # not acknowledged yet
        self._waiting: deque[Response] = deque()
        self._stopped = False
        self._resend_after = self._resend_at = self._expire_at = 0.0

    @property
    def is_open(self) -> bool:
        """True while a response, with a body, waits for its PRACK, or to be sent."""
        return any(r.body for r in (self._sent, *self._waiting) if r is not None)

    @property
    def was_described(self) -> bool:
        """True once a body has been acknowledged, so that the session may be changed."""
        return bool(self.offer) and not self.is_open

    def send(self, response: Response, *, now: float) -> None:
        """Send a response, or keep it until those before it are acknowledged."""
        headers = response.headers.add("Require", "100rel")
        self.offer = self.offer or response.body
        self._waiting.append(response.with_headers(headers))
        if self._sent is None:
            self._send_next(now)

    def receive_prack(self, request: Request, *, now: float) -> bool:
        """Take a PRACK; tell whether it acknowledges what waits. Raises for any other (481)."""
        try:
            rack = RAck.parse(request.headers.get("RAck") or "")
        except RemoteProtocolError as error:
            raise RemoteProtocolError(f"PRACK: {error}") from None
        sent = self._sent
        if sent is None or rack.rseq != self._rseq or rack.cseq != sent.cseq:
            raise RemoteProtocolError(
                f"PRACK of {rack}, which does not wait",
                sip_status=481,
                reason="Call/Transaction Does Not Exist",
            )
        self._sent = None
        if self._waiting and not self._stopped:
            self._send_next(now)
        return bool(sent.body)

    def stop(self) -> None:
        """Send none any more, for a final response was sent; a PRACK is still taken."""
        self._stopped = True
        self._waiting.clear()

    def get_timer(self) -> float | None:
        """Tell when `handle_timer` must next be called, if ever."""
        if self._sent is None or self._stopped:
            return None
        return min(self._resend_at, self._expire_at)

    def handle_timer(self, *, now: float) -> None:
        """Send again what is due, at doubling intervals, or give up."""
        if self._sent is None or self._stopped:
            return
        if now >= self._expire_at:
            self.is_expired = True
            self.stop()
        elif now >= self._resend_at:
            self._resend_after *= 2
            self._resend_at = now + self._resend_after
            self._command(Respond(self._key, self._sent))

    def _send_next(self, now: float) -> None:
        response = self._waiting.popleft()
        self._rseq += 1
        self._sent = response.with_headers(response.headers.add("RSeq", str(RSeq(self._rseq))))
        self._resend_after = self._timers.t1
        self._resend_at = now + self._timers.t1
        self._expire_at = now + self._timers.limit
        self._command(Respond(self._key, self._sent))


def first_rseq(random: Callable[[], float]) -> int:
    """Choose the RSeq to begin with."""
    return 1 + int(random() * (MAX_FIRST_RSEQ - 1))
