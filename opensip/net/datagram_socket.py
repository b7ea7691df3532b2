"""One UDP socket of SIP: every datagram is one message (RFC 3261 section 18.3)."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress

import structlog

from opensip.errors import RemoteProtocolError
from opensip.net.steering import Network, steer
from opensip.sip.flow import Flow
from opensip.sip.framing import UnreadableStream, frame_datagram

log = structlog.get_logger(__name__)

RECEIVE_BUFFER = 4 << 20  # bytes: neither a burst of calls nor a flood of junk may push calls out
SO_RCVBUFFORCE = 33  # Linux (socket(7)); not named by Python

# One whole message, or the fault of a peer; an UnreadableStream holds what may be answered.
Receive = Callable[[bytes | RemoteProtocolError, Flow], None]


class DatagramSocket(asyncio.DatagramProtocol):
    """One UDP socket. Every datagram is one message (RFC 3261 section 18.3)."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._closed = asyncio.get_running_loop().create_future()
        self.local = ("", 0)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport: asyncio.DatagramTransport = transport  # type: ignore[assignment]  # uvloop's is none by isinstance
        sock = transport.get_extra_info("socket")
        _enlarge(sock)
        self.local = sock.getsockname()[:2]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Hand on the message; keep-alives and garbage are dropped."""
        flow = Flow("UDP", self.local, addr[:2])
        try:
            message = frame_datagram(data)
        except RemoteProtocolError as error:
            self._receive(
                UnreadableStream(
                    str(error), head=data, sip_status=error.sip_status, reason=error.reason
                ),
                flow,
            )
        else:
            if message is not None:
                self._receive(message, flow)

    def error_received(self, exc: Exception) -> None:
        """Note that the network turned a datagram of ours back: SIP's own timers see to it."""
        log.info("datagram_failed", local=self.local, error=str(exc))

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._closed.set_result(None)

    def send(self, data: bytes, remote: tuple[str, int]) -> bool:
        """Send one message; False says that the socket is closed."""
        if self._transport.is_closing():
            return False
        self._transport.sendto(data, remote)
        return True

    def steer(self, known: Sequence[Network]) -> None:
        """Let this socket, the first of two on its port, serve these networks alone from now on."""
        steer(self._transport.get_extra_info("socket"), known)

    def close(self) -> None:
        """Close the socket."""
        self._transport.close()

    async def wait_closed(self) -> None:
        """Wait until it is closed."""
        await self._closed


def _enlarge(sock: socket.socket) -> None:
    """Ask for a large buffer: the kernel gives at most net.core.rmem_max, root may have more."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    with suppress(OSError):  # not allowed, or not Linux
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
