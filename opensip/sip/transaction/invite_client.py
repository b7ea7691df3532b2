"""The INVITE client transaction: RFC 3261 section 17.1.1, as corrected by RFC 6026."""

from collections.abc import Callable

from opensip.sip.message import Response
from opensip.sip.timers import Timers
from opensip.sip.transaction.machine import (
    CancelDue,
    Machine,
    ResponseReceived,
    State,
    TimedOut,
    TransportFailed,
)


class InviteClientTransaction(Machine):
    """Sends one INVITE, and the ACK of its failure. Does no I/O.

    `make_ack` writes the ACK for a failure response (section 17.1.1.3).
    """

    __slots__ = (
        "_ack",
        "_cancelling",
        "_make_ack",
        "_reliable",
        "_request",
        "_timers",
    )

    def __init__(
        self,
        request: bytes,
        *,
        make_ack: Callable[[Response], bytes],
        reliable: bool,
        now: float,
        timers: Timers | None = None,
    ) -> None:
        self._timers = timers or Timers()
        super().__init__(State.CALLING, self._timers.t1)
        self._reliable = reliable
        self._request = request
        self._make_ack: Callable[[Response], bytes] | None = make_ack
        self._ack = b""
        self._cancelling = False
        self._outgoing.append(request)
        self._resend_at = None if reliable else now + self._resend_after  # timer A
        self._expire_at = now + self._timers.limit  # timer B

    def receive(self, response: Response, *, now: float) -> None:
        """Take a response."""
        match self.state, response.status // 100:
            case ((State.CALLING | State.PROCEEDING), 1):
                self._proceed(response, now)
            case ((State.CALLING | State.PROCEEDING), 2):
                self._events.append(ResponseReceived(response))
                self._enter(State.ACCEPTED, now + self._timers.limit)  # timer M
            case State.ACCEPTED, 2:
                self._events.append(ResponseReceived(response))
            case ((State.CALLING | State.PROCEEDING), _):
                self._fail(response, now)
            case State.COMPLETED, (3 | 4 | 5 | 6):
                self._outgoing.append(self._ack)
            case _:
                pass  # a late 1xx, or a fork's answer to an INVITE that is settled

    def cancel(self, *, now: float) -> None:
        """Give the INVITE up: `CancelDue` comes as soon as a CANCEL may be sent."""
        if self._cancelling or self.state not in (State.CALLING, State.PROCEEDING):
            return
        self._cancelling = True
        if self.state is State.PROCEEDING:
            self._send_cancel(now)

    def transport_failed(self) -> None:
        """Learn that the transport could not deliver what it was given."""
        if self.state in (State.CALLING, State.PROCEEDING):
            self._events.append(TransportFailed())
        self._enter(State.TERMINATED, None)

    def handle_timer(self, *, now: float) -> None:
        """Let every timer that is due fire."""
        if self._expire_at is not None and now >= self._expire_at:
            if self.state in (State.CALLING, State.PROCEEDING):
                self._events.append(TimedOut())
            self._enter(State.TERMINATED, None)
        elif self._resend_at is not None and now >= self._resend_at:
            self._outgoing.append(self._request)
            self._resend_after *= 2
            self._resend_at = now + self._resend_after

    def _proceed(self, response: Response, now: float) -> None:
        self._events.append(ResponseReceived(response))
        if self.state is State.CALLING:
            self.state = State.PROCEEDING
            self._resend_at = self._expire_at = None
            if self._cancelling:
                self._send_cancel(now)

    def _send_cancel(self, now: float) -> None:
        self._events.append(CancelDue())
        self._expire_at = now + self._timers.limit  # section 9.1, last paragraph

    def _fail(self, response: Response, now: float) -> None:
        if self._make_ack is not None:
            self._ack = self._make_ack(response)
        self._outgoing.append(self._ack)
        self._events.append(ResponseReceived(response))
        self._enter(State.COMPLETED, now + (0 if self._reliable else self._timers.limit))  # D

    def _enter(self, state: State, expire_at: float | None) -> None:
        self.state, self._expire_at, self._resend_at = state, expire_at, None
        self._request, self._make_ack = b"", None  # what lingers is to be small
