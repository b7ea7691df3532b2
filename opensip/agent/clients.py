"""Clients that keep connections open, shared by all calls of one event loop."""

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

C = TypeVar("C")


class PerLoop(Generic[C]):
    """Makes a client for each key once a loop; `close` closes those of the running loop."""

    def __init__(
        self, make: Callable[[Hashable], C], close: Callable[[C], Awaitable[None]]
    ) -> None:
        self._make = make
        self._close = close
        self._clients: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Hashable, C]] = (
            weakref.WeakKeyDictionary()
        )

    def get(self, key: Hashable) -> C:
        """Give the running loop's client of `key`."""
        clients = self._clients.setdefault(asyncio.get_running_loop(), {})
        if key not in clients:
            clients[key] = self._make(key)
        return clients[key]

    async def close(self) -> None:
        """Close every client of the running loop."""
        for client in self._clients.pop(asyncio.get_running_loop(), {}).values():
            await self._close(client)
