"""A call's connection to a service: opened once, written to in order, and closed whole."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Generic, Protocol, TypeVar

from opensip.agent.once import Once
from opensip.agent.outbox import Outbox
from opensip.errors import ProviderError


class Connection(Protocol):
    """What a wire needs of a connection."""

    async def close(self) -> None:
        """Close it."""


C = TypeVar("C", bound=Connection)
M = TypeVar("M")


class Wire(Generic[C, M]):
    """Opens a connection when it is first wanted, and sends what is put once it has begun.

    `connection` is None before and after; `error` tells why it was lost meanwhile, upon which it
    is closed, so that whoever waits for what comes learns of it.
    """

    def __init__(
        self,
        name: str,
        connect: Callable[[], Awaitable[C]],
        send: Callable[[C, M], Awaitable[None]],
    ) -> None:
        self.connection: C | None = None
        self.error: ProviderError | None = None
        self._name = name
        self._connect = connect
        self._send = send
        self._opening = Once(self._open)
        self._outbox: Outbox[M] | None = None
        self._closing: asyncio.Task[None] | None = None

    @property
    def has_begun(self) -> bool:
        """Whether what is put is sent."""
        return self._outbox is not None

    async def open(self) -> None:
        """Open the connection, unless it is open. Raises what `connect` raises."""
        if self.connection is None:
            await self._opening.done()

    async def begin(self) -> None:
        """Open the connection, and send from now on what is put."""
        await self.open()
        if self.connection is None:
            raise ProviderError(f"{self._name}: is not connected", provider=self._name)
        self.error = None
        self._outbox = Outbox(self._name, partial(self._send, self.connection), self._lost)

    def put(self, message: M) -> None:
        """Take a message; for nothing where it has not begun, or is closed."""
        if self._outbox is not None:
            self._outbox.put(message)

    async def close(self) -> None:
        """Send what waits, and close the connection; it may be opened anew."""
        await self._opening.close()
        connection, self.connection = self.connection, None
        outbox, self._outbox = self._outbox, None
        if outbox is not None:
            await outbox.close()
        if connection is not None:
            await connection.close()
        if self._closing is not None:
            await self._closing

    async def _open(self) -> None:
        self.connection = await self._connect()

    def _lost(self, error: ProviderError) -> None:
        self.error = error
        if self.connection is not None:
            self._closing = asyncio.create_task(self.connection.close())
