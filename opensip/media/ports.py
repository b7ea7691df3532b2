"""The pool of media ports: even for RTP, the next for RTCP (RFC 3550 section 11)."""

import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Protocol

from opensip.errors import ConfigError, MediaError
from opensip.media.resting_ports import Later, RestingPorts, Sockets

EXPEDITED_FORWARDING = 46 << 2  # RFC 3246, as the bits of the TOS byte
_ATTEMPTS = 64  # to find a free pair among ports that the system picks


@dataclass(frozen=True, slots=True)
class PortPair:
    """Two bound, non-blocking UDP sockets: RTP on an even port, RTCP on the next."""

    rtp: socket.socket
    rtcp: socket.socket
    release: Callable[[Sockets], None]  # takes duplicates of them

    @property
    def address(self) -> tuple[str, int]:
        """Where RTP comes in."""
        host, port = self.rtp.getsockname()[:2]
        return host, port

    def send(self, datagram: bytes, to: tuple[str, int], *, rtcp: bool = False) -> bool:
        """Send from the port of RTP, or of RTCP, at once; tells whether the system took it."""
        try:
            (self.rtcp if rtcp else self.rtp).sendto(datagram, to)
        except (OSError, OverflowError):  # a full buffer, no route, or no port beside 65535
            return False
        return True

    def close(self, *watchers: Callable[[], None]) -> None:
        """Close both sockets; the ports rest before they are used again.

        `watchers` let go of the sockets, and may close them as a transport does: what stays bound
        is a duplicate that no loop has seen.
        """
        kept = _duplicates(self.rtp, self.rtcp)
        for let_go in watchers:
            let_go()
        self.rtp.close()
        self.rtcp.close()
        self.release(kept)


class Closable(Protocol):
    """What is closed once it is of no use."""

    def close(self) -> None:
        """Let go of everything."""


@contextmanager
def closing_on_error(opened: Closable) -> Iterator[None]:
    """Close what was opened if what it was opened for fails; what works keeps it open."""
    try:
        yield
    except BaseException:
        opened.close()
        raise


class PortPool:
    """Hands out pairs of ports of one address, from a random start on.

    `first` and `last` bound both ports of each pair, inclusive; 0 for both lets the system pick.
    `clock` tells seconds; `random` a number below its argument. With `later`, as the loop's
    `call_later`, the ports of a call that is over stay bound while they rest: then `close` it.
    """

    def __init__(
        self,
        address: str,
        first: int,
        last: int,
        *,
        clock: Callable[[], float],
        random: Callable[[int], int] = secrets.randbelow,
        later: Later | None = None,
    ) -> None:
        self.address = address
        self._ports = range(first + first % 2, last, 2) if first else range(0)
        if first and not self._ports:
            raise ConfigError(f"the RTP ports {first} to {last} hold no pair: widen the range")
        self._next = random(len(self._ports)) if self._ports else 0
        self._resting = RestingPorts(clock, later)
        self._taken: set[int] = set()

    @property
    def in_use(self) -> int:
        """How many pairs are out."""
        return len(self._taken)

    def take(self, address: str = "") -> PortPair:
        """Bind a free pair, of the pool's `address` where none is named.

        One that rests is taken where there is no other. Raises MediaError.
        """
        address = address or self.address
        try:
            pair = self._take(address)
        except OSError as error:  # no descriptor is left: first those of calls that are over go
            if self._resting.unbind():
                return self.take(address)
            raise MediaError(
                f"no sockets for media: {error.strerror}; raise the limit of open files"
            ) from error
        if pair is None:
            raise MediaError(f"no free pair of RTP ports on {address}: widen the range of ports")
        return pair

    def close(self) -> None:
        """Let go of what is still bound for calls that are over."""
        self._resting.unbind()

    def _take(self, address: str) -> PortPair | None:
        for port in self._candidates():
            if port in self._taken or self._resting.has(port):
                continue
            if (pair := self._bind(address, port)) is not None:
                return pair
        while (woken := self._resting.wake_oldest()) is not None:
            if (pair := self._bind(address, woken)) is not None:
                return pair
        return None

    def _candidates(self) -> Iterator[int]:
        if not self._ports:
            return repeat(0, _ATTEMPTS)
        return chain(self._ports[self._next :], self._ports[: self._next])

    def _bind(self, address: str, port: int) -> PortPair | None:
        """Bind `port` and the next; None when the system or another program has them.

        Raises OSError where no more sockets are to be had.
        """
        rtp = _udp_socket(address, port)
        if rtp is None:
            return None
        bound, rtcp = rtp.getsockname()[1], None
        try:
            rtcp = _udp_socket(address, bound + 1) if bound % 2 == 0 else None
        finally:
            if rtcp is None:
                rtp.close()
        if rtcp is None:
            return None
        self._taken.add(bound)
        if self._ports:
            self._next = (self._ports.index(bound) + 1) % len(self._ports)
        return PortPair(rtp, rtcp, lambda kept: self._release(bound, kept))

    def _release(self, port: int, kept: Sockets) -> None:
        self._resting.add(port, kept)
        self._taken.discard(port)


def _duplicates(*sockets: socket.socket) -> Sockets:
    """Give other descriptors of the same sockets, as far as there are any left."""
    made = []
    with suppress(OSError):
        for one in sockets:
            made.append(one.dup())
    return tuple(made)


def _udp_socket(address: str, port: int) -> socket.socket | None:
    """Bind a non-blocking UDP socket marked for expedited forwarding."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    udp = socket.socket(family, socket.SOCK_DGRAM)
    try:
        udp.setblocking(False)
        if family == socket.AF_INET:
            udp.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, EXPEDITED_FORWARDING)
        else:
            udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, EXPEDITED_FORWARDING)
        udp.bind((address, port))
    except (OSError, OverflowError):  # in use, above 65535, or not an address of ours
        udp.close()
        return None
    return udp
