"""One timer that is set anew after each step of a machine."""

import asyncio
from collections.abc import Callable


class Alarm:
    """Calls `ring(now)` at the time last set. Times are of the loop's clock, in seconds."""

    __slots__ = ("_at", "_handle", "_loop", "_ring")

    def __init__(self, ring: Callable[[float], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._ring = ring
        self._handle: asyncio.TimerHandle | None = None
        self._at = 0.0

    def set(self, at: float | None) -> None:
        """Ring at `at`, or not at all."""
        if self._handle is not None:
            if at == self._at:
                return
            self._handle.cancel()
            self._handle = None
        if at is not None:
            self._at = at
            self._handle = self._loop.call_at(at, self._fire)

    def set_no_later(self, at: float | None) -> None:
        """Ring at `at` at the latest: an earlier time stays, and rings in vain."""
        if at is not None and (self._handle is None or at < self._at):
            self.set(at)

    def _fire(self) -> None:
        self._handle = None
        # The loop may ring a clock's tick early: the machine must find its deadline passed.
        self._ring(max(self._at, self._loop.time()))
