"""Taking inbound connections: counted from accept on, TLS chosen by where they come from."""

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Protocol

import structlog

from opensip.net.limits import ConnectionLimits
from opensip.net.stream_connection import StreamConnection
from opensip.net.tls import TlsConfig, server_context
from opensip.net.tls_identity import WrongIdentity, why_failed

log = structlog.get_logger(__name__)

BACKLOG = 1024
SPACING = 0.02  # seconds between handshakes of strangers: each holds the loop for up to 2 ms
PAUSE = 0.1  # seconds without accept where this process has no file descriptor left


@dataclass(frozen=True, slots=True)
class SourceTls:
    """TLS towards peers of some networks. `name` is what a demanded certificate must say."""

    networks: tuple[IPv4Network | IPv6Network, ...]
    tls: TlsConfig
    name: str = ""


@dataclass(frozen=True, slots=True)
class Listener:
    """One address to listen on. `public_address` stands in Via and Contact behind 1:1 NAT.

    `by_source` overrides `tls` for peers of some networks, the longest prefix first. Over UDP
    `known` networks have a socket of their own; None: one serves all.
    """

    transport: str
    host: str
    port: int
    public_address: str | None = None
    tls: TlsConfig | None = None
    by_source: tuple[SourceTls, ...] = ()
    known: tuple[IPv4Network | IPv6Network, ...] | None = None


@dataclass(frozen=True, slots=True)
class _Face:
    """What one kind of peers sees of us."""

    context: ssl.SSLContext
    name: str = ""


class Porter(Protocol):
    """Knows who may connect, and hears of who may not. `now` is the loop's time in seconds."""

    def is_known(self, source: str) -> bool:
        """Tell whether the limits do not hold for a source."""

    def is_banned(self, source: str, *, now: float) -> bool:
        """Tell whether a source may not even connect."""

    def refuse_connection(self, kind: str, source: str, why: str, *, now: float) -> None:
        """Hear of a connection that was turned away, or whose handshake failed."""


class Anyone:
    """The porter of who has none: knows and bans nobody, and tells the log."""

    def is_known(self, source: str) -> bool:
        """Know nobody."""
        return False

    def is_banned(self, source: str, *, now: float) -> bool:
        """Ban nobody."""
        return False

    def refuse_connection(self, kind: str, source: str, why: str, *, now: float) -> None:
        """Tell the log."""
        log.warning("connection_refused", kind=kind, source=source, why=why)


class Strangers:
    """Counts the connections of strangers, from accept until they are trusted or gone."""

    def __init__(self, limits: ConnectionLimits, porter: Porter) -> None:
        self.limits = limits
        self._porter = porter
        self.per_source: Counter[str] = Counter()
        self.handshakes = 0
        self._next_turn = 0.0

    def why_not(self, source: str, *, tls: bool) -> str:
        """Say why a source may open no further connection; "" where it may."""
        if self._porter.is_known(source):
            return ""
        if self._porter.is_banned(source, now=asyncio.get_running_loop().time()):
            return "is banned"
        if self.per_source[source] >= self.limits.per_source:
            return "too many connections not yet trusted"
        if tls and self.handshakes >= self.limits.handshakes:
            return "too many handshakes of strangers at once"
        return ""

    def refuse(self, kind: str, source: str, why: str) -> None:
        """Tell the porter of one who was turned away."""
        now = asyncio.get_running_loop().time()
        self._porter.refuse_connection(kind, source, why, now=now)

    async def wait_for_turn(self, source: str) -> None:
        """Let a stranger wait until it may shake hands: a crowd must not hold up the loop."""
        if self._porter.is_known(source):
            return
        now = asyncio.get_running_loop().time()
        turn = max(self._next_turn, now)
        self._next_turn = turn + SPACING
        await asyncio.sleep(turn - now)

    def enter(self, source: str) -> None:
        """Count a connection."""
        self.per_source[source] += 1

    def leave(self, source: str) -> None:
        """Count it no more."""
        self.per_source[source] -= 1
        if self.per_source[source] <= 0:
            del self.per_source[source]


class Acceptor:
    """Accepts on one listening socket.

    Whoever is turned away costs one accept and one close: no transport, no handshake.
    """

    def __init__(
        self,
        listener: Listener,
        *,
        make: Callable[[], StreamConnection],
        strangers: Strangers,
    ) -> None:
        self.listener = listener
        self._make = make
        self._strangers = strangers
        self._default: _Face | None = None
        self._by_network: list[tuple[IPv4Network | IPv6Network, _Face]] = []
        self.use(listener)
        self._socket = _listen(listener)
        self.local: tuple[str, int] = self._socket.getsockname()[:2]
        self._shaking: set[asyncio.Task[None]] = set()
        self._task = asyncio.get_running_loop().create_task(self._accept())

    def use(self, listener: Listener) -> None:
        """Show another certificate, or ask for one, from now on; raises ConfigError."""
        if listener.transport != "TLS":
            return
        default = _Face(server_context(listener.tls or TlsConfig()))
        faces = [(one, _Face(server_context(one.tls), one.name)) for one in listener.by_source]
        pairs = [(network, face) for one, face in faces for network in one.networks]
        self._by_network = sorted(pairs, key=lambda pair: -pair[0].prefixlen)
        self._default = default

    async def close(self) -> None:
        """Accept no more, and let go of who is shaking hands."""
        tasks = (self._task, *self._shaking)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._socket.close()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                sock, address = await loop.sock_accept(self._socket)
            except ConnectionError:
                continue  # gone before it was taken
            except OSError as error:
                self._strangers.refuse(
                    "accept", "", str(error)
                )  # no descriptors: others must close first
                await asyncio.sleep(PAUSE)
                continue
            self._take(sock, address[0])

    def _take(self, sock: socket.socket, source: str) -> None:
        why = self._strangers.why_not(source, tls=self._default is not None)
        if why:
            sock.close()
            self._strangers.refuse("connection", source, why)
            return
        self._strangers.enter(source)
        task = asyncio.get_running_loop().create_task(self._open(sock, source))
        self._shaking.add(task)
        task.add_done_callback(self._shaking.discard)

    async def _open(self, sock: socket.socket, source: str) -> None:
        """Shake hands and hand the connection on; it counts as a stranger's until trusted."""
        connection = self._make()
        face = self._face_of(source)
        connection.peer_name = face.name if face else ""
        self._strangers.handshakes += face is not None
        loop, limits = asyncio.get_running_loop(), self._strangers.limits
        try:
            await self._wait_for_turn(sock, source)
            await loop.connect_accepted_socket(
                lambda: connection,
                sock,
                ssl=face.context if face else None,
                ssl_handshake_timeout=limits.handshake if face else None,
            )
            if connection.fault is not None:
                raise connection.fault
        except (OSError, WrongIdentity) as error:  # ssl.SSLError and TimeoutError are OSErrors
            self._strangers.refuse("tls", source, why_failed(error))
        finally:
            self._strangers.handshakes -= face is not None
            if not connection.was_made:
                self._strangers.leave(source)

    async def _wait_for_turn(self, sock: socket.socket, source: str) -> None:
        if self._default is None:
            return
        try:
            await self._strangers.wait_for_turn(source)
        except asyncio.CancelledError:
            sock.close()  # nobody else has it yet
            raise

    def _face_of(self, source: str) -> _Face | None:
        if not self._by_network:
            return self._default
        address = ip_address(source.partition("%")[0])
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return next((face for net, face in self._by_network if address in net), self._default)


def _listen(listener: Listener) -> socket.socket:
    family = socket.AF_INET6 if ":" in listener.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((listener.host, listener.port))
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def check_listener(listener: Listener) -> None:
    """Raise ConfigError where a TLS listener cannot be opened as it stands."""
    if listener.transport == "TLS":
        for tls in (listener.tls or TlsConfig(), *(one.tls for one in listener.by_source)):
            server_context(tls)


__all__ = ["Acceptor", "Anyone", "Listener", "Porter", "SourceTls", "Strangers", "check_listener"]
