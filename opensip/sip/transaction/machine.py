"""What the four transaction machines have in common: states, events, two queues."""

import enum
from dataclasses import dataclass

from opensip.sip.message import Request, Response


class State(enum.Enum):
    """States of RFC 3261 figures 5 to 8 and RFC 6026; each machine uses some of them."""

    CALLING = enum.auto()
    TRYING = enum.auto()
    PROCEEDING = enum.auto()
    COMPLETED = enum.auto()
    CONFIRMED = enum.auto()
    ACCEPTED = enum.auto()
    TERMINATED = enum.auto()


@dataclass(frozen=True, slots=True)
class AckReceived:
    """An ACK for a 2xx: it belongs to the dialog, and may carry the answer to our offer."""

    request: Request


@dataclass(frozen=True, slots=True)
class AckTimedOut:
    """Timer H fired: the peer never acknowledged our failure response."""


@dataclass(frozen=True, slots=True)
class ResponseReceived:
    """A response that the transaction user has not seen."""

    response: Response


@dataclass(frozen=True, slots=True)
class CancelDue:
    """The INVITE can be cancelled now (section 9.1: not before a provisional response)."""


@dataclass(frozen=True, slots=True)
class TimedOut:
    """Timer B or F fired, or a cancelled INVITE stayed without an answer."""


@dataclass(frozen=True, slots=True)
class TransportFailed:
    """A message could not be sent (section 17.1.4)."""


Event = AckReceived | AckTimedOut | ResponseReceived | CancelDue | TimedOut | TransportFailed


class Machine:
    """The queues and the two timers of a machine: one that sends again, one that ends.

    Lists, not deques: thousands of machines linger, and an empty deque takes 600 octets.
    """

    __slots__ = ("_events", "_expire_at", "_outgoing", "_resend_after", "_resend_at", "state")

    def __init__(self, state: State, resend_after: float) -> None:
        self.state = state
        self._outgoing: list[bytes] = []
        self._events: list[Event] = []
        self._resend_at: float | None = None
        self._resend_after = resend_after
        self._expire_at: float | None = None

    def get_timer(self) -> float | None:
        """Tell when `handle_timer` must next be called, if ever."""
        if self._resend_at is None:
            return self._expire_at
        if self._expire_at is None:
            return self._resend_at
        return min(self._resend_at, self._expire_at)

    def messages_to_send(self) -> list[bytes]:
        """Take the messages to write to the transport, in order."""
        messages, self._outgoing = self._outgoing, []
        return messages

    def next_event(self) -> Event | None:
        """Take the next event for the transaction user."""
        return self._events.pop(0) if self._events else None
