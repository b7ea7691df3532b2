"""What a voice gives, piece by piece, and for how long each may be waited for."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable

from opensip.agent.providers import Spoken
from opensip.audio.frame import Samples


async def in_time(
    pieces: AsyncIterator[Samples | Spoken], patience: Callable[[], float]
) -> AsyncGenerator[Spoken]:
    """Give what a synthesizer gives, and wait for no piece longer than `patience` tells, in s.

    Who takes a piece has time. Raises TimeoutError.
    """
    watch = _Watch(patience)
    try:
        async with asyncio.timeout(None) as limit:
            watch.wait(limit)
            async for piece in pieces:
                spoken = piece if isinstance(piece, Spoken) else Spoken(piece)
                if len(spoken.samples):
                    watch.rest()
                    yield spoken
                watch.wait(limit)
    finally:
        watch.end()
        if isinstance(pieces, AsyncGenerator):
            await pieces.aclose()


class _Watch:
    """Ends a wait that is too long.

    Most pieces are there at once, so a timer is not moved for each: it looks again when it fires.
    """

    def __init__(self, patience: Callable[[], float]) -> None:
        self._loop = asyncio.get_running_loop()
        self._patience = patience
        self._due: float | None = None  # None: nobody waits
        self._timer: asyncio.TimerHandle | None = None

    def wait(self, limit: asyncio.Timeout) -> None:
        """Let the limit end in good time from now."""
        self._due = self._loop.time() + self._patience()
        if self._timer is not None and self._timer.when() > self._due:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self._loop.call_at(self._due, self._look, limit)

    def rest(self) -> None:
        """Let nothing end until the next wait."""
        self._due = None

    def end(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self, limit: asyncio.Timeout) -> None:
        self._timer, now = None, self._loop.time()
        if self._due is None:
            return
        if self._due > now:
            self._timer = self._loop.call_at(self._due, self._look, limit)
        else:
            limit.reschedule(now)
