"""One TCP or TLS connection of SIP (RFC 3261 section 18.3, RFC 5626 section 4.4.1)."""

import asyncio
import ssl
from typing import Protocol, cast

import structlog

from opensip.errors import RemoteProtocolError
from opensip.net.limits import ConnectionLimits
from opensip.net.tls_identity import Certificate, WrongIdentity, check_identity, why_failed
from opensip.sip.flow import Flow
from opensip.sip.framing import PONG, Ping, StreamFramer

log = structlog.get_logger(__name__)

HANDSHAKE_TIMEOUT = 5.0  # of connections that we open
CLOSE_TIMEOUT = 1.0  # how long a peer may take to answer our TLS closure
MAX_UNSENT = 1 << 20  # bytes: a peer that does not read is given up
HUNG_UP = (
    "the peer hung up before it said a word: missing client certificate, or our address is not "
    "known there; opensip ping tells more"
)


class Owner(Protocol):
    """What a connection tells those who hold it."""

    def connected(self, connection: "StreamConnection") -> None:
        """Take a connection."""

    def received(self, data: bytes | RemoteProtocolError, flow: Flow) -> None:
        """Take one whole message, or the fault that ends the stream."""

    def lost(self, connection: "StreamConnection") -> None:
        """Learn that the connection is gone, whoever closed it. Called once."""


class StreamConnection(asyncio.Protocol):
    """Frames what comes, writes what goes, and closes on strangers that idle.

    `trusted` peers may be silent for as long as they like; those we connected to are. The
    peer's certificate must be made out to `peer_name`, if that is set; else `fault` says why.
    """

    def __init__(
        self,
        owner: Owner,
        *,
        transport: str,
        serial: int,
        inbound: bool,
        peer_name: str = "",
        limits: ConnectionLimits = ConnectionLimits(),  # noqa: B008 - frozen
    ) -> None:
        self.flow = Flow(transport, ("", 0), ("", 0), serial)
        self.inbound = inbound
        self.trusted = not inbound
        self.peer_name = peer_name
        self.fault: WrongIdentity | None = None
        self._owner = owner
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._framer = StreamFramer()
        self._was_heard = False
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._closed = self._loop.create_future()

    @property
    def is_open(self) -> bool:
        """Tell whether messages can still be written."""
        return self._transport is not None and not self._transport.is_closing()

    @property
    def was_made(self) -> bool:
        """True once the connection was handed to its owner."""
        return self._transport is not None and self.fault is None

    @property
    def _asked_in_vain(self) -> bool:
        """True for a TLS connection of ours on which nothing ever came."""
        return not self.inbound and bool(self.peer_name) and not self._was_heard

    @property
    def certificate(self) -> Certificate:
        """The peer's certificate where it was verified; else empty."""
        stream = self._transport
        return (stream.get_extra_info("peercert") if stream else None) or {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, once a TLS connection has shaken hands."""
        stream = cast(asyncio.Transport, transport)
        self.flow = Flow(
            self.flow.transport,
            _address(stream.get_extra_info("sockname")),
            _address(stream.get_extra_info("peername")),
            self.flow.serial,
        )
        self._transport = stream
        if self.peer_name:
            try:
                check_identity(self.certificate, self.peer_name)
            except WrongIdentity as error:
                self.fault = error
                stream.abort()
                return
        self._owner.connected(self)
        if not self.trusted:
            self._arm(self._limits.message)

    def data_received(self, data: bytes) -> None:
        """Hand on every message that is whole now."""
        if self.fault is not None:
            return
        self._was_heard = True
        try:
            self._framer.receive(data)
            while (message := self._framer.next_message()) is not None:
                self._take(message)
        except RemoteProtocolError as error:
            self._owner.received(error, self.flow)
            self.close()
        else:
            if self.trusted:
                self._watch_message()

    def connection_lost(self, exc: Exception | None) -> None:
        """End, once."""
        if self._closed.done():
            return
        self._closed.set_result(None)
        self._disarm()
        self._tell_why(exc)
        self._owner.lost(self)

    def write(self, data: bytes) -> bool:
        """Write a message; False says that the connection cannot take it."""
        stream = self._transport
        if stream is None or stream.is_closing():
            return False
        stream.write(data)
        if stream.get_write_buffer_size() > MAX_UNSENT:
            log.warning("connection_stalled", remote=self.flow.remote)
            stream.abort()
        return True

    def trust(self) -> None:
        """Let the peer be silent from now on: something of it was admitted."""
        self.trusted = True
        self._disarm()

    def close(self) -> None:
        """Close once what was written is out."""
        if self._closed.done():
            return
        self._disarm()
        if self._transport is not None:
            self._transport.close()
            self._arm(CLOSE_TIMEOUT)

    def abort(self) -> None:
        """Close at once, whatever was written."""
        if self._transport is not None:
            self._transport.abort()

    async def wait_closed(self) -> None:
        """Wait until the connection is gone."""
        await self._closed

    def _take(self, message: bytes | Ping) -> None:
        if isinstance(message, bytes):
            if not self.trusted:
                self._arm(self._limits.idle)
            self._owner.received(message, self.flow)
        elif self._transport is not None:
            self._transport.write(PONG)

    def _tell_why(self, exc: Exception | None) -> None:
        """Log what ended a TLS connection: TLS 1.3 judges our certificate after the handshake.

        That alert is lost where the peer closes before it has read what we sent meanwhile.
        """
        if isinstance(exc, ssl.SSLError):
            log.warning("connection_failed", remote=self.flow.remote, why=why_failed(exc))
        elif isinstance(exc, ConnectionError) and self._asked_in_vain:
            log.warning("connection_failed", remote=self.flow.remote, why=HUNG_UP)

    def _watch_message(self) -> None:
        if not self._framer.pending:
            self._disarm()
        elif self._deadline is None:
            self._arm(self._limits.message)

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._deadline = self._loop.call_later(seconds, self._give_up)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        self.abort()


def _address(name: tuple[str, int] | tuple[str, int, int, int]) -> tuple[str, int]:
    return name[0], name[1]  # IPv6 names carry a flow label and a scope as well
