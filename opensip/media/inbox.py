"""The reading end of a socket on the event loop."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from opensip.media.engine import Address


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
