"""Ports of calls that are over: bound and deaf for a while, so that late packets reach nobody."""

import socket
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress

import structlog

log = structlog.get_logger(__name__)

COOL_DOWN = 30.0  # seconds: late packets of a closed call must not reach the next one
LEAST_REST = 5.0  # seconds: by then a BYE is through that was lost three times
# Pairs that stay bound, the newest: as many as end in 30 s where eight calls end in each. One takes
# two descriptors from the calls that go on. What is older rests unbound.
MOST_HELD = 250
_MOST_WAITING = 1000  # datagrams that a socket may hold, in the kernel's usual room
_LOOK = 1.0  # seconds, at least, from one look at what has rested to the next

Sockets = tuple[socket.socket, ...]
Later = Callable[[float, Callable[[], None]], object]  # as the loop's `call_later`


class RestingPorts:
    """Who has them may use none until it has rested.

    With `later` they stay bound, so that nobody answers what comes there either: an ICMP message
    is taken for a fault by some carriers. `clock` tells seconds.
    """

    def __init__(self, clock: Callable[[], float], later: Later | None = None) -> None:
        self._clock = clock
        self._later = later
        self._since: OrderedDict[int, float] = OrderedDict()  # by port, the first to rest first
        self._held: OrderedDict[int, Sockets] = OrderedDict()  # of them those that are bound
        self._waits = False  # for the next look

    def add(self, port: int, sockets: Sockets) -> None:
        """Let the port of a call rest; `sockets` keep it bound, and are ours from now on."""
        now = self._clock()
        self._sweep(now)
        self._since[port] = now
        if self._later is None:
            _close(sockets)
            return
        _deafen(sockets)
        self._held[port] = sockets
        if len(self._held) > MOST_HELD:
            _close(self._held.popitem(last=False)[1])
        self._wait(COOL_DOWN)

    def has(self, port: int) -> bool:
        """Tell whether a port has not rested for long enough."""
        since = self._since.get(port)
        return since is not None and self._clock() - since < COOL_DOWN

    def wake_oldest(self) -> int | None:
        """Give the port that has rested longest, free to be bound; None where all are too fresh."""
        port = next(iter(self._since), None)
        if port is None or (rested := self._clock() - self._since[port]) < LEAST_REST:
            return None
        self._forget(port)
        log.warning("media_port_taken_early", port=port, rested=round(rested, 1))
        return port

    def unbind(self) -> int:
        """Give all sockets back to the system; tells how many ports they bound."""
        held, self._held = self._held, OrderedDict()
        for sockets in held.values():
            _close(sockets)
        return len(held)

    def _forget(self, port: int) -> None:
        del self._since[port]
        _close(self._held.pop(port, ()))

    def _sweep(self, now: float) -> None:
        while self._since and now - next(iter(self._since.values())) >= COOL_DOWN:
            self._forget(next(iter(self._since)))

    def _wait(self, seconds: float) -> None:
        if self._later is not None and not self._waits:
            self._waits = True
            self._later(max(seconds, _LOOK), self._look)

    def _look(self) -> None:
        self._waits = False
        now = self._clock()
        self._sweep(now)
        if self._held:
            self._wait(next(iter(self._since.values())) + COOL_DOWN - now)


def _deafen(sockets: Sockets) -> None:
    """Read what waits, and leave so little room that the kernel drops the rest without a word."""
    for one in sockets:
        with suppress(OSError):  # there is no more
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 0)
            for _ in range(_MOST_WAITING):
                one.recv(1)


def _close(sockets: Sockets) -> None:
    for one in sockets:
        one.close()
