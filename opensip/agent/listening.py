"""Reads a caller's audio in time: what comes is heard, what does not come still lets time pass."""

import asyncio
from collections.abc import Callable
from typing import Any

from opensip.audio.frame import AudioFrame, AudioSource

_LAG = 0.12  # how late a frame may come: a batch of the gated path, and jitter
_EPSILON = 1e-6  # of a look: a timer may fire that much early


async def listen(
    source: AudioSource,
    *,
    since: float,
    now: Callable[[], float],
    deadline: Callable[[], float | None],
    heard: Callable[[AudioFrame], None],
    tick: Callable[[float], None],
) -> None:
    """Give every frame to `heard` until the source ends.

    `tick` is called with the time where `deadline` passes without a frame. What came before
    `since` (during a transfer) is left out.
    """
    watch = _Watch(deadline, now)

    def take(frame: AudioFrame) -> None:
        watch.frames += 1
        if frame.at >= since or frame.at + frame.seconds >= since:
            heard(frame)

    while True:
        patience = asyncio.timeout(None)
        try:
            async with patience:
                watch.begin(patience)
                await source.each(take)
                return
        except TimeoutError:
            if not patience.expired():
                raise
            tick(now() - _LAG)
        finally:
            watch.end()


class _Watch:
    """Ends a wait for frames once a deadline has passed without any.

    It looks now and then: a timer for each frame would cost as much as the frame. All calls look
    at the same moments, by one timer of their loop.
    """

    def __init__(self, deadline: Callable[[], float | None], now: Callable[[], float]) -> None:
        self.frames = 0  # that have come
        self._seen = 0
        self._deadline, self._now = deadline, now
        self._patience: asyncio.Timeout | None = None
        self._timer: asyncio.TimerHandle | None = None  # to look sooner than the others
        self._looks = False

    def begin(self, patience: asyncio.Timeout) -> None:
        """Look from now on, and end this patience."""
        self._patience, self._seen, self._looks = patience, self.frames, True
        _look_together(self)

    def end(self) -> None:
        """Look no more."""
        self._looks = False
        _look_no_more(self)
        if self._timer:
            self._timer.cancel()

    def look(self) -> None:
        """Look whether the wait is to end."""
        if not self._looks:
            return
        due = self._deadline() if self.frames == self._seen else None
        self._seen = self.frames
        left = _LAG if due is None else due + _LAG - self._now()
        if left >= _LAG:
            _look_together(self)
        elif left > 0:
            self._timer = asyncio.get_running_loop().call_later(left, self.look)
        elif self._patience:
            self._patience.reschedule(asyncio.get_running_loop().time())


class _Look:
    """The next look of all watches of a loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.watches: list[_Watch] = []
        looks = int(loop.time() / _LAG + _EPSILON)  # that are past
        self.timer: asyncio.Handle = loop.call_at((looks + 1) * _LAG, self._begin, loop)

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        if _together.get(loop) is self:
            del _together[loop]
        self._go_on(loop)

    def _go_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let all look; where that of one raises, the others do all the same."""
        try:
            while self.watches:
                self.watches.pop().look()
        finally:
            if self.watches:
                loop.call_soon(self._go_on, loop)


_together: dict[asyncio.AbstractEventLoop, _Look] = {}


def _look_together(watch: _Watch) -> None:
    """Let a watch look at the next of the moments at which all of its loop do."""
    loop = asyncio.get_running_loop()
    if loop not in _together:
        for dead in [other for other in _together if other.is_closed()]:
            del _together[dead]
        _together[loop] = _Look(loop)
    _together[loop].watches.append(watch)


def _look_no_more(watch: _Watch) -> None:
    """Take a watch off the next look; without any there is none."""
    loop = asyncio.get_running_loop()
    look = _together.get(loop)
    if look is None or watch not in look.watches:
        return
    look.watches.remove(watch)
    if not look.watches:
        look.timer.cancel()
        del _together[loop]


def is_cancelled() -> bool:
    """Tell whether a CancelledError is meant for the running task, and no leak of what it calls."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def cancelled(*tasks: asyncio.Task[Any] | None) -> None:
    """Cancel what still runs and wait until it has ended."""
    running = [task for task in tasks if task]
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
