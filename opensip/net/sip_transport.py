"""The sockets of one SIP endpoint: its listeners and every connection (RFC 3261 section 18)."""

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import Callable, Sequence
from itertools import count

import structlog

from opensip.errors import ConfigError, TransportFailed
from opensip.net.acceptor import Acceptor, Anyone, Listener, Porter, Strangers, check_listener
from opensip.net.datagram_socket import DatagramSocket, Receive
from opensip.net.limits import ConnectionLimits
from opensip.net.resolver import DEFAULT_PORT
from opensip.net.steering import Network, bind_datagrams
from opensip.net.stream_connection import HANDSHAKE_TIMEOUT, StreamConnection
from opensip.net.tls import TlsConfig, client_context
from opensip.net.tls_identity import WrongIdentity, why_failed
from opensip.sip.flow import Flow

__all__ = ["Listener", "SipTransport"]

log = structlog.get_logger(__name__)

CONNECT_TIMEOUT = 5.0
_Way = tuple[str, str, str, int, TlsConfig | None]  # transport, server name, host, port, TLS
WILDCARDS = ("0.0.0.0", "::")  # noqa: S104 - compared with, not bound to


class SipTransport:
    """Carries whole SIP messages to and from flows.

    `receive` takes each message with the flow it came on, or the fault of a peer; `failed`
    learns of each flow on which nothing can be sent any more. Both are called in the loop.
    `porter` says for whom `limits` do not hold, and hears of each connection turned away.
    Connections of our own leave from the address `connect_from`, where one is set.
    """

    def __init__(
        self,
        listeners: Sequence[Listener],
        *,
        receive: Receive,
        failed: Callable[[Flow], None],
        client_tls: TlsConfig | None = None,
        limits: ConnectionLimits = ConnectionLimits(),  # noqa: B008 - frozen
        porter: Porter | None = None,
        connect_from: str = "",
    ) -> None:
        self._listeners = listeners
        self.received = receive
        self._failed = failed
        self._client_tls = client_tls or TlsConfig()
        self._local = (connect_from, 0) if connect_from else None
        self._contexts: dict[TlsConfig, ssl.SSLContext] = {}
        self._acceptors: list[Acceptor] = []
        self._datagrams: list[DatagramSocket] = []
        self._bound: list[tuple[Listener, tuple[str, int]]] = []
        self._connections: dict[int, StreamConnection] = {}
        self._reusable: dict[_Way, asyncio.Task[StreamConnection]] = {}
        self._strangers = Strangers(limits, porter or Anyone())
        self._serials = count(1)
        self._local_hosts: dict[str, str] = {}

    @property
    def bound(self) -> list[tuple[str, str, int]]:
        """List what is listened on, in the order of the listeners: transport, host, port."""
        return [(listener.transport, *address) for listener, address in self._bound]

    @property
    def connection_count(self) -> int:
        """Count the open connections, in and out."""
        return len(self._connections)

    async def start(self) -> None:
        """Bind every listener, or raise ConfigError naming the one that cannot be bound."""
        try:
            for listener in self._listeners:
                await self._listen(listener)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Stop listening, then close every connection once what was written is out."""
        await asyncio.gather(*(acceptor.close() for acceptor in self._acceptors))
        connecting = [task for task in self._reusable.values() if not task.done()]
        for task in connecting:
            task.cancel()
        await asyncio.gather(*connecting, return_exceptions=True)
        open_ones = list(self._connections.values())
        for connection in open_ones:
            connection.close()
        await asyncio.gather(*(connection.wait_closed() for connection in open_ones))
        for datagrams in self._datagrams:
            datagrams.close()
        await asyncio.gather(*(datagrams.wait_closed() for datagrams in self._datagrams))
        self._acceptors, self._datagrams = [], []

    def use(self, listeners: Sequence[Listener], client_tls: TlsConfig | None) -> None:
        """Show the certificates of `listeners` to new connections, and know their networks.

        What is open stays. Listeners are matched by transport, host and port. Raises
        ConfigError, and nothing is changed then.
        """
        for listener in listeners:
            check_listener(listener)
        client_context(client_tls or TlsConfig())
        new = {(one.transport, one.host, one.port): one for one in listeners}
        for acceptor in self._acceptors:
            old = acceptor.listener
            if renewed := new.get((old.transport, old.host, old.port)):
                acceptor.use(renewed)
        for old, local in self._bound:
            renewed = new.get((old.transport, old.host, old.port))
            if renewed is not None and renewed.known is not None:
                self._know(renewed.known, [one for one in self._datagrams if one.local == local])
        self._contexts.clear()
        self._client_tls = client_tls or TlsConfig()

    def send(self, data: bytes, flow: Flow) -> None:
        """Send one message; where that cannot be done, `failed` is told soon."""
        if flow.reliable:
            connection = self._connections.get(flow.serial)
            sent = connection is not None and connection.write(data)
        else:
            sent = self._send_datagram(data, flow)
        if not sent:
            asyncio.get_running_loop().call_soon(self._failed, flow)

    def is_open(self, flow: Flow) -> bool:
        """Tell whether a message can be sent on a flow."""
        if not flow.reliable:
            return True
        connection = self._connections.get(flow.serial)
        return connection is not None and connection.is_open

    def trust(self, flow: Flow) -> None:
        """Take a connection for a known peer's: it may idle, and is not counted any more."""
        connection = self._connections.get(flow.serial) if flow.reliable else None
        if connection is not None and not connection.trusted:
            connection.trust()
            self._strangers.leave(connection.flow.remote[0])

    async def flow_to(
        self,
        transport: str,
        host: str,
        port: int,
        *,
        server_name: str = "",
        tls: TlsConfig | None = None,
    ) -> Flow:
        """Find a way to an IP address, over an open connection where there is one.

        A connection is shared only by requests for the same name (CVE-2020-15260): one
        verified for another name proves nothing. `tls` is used in place of the client's.
        Raises TransportFailed.
        """
        server_name = server_name or host
        if transport == "UDP":
            return self._datagram_flow(host, port)
        if transport not in DEFAULT_PORT:
            raise TransportFailed(f"the transport {transport} is not spoken here")
        tls = (tls or self._client_tls) if transport == "TLS" else None
        key = (transport, server_name, host, port, tls)
        task = self._reusable.get(key)
        if task is None or (task.done() and not _is_usable(task)):
            task = asyncio.get_running_loop().create_task(self._connect(*key))
            self._reusable[key] = task
        try:
            return (await asyncio.shield(task)).flow
        except (OSError, WrongIdentity) as error:  # ssl.SSLError and TimeoutError are OSErrors
            self._reusable.pop(key, None)
            raise TransportFailed(
                f"cannot connect to {server_name} ({transport} {host}:{port}): {_why(error)}"
            ) from error

    def sent_by(self, flow: Flow) -> str:
        """Name us towards a flow, as in Via and Contact: host and port of the listener."""
        listener, (host, port) = self._listener_of(flow)
        host = (listener and listener.public_address) or host
        if host in WILDCARDS:
            host = self._local_host(flow)
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def connected(self, connection: StreamConnection) -> None:
        """Take a connection: who may open one was decided when it was accepted."""
        self._connections[connection.flow.serial] = connection

    def lost(self, connection: StreamConnection) -> None:
        """Forget a connection and tell that its flow is gone."""
        if self._connections.pop(connection.flow.serial, None) is None:
            return  # it never was ours
        if connection.inbound and not connection.trusted:
            self._strangers.leave(connection.flow.remote[0])
        self._failed(connection.flow)

    async def _listen(self, listener: Listener) -> None:
        try:
            if listener.transport == "UDP":
                await self._listen_for_datagrams(listener)
            else:
                self._listen_for_connections(listener)
        except OSError as error:
            raise ConfigError(_cannot_listen(listener, error)) from error
        log.info("listener_started", transport=listener.transport, address=self._bound[-1][1])

    async def _listen_for_datagrams(self, listener: Listener) -> None:
        for sock in bind_datagrams(listener.host, listener.port, listener.known):
            _, datagrams = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: DatagramSocket(self.received), sock=sock
            )
            self._datagrams.append(datagrams)
        self._bound.append((listener, self._datagrams[-1].local))

    def _know(self, known: Sequence[Network], datagrams: list[DatagramSocket]) -> None:
        if len(datagrams) < 2:
            return  # one socket serves all
        try:
            datagrams[0].steer(known)
        except OSError as error:  # the old networks keep their socket, and nobody is turned away
            log.warning("networks_not_steered", why=str(error))

    def _listen_for_connections(self, listener: Listener) -> None:
        def make() -> StreamConnection:
            return StreamConnection(
                self,
                transport=listener.transport,
                serial=next(self._serials),
                inbound=True,
                limits=self._strangers.limits,
            )

        acceptor = Acceptor(listener, make=make, strangers=self._strangers)
        self._acceptors.append(acceptor)
        self._bound.append((listener, acceptor.local))

    async def _connect(
        self, transport: str, server_name: str, host: str, port: int, tls: TlsConfig | None
    ) -> StreamConnection:
        async with asyncio.timeout(CONNECT_TIMEOUT + HANDSHAKE_TIMEOUT):
            loop = asyncio.get_running_loop()
            _, connection = await loop.create_connection(
                lambda: StreamConnection(
                    self,
                    transport=transport,
                    serial=next(self._serials),
                    inbound=False,
                    peer_name=server_name if tls else "",
                ),
                host,
                port,
                local_addr=self._local,
                ssl=self._context(tls) if tls else None,
                server_hostname=server_name if tls else None,
                ssl_handshake_timeout=HANDSHAKE_TIMEOUT if tls else None,
            )
        if connection.fault is not None:
            raise connection.fault
        return connection

    def _context(self, tls: TlsConfig) -> ssl.SSLContext:
        if tls not in self._contexts:
            self._contexts[tls] = client_context(tls)
        return self._contexts[tls]

    def _datagram_flow(self, host: str, port: int) -> Flow:
        for datagrams in self._datagrams:
            if (":" in host) == (":" in datagrams.local[0]):
                return Flow("UDP", datagrams.local, (host, port))
        raise TransportFailed(f"no UDP listener reaches {host}:{port}")

    def _send_datagram(self, data: bytes, flow: Flow) -> bool:
        for datagrams in self._datagrams:
            if datagrams.local == flow.local:
                return datagrams.send(data, flow.remote)
        return False

    def _listener_of(self, flow: Flow) -> tuple[Listener | None, tuple[str, int]]:
        """Find the listener at which the peer of a flow can reach us."""
        same = [item for item in self._bound if item[0].transport == flow.transport]
        for item in same:
            if item[1] == flow.local:
                return item
        for item in same:  # a connection of our own, from a port of its own
            if item[1][0] == flow.local[0] or item[1][0] in WILDCARDS:
                return item
        return (None, flow.local)

    def _local_host(self, flow: Flow) -> str:
        """Find which address of ours the peer sees, where the listener has all of them."""
        if flow.local[0] not in WILDCARDS:
            return flow.local[0]
        remote = flow.remote[0]
        if remote not in self._local_hosts:
            family = socket.AF_INET6 if ":" in remote else socket.AF_INET
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect(flow.remote)  # a route look-up: nothing is sent
                self._local_hosts[remote] = probe.getsockname()[0]
        return self._local_hosts[remote]


def _is_usable(task: asyncio.Task[StreamConnection]) -> bool:
    return not task.cancelled() and task.exception() is None and task.result().is_open


def _why(error: OSError | WrongIdentity) -> str:
    if isinstance(error, WrongIdentity | ssl.SSLError):
        return why_failed(error)
    if (error.errno or 0) > 0:
        return os.strerror(error.errno or 0)  # asyncio's own text hides it
    return str(error) or type(error).__name__


def _cannot_listen(listener: Listener, error: OSError) -> str:
    where = f"{listener.transport} {listener.host}:{listener.port}"
    match error.errno:
        case errno.EADDRINUSE:
            remedy = (
                f"another program holds it (ss -lnp 'sport = :{listener.port}' tells which): "
                "stop that, or set another port"
            )
        case errno.EADDRNOTAVAIL:
            remedy = "this machine has no such address: set one of its own (ip addr lists them)"
        case errno.EACCES | errno.EPERM:
            remedy = "ports below 1024 need a privilege: set a higher port"
        case _:
            remedy = _why(error)
    return f"cannot listen on {where}: {remedy}"
