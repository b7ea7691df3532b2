"""The reading end of a socket on the event loop."""

import asyncio
import socket
from collections.abc import Callable
from typing import Protocol

from opensip.media.engine import Address

BURST = 8  # datagrams read at one go: the loop has others to serve
LARGEST = 65536  # octets


class DatagramReader(Protocol):
    """Takes datagrams; must not raise."""

    def receive(self, datagram: bytes, source: Address, *, now: float) -> None:
        """Take one that came `now`."""


class Inbox(asyncio.DatagramProtocol):
    """Hands the datagrams of one socket to their reader."""

    def __init__(self, reader: DatagramReader, clock: Callable[[], float]) -> None:
        self._receive = reader.receive
        self._clock = clock
        self._transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Hand one datagram on."""
        self._receive(data, addr[:2], now=self._clock())

    def close(self) -> None:
        """Take no more datagrams."""
        if self._transport is not None:
            self._transport.close()


class ReportInbox:
    """Hands the datagrams of a socket to their reader, as `Inbox` does, but without a transport.

    For RTCP, a few datagrams a call: making and closing a transport costs more than reading them.
    """

    def __init__(
        self,
        reader: DatagramReader,
        clock: Callable[[], float],
        *,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket,
    ) -> None:
        self._reader = reader
        self._clock = clock
        self._loop = loop
        self._sock = sock
        loop.add_reader(sock, self._read)

    def close(self) -> None:
        """Take no more datagrams; the socket stays open."""
        self._loop.remove_reader(self._sock)

    def _read(self) -> None:
        for _ in range(BURST):
            try:
                datagram, source = self._sock.recvfrom(LARGEST)
            except OSError:  # no more of them, or one of ours found nobody there
                return
            self._reader.receive(datagram, source[:2], now=self._clock())
