"""Work that several ask for and that is done once: who comes later waits for what has begun."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from opensip.agent.listening import cancelled


class Once:
    """Does `work` in a task of its own, so that who gives up waiting for it does not end it."""

    def __init__(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._work = work
        self._task: asyncio.Task[None] | None = None

    async def done(self) -> None:
        """Wait for the work, begun now where none is under way. Raises what it raises."""
        if self._task is None:
            self._task = asyncio.create_task(self._work())
            self._task.add_done_callback(self._ended)
        await asyncio.shield(self._task)

    async def close(self) -> None:
        """Cancel the work, where it is under way."""
        await cancelled(self._task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if not task.cancelled():
            task.exception()  # it counts for who still waits; nobody may
