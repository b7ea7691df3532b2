"""What a usage of a dialog wants done: commands to whoever owns the transaction layer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from opensip.sip.headers import Headers
from opensip.sip.message import Request, Response
from opensip.sip.transaction import TransactionKey
from opensip.sip.uri import NameAddr, Uri


@dataclass(frozen=True, slots=True)
class Respond:
    """Give `response` to the transaction `key`."""

    key: TransactionKey
    response: Response


@dataclass(frozen=True, slots=True)
class Ask:
    """Send `request` by a new transaction; its responses and its failure come back to us."""

    request: Request


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Send the ACK of a 2xx, outside any transaction."""

    request: Request


@dataclass(frozen=True, slots=True)
class Cancel:
    """Cancel the INVITE that we sent last."""


Command = Respond | Ask | Acknowledge | Cancel

# Gives the credentials that answer a 401 or 407 to a request of ours, as header fields; None
# where it is not to be answered (again). How often is its own to count.
Authorize = Callable[[Request, Response], Sequence[tuple[str, str]] | None]

EventT = TypeVar("EventT")


class Usage(Generic[EventT]):
    """The two queues of every usage: commands for the layer's owner, events for the user."""

    __slots__ = ("_command", "_events", "_outgoing")

    def __init__(self) -> None:
        self._outgoing: list[Command] = []
        # Given to our parts too. It is the list's own: a method of ours would lead from them back
        # to us, and what is held in a circle is freed by the garbage collector alone, and late.
        self._command: Callable[[Command], None] = self._outgoing.append
        self._events: list[EventT] = []

    def messages_to_send(self) -> list[Command]:
        """Take the commands to carry out, in order."""
        commands = self._outgoing.copy()
        self._outgoing.clear()
        return commands

    def next_event(self) -> EventT | None:
        """Take the next event."""
        return self._events.pop(0) if self._events else None


_CREDENTIALS = ("Authorization", "Proxy-Authorization")


def next_hop(request: Request) -> Uri:
    """Tell where a request is to be sent: the first Route, else the Request-URI.

    The first Route of a strict router is not its own address: that stands in the Request-URI
    (RFC 3261 section 12.2.1.1).
    """
    routes = request.headers.values("Route")
    if not routes:
        return request.uri
    first = NameAddr.parse(routes[0]).uri
    return first if first.params.has("lr") else request.uri


def credentials_of(request: Request) -> tuple[tuple[str, str], ...]:
    """Give the credentials of a request: the ACK of its 2xx carries them (section 22.1)."""
    headers = request.headers
    return tuple((name, value) for name in _CREDENTIALS for value in headers.get_all(name))


def with_credentials(
    request: Request, cseq: int, credentials: Sequence[tuple[str, str]]
) -> Request:
    """Make the request that follows a challenge (section 22.2), or is sent anew for its sake.

    Via is left out, for the layer sets a new one.
    """
    kept = [(name, value) for name, value in request.headers if name.lower() != "via"]
    headers = Headers(kept).replace("CSeq", f"{cseq} {request.method}")
    for name, _ in credentials:
        headers = headers.remove(name)
    return request.with_headers(headers.extend(credentials))


def authorized(
    request: Request, response: Response, authorize: Authorize | None
) -> Sequence[tuple[str, str]] | None:
    """Give the credentials that answer a challenge, if there is one and it is to be answered."""
    if authorize is None or response.status not in (401, 407):
        return None
    return authorize(request, response)


def pause_after_491(random: Callable[[], float], *, owner: bool) -> float:
    """Choose the seconds to wait after a collision of offers: section 14.1.

    `owner` tells that the Call-ID is ours: then we wait longer. Steps of 10 ms.
    """
    return round(2.1 + 1.9 * random() if owner else 2.0 * random(), 2)
