"""How long a caller is let wait for a realtime provider, and what is said meanwhile."""

import asyncio
from collections.abc import Callable
from typing import TypeAlias

from opensip.agent.fillers import Fillers

Timer: TypeAlias = asyncio.TimerHandle | None


class Patience:
    """Calls `fail` with the reason where nothing comes for so long, and has fillers said.

    `seconds` is what an answer may take; None where nobody knows when one is due.
    """

    def __init__(
        self,
        seconds: float | None,
        fillers: Fillers,
        now: Callable[[], float],
        fail: Callable[[str], None],
    ) -> None:
        self._seconds = seconds
        self._fillers = fillers
        self._now = now
        self._fail = fail
        self._timer: Timer = None
        self._first: Timer = None

    @property
    def limits(self) -> bool:
        """Whether something is waited for that may fail."""
        return self._timer is not None

    def begin(self, first_sound: float | None) -> None:
        """Wait for the first sound of a talk, of whose provider much or nothing is known."""
        self._first = self._later(first_sound, "sound")

    def limit(self, more: float = 0.0) -> None:
        """Give an answer its time anew, and `more` seconds."""
        self.calm(bridged=True)
        self._timer = self._later(self._seconds, "answer", more)

    def bridge(self, since: float) -> None:
        """Have silence filled that began at `since`, where somebody knows that it is none."""
        if self._seconds is None:
            self._fillers.stop()
        elif not self._fillers.running:
            self._fillers.start(self._now(), since)

    def sounded(self, left: float, *, more: bool) -> None:
        """Sound came, and `left` seconds are queued; what is yet to come must not be late."""
        if self._first:
            self._first.cancel()
        if more:
            self.limit(left)
            self._fillers.sounded(left)
            self.bridge(self._now())
        else:
            self.calm()

    def calm(self, *, bridged: bool = False) -> None:
        """Wait no longer; `bridged` tells that silence is still to be filled."""
        if not bridged:
            self._fillers.stop()
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def end(self, *, bridged: bool) -> None:
        """Wait for nothing any more."""
        if self._first:
            self._first.cancel()
        self.calm(bridged=bridged)

    def _later(self, seconds: float | None, what: str, more: float = 0.0) -> Timer:
        if seconds is None:
            return None
        loop, why = asyncio.get_running_loop(), f"no {what} within {seconds:g} s"
        return loop.call_later(seconds + more, self._fail, why)
