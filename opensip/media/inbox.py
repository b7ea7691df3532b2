"""The reading end of a socket on the event loop."""

import asyncio
import math
import socket
from collections.abc import Callable
from typing import Protocol

from opensip.media.engine import Address

BURST = 8  # datagrams read at one go: the loop has others to serve
LARGEST = 65536  # octets
# Datagrams that a port of reports takes in a second: a report comes each five (RFC 3550 section
# 6.2), a handshake and what it repeats are some twenty. Each costs the loop 10 µs, forged or not.
MOST_A_SECOND = 20 + 5


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
    After MOST_A_SECOND nothing is read until the second is over, so that the system drops what
    comes meanwhile: who floods the port costs the calls nothing.
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
        self._since = -math.inf
        self._left = 0  # of what may be read in the second that began then
        self._pause: asyncio.TimerHandle | None = None
        self._closed = False
        loop.add_reader(sock, self._read)

    def close(self) -> None:
        """Take no more datagrams; the socket stays open."""
        self._closed = True
        self._loop.remove_reader(self._sock)
        if self._pause is not None:
            self._pause.cancel()

    def _read(self) -> None:
        now = self._clock()
        if now - self._since >= 1:
            self._since, self._left = now, MOST_A_SECOND
        for _ in range(min(BURST, self._left)):
            self._left -= 1
            try:
                datagram, source = self._sock.recvfrom(LARGEST)
            except OSError:  # no more of them, or one of ours found nobody there
                self._left += 1
                return
            self._reader.receive(datagram, source[:2], now=now)
        if not self._left and not self._closed:  # what was read may have ended the call
            self._loop.remove_reader(self._sock)
            self._pause = self._loop.call_later(1 - (now - self._since), self._go_on)

    def _go_on(self) -> None:
        self._pause = None
        self._loop.add_reader(self._sock, self._read)
