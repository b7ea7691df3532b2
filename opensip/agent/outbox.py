"""Messages that wait to be sent: in order, and never more than a peer can be behind."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Generic, TypeVar

from opensip.agent.listening import cancelled
from opensip.errors import OpenSipError, ProviderError

M = TypeVar("M")

MOST = 250  # messages that wait: 5 s of sound in pieces of 20 ms; who is further behind is lost
LAST = 0.5  # seconds for what still waits at the end


class Outbox(Generic[M]):
    """Sends what is put into it; calls `lost` once where that fails, or too much waits."""

    def __init__(
        self, name: str, send: Callable[[M], Awaitable[None]], lost: Callable[[ProviderError], None]
    ) -> None:
        self._name = name
        self._send = send
        self._lost = lost
        self._waiting: deque[M] = deque()
        self._more = asyncio.Event()
        self._idle = asyncio.Event()
        self._over = False
        self._task = asyncio.create_task(self._run())

    def put(self, message: M) -> None:
        """Take a message; where all is lost already, for nothing."""
        if self._over:
            return
        if len(self._waiting) >= MOST:
            self._fail(f"it is {MOST} messages behind")
            return
        self._waiting.append(message)
        self._more.set()

    async def close(self) -> None:
        """Send what waits, if that takes no longer than LAST, and end."""
        if self._waiting and not self._over:
            self._idle.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST):
                    await self._idle.wait()
        self._over = True
        await cancelled(self._task)

    async def _run(self) -> None:
        while True:
            await self._more.wait()
            self._more.clear()
            while self._waiting:
                try:
                    await self._send(self._waiting.popleft())
                except OpenSipError as error:
                    self._fail(str(error))
                    return
            self._idle.set()

    def _fail(self, why: str) -> None:
        if not self._over:
            self._over = True
            self._waiting.clear()
            self._idle.set()
            self._lost(ProviderError(f"{self._name}: {why}", provider=self._name))
