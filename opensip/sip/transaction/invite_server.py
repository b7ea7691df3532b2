"""The INVITE server transaction: RFC 3261 section 17.2.1, as corrected by RFC 6026."""

from opensip.errors import LocalProtocolError
from opensip.sip.message import Request
from opensip.sip.timers import Timers
from opensip.sip.transaction.machine import (
    AckReceived,
    AckTimedOut,
    Machine,
    State,
    TransportFailed,
)


class InviteServerTransaction(Machine):
    """Answers one INVITE and absorbs its retransmissions. Does no I/O.

    After each call, send what `messages_to_send` returns, act on what `next_event`
    returns, and call `handle_timer` no later than `get_timer` says.
    """

    __slots__ = ("_last_response", "_reliable", "_timers")

    def __init__(self, *, reliable: bool, timers: Timers | None = None) -> None:
        self._timers = timers or Timers()
        super().__init__(State.PROCEEDING, self._timers.t1)
        self._reliable = reliable
        self._last_response: bytes | None = None

    def receive(self, request: Request, *, now: float) -> None:
        """Take a retransmitted INVITE, or the ACK."""
        match self.state, request.method:
            case ((State.PROCEEDING | State.COMPLETED), "INVITE"):
                self._send_last_response()
            case State.ACCEPTED, "ACK":
                self._events.append(AckReceived(request))
            case State.COMPLETED, "ACK":
                self._enter(State.CONFIRMED, now + (0 if self._reliable else self._timers.t4))
            case _:
                pass  # absorbed: what is left is a retransmission

    def respond(self, status: int, response: bytes, *, now: float) -> None:
        """Send a response from the transaction user."""
        if self.state is State.ACCEPTED and 200 <= status < 300:
            self._outgoing.append(response)  # the user retransmits its own 2xx
            return
        if self.state is not State.PROCEEDING:
            raise LocalProtocolError(f"cannot send {status} in {self.state.name}")
        self._last_response = response
        self._send_last_response()
        if 200 <= status < 300:
            self._enter(State.ACCEPTED, now + self._timers.limit)  # timer L
        elif status >= 300:
            self._enter(State.COMPLETED, now + self._timers.limit)  # timer H
            self._resend_at = None if self._reliable else now + self._resend_after  # timer G

    def transport_failed(self) -> None:
        """Learn that the transport could not deliver what it was given."""
        if self.state in (State.PROCEEDING, State.COMPLETED):
            self._events.append(TransportFailed())
        self._enter(State.TERMINATED, None)

    def handle_timer(self, *, now: float) -> None:
        """Let every timer that is due fire."""
        if self._expire_at is not None and now >= self._expire_at:
            if self.state is State.COMPLETED:
                self._events.append(AckTimedOut())
            self._enter(State.TERMINATED, None)
        elif self._resend_at is not None and now >= self._resend_at:
            self._send_last_response()
            self._resend_after = min(2 * self._resend_after, self._timers.t2)
            self._resend_at = now + self._resend_after

    def _enter(self, state: State, expire_at: float | None) -> None:
        self.state, self._expire_at, self._resend_at = state, expire_at, None
        if state is not State.COMPLETED:
            self._last_response = None  # never sent again: what lingers is to be small

    def _send_last_response(self) -> None:
        if self._last_response is not None:
            self._outgoing.append(self._last_response)
