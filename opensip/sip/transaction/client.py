"""The non-INVITE client transaction: RFC 3261 section 17.1.2."""

from opensip.sip.message import Response
from opensip.sip.timers import Timers
from opensip.sip.transaction.machine import (
    Machine,
    ResponseReceived,
    State,
    TimedOut,
    TransportFailed,
)


class ClientTransaction(Machine):
    """Sends one request other than INVITE and ACK until it is answered. Does no I/O."""

    __slots__ = ("_reliable", "_request", "_timers")

    def __init__(
        self, request: bytes, *, reliable: bool, now: float, timers: Timers | None = None
    ) -> None:
        self._timers = timers or Timers()
        super().__init__(State.TRYING, self._timers.t1)
        self._reliable = reliable
        self._request = request
        self._outgoing.append(request)
        self._resend_at = None if reliable else now + self._resend_after  # timer E
        self._expire_at = now + self._timers.limit  # timer F

    def receive(self, response: Response, *, now: float) -> None:
        """Take a response; one that comes after the final one is a retransmission."""
        if self.state not in (State.TRYING, State.PROCEEDING):
            return
        self._events.append(ResponseReceived(response))
        if response.status < 200:
            self.state = State.PROCEEDING
        else:
            self._enter(State.COMPLETED, now + (0 if self._reliable else self._timers.t4))  # K

    def transport_failed(self) -> None:
        """Learn that the transport could not deliver what it was given."""
        if self.state in (State.TRYING, State.PROCEEDING):
            self._events.append(TransportFailed())
        self._enter(State.TERMINATED, None)

    def handle_timer(self, *, now: float) -> None:
        """Let every timer that is due fire."""
        if self._expire_at is not None and now >= self._expire_at:
            if self.state is not State.COMPLETED:
                self._events.append(TimedOut())
            self._enter(State.TERMINATED, None)
        elif self._resend_at is not None and now >= self._resend_at:
            self._outgoing.append(self._request)
            proceeding = self.state is State.PROCEEDING
            self._resend_after = (
                self._timers.t2 if proceeding else min(2 * self._resend_after, self._timers.t2)
            )
            self._resend_at = now + self._resend_after

    def _enter(self, state: State, expire_at: float | None) -> None:
        self.state, self._expire_at, self._resend_at = state, expire_at, None
        self._request = b""  # never sent again: what lingers is to be small
