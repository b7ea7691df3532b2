"""The pool of media ports: even for RTP, the next for RTCP (RFC 3550 section 11)."""

import secrets
import socket
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, repeat

from opensip.errors import ConfigError, MediaError

COOL_DOWN = 30.0  # seconds: late packets of a closed call must not reach the next one
EXPEDITED_FORWARDING = 46 << 2  # RFC 3246, as the bits of the TOS byte
_ATTEMPTS = 64  # to find a free pair among ports that the system picks


@dataclass(frozen=True, slots=True)
class PortPair:
    """Two bound, non-blocking UDP sockets: RTP on an even port, RTCP on the next."""

    rtp: socket.socket
    rtcp: socket.socket
    release: Callable[[], None]

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

    def close(self) -> None:
        """Close both sockets; the ports rest before they are used again."""
        self.rtp.close()
        self.rtcp.close()
        self.release()


class PortPool:
    """Hands out pairs of ports of one address, from a random start on.

    `first` and `last` bound the RTP ports, inclusive; 0 for both lets the system pick.
    `clock` tells seconds; `random` a number below its argument.
    """

    def __init__(
        self,
        address: str,
        first: int,
        last: int,
        *,
        clock: Callable[[], float],
        random: Callable[[int], int] = secrets.randbelow,
    ) -> None:
        self.address = address
        self._ports = range(first + first % 2, last + 1, 2) if first else range(0)
        if first and not self._ports:
            raise ConfigError(f"the RTP ports {first} to {last} hold no even port: widen the range")
        self._clock = clock
        self._next = random(len(self._ports)) if self._ports else 0
        # Port → when it may be used again, the next first.
        self._resting: OrderedDict[int, float] = OrderedDict()
        self._taken: set[int] = set()

    @property
    def in_use(self) -> int:
        """How many pairs are out."""
        return len(self._taken)

    def take(self) -> PortPair:
        """Bind a free pair. Raises MediaError when there is none."""
        now = self._clock()
        for port in self._candidates():
            if port in self._taken or self._resting.get(port, now) > now:
                continue
            pair = self._bind(port)
            if pair is not None:
                return pair
        raise MediaError(f"no free pair of RTP ports on {self.address}: widen the range of ports")

    def _candidates(self) -> Iterator[int]:
        if not self._ports:
            return repeat(0, _ATTEMPTS)
        return chain(self._ports[self._next :], self._ports[: self._next])

    def _bind(self, port: int) -> PortPair | None:
        """Bind `port` and the next; None when the system or another program has them."""
        rtp = _udp_socket(self.address, port)
        if rtp is None:
            return None
        bound = rtp.getsockname()[1]
        rtcp = _udp_socket(self.address, bound + 1) if bound % 2 == 0 else None
        if rtcp is None:
            rtp.close()
            return None
        self._taken.add(bound)
        if self._ports:
            self._next = (self._ports.index(bound) + 1) % len(self._ports)
        return PortPair(rtp, rtcp, lambda: self._release(bound))

    def _release(self, port: int) -> None:
        now = self._clock()
        while self._resting and next(iter(self._resting.values())) <= now:
            self._resting.popitem(last=False)
        self._resting[port] = now + COOL_DOWN
        self._resting.move_to_end(port)
        self._taken.discard(port)


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
