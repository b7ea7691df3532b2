"""The non-INVITE server transaction: RFC 3261 section 17.2.2."""

from opensip.errors import LocalProtocolError
from opensip.sip.message import Request
from opensip.sip.timers import Timers
from opensip.sip.transaction.machine import Machine, State, TransportFailed


class ServerTransaction(Machine):
    """Answers one request other than INVITE and ACK, and its retransmissions. Does no I/O."""

    __slots__ = ("_last_response", "_reliable", "_timers")

    def __init__(self, *, reliable: bool, timers: Timers | None = None) -> None:
        self._timers = timers or Timers()
        super().__init__(State.TRYING, self._timers.t1)
        self._reliable = reliable
        self._last_response: bytes | None = None

    def receive(self, request: Request, *, now: float) -> None:
        """Take a retransmission: the last response, if any, goes out again."""
        if self._last_response is not None:
            self._outgoing.append(self._last_response)

    def respond(self, status: int, response: bytes, *, now: float) -> None:
        """Send a response from the transaction user."""
        if self.state not in (State.TRYING, State.PROCEEDING):
            raise LocalProtocolError(f"cannot send {status} in {self.state.name}")
        self._last_response = response
        self._outgoing.append(response)
        if status < 200:
            self.state = State.PROCEEDING
        else:
            self.state = State.COMPLETED
            self._expire_at = now + (0 if self._reliable else self._timers.limit)  # timer J

    def transport_failed(self) -> None:
        """Learn that the transport could not deliver what it was given."""
        if self.state in (State.TRYING, State.PROCEEDING):
            self._events.append(TransportFailed())
        self._terminate()

    def handle_timer(self, *, now: float) -> None:
        """Let timer J fire if it is due."""
        if self._expire_at is not None and now >= self._expire_at:
            self._terminate()

    def _terminate(self) -> None:
        self.state, self._expire_at, self._last_response = State.TERMINATED, None, None
