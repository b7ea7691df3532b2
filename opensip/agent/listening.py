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
    at the same moments, so that the loop wakes once for them.
    """

    def __init__(self, deadline: Callable[[], float | None], now: Callable[[], float]) -> None:
        self.frames = 0  # that have come
        self._seen = 0
        self._deadline, self._now = deadline, now
        self._patience: asyncio.Timeout | None = None
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, patience: asyncio.Timeout) -> None:
        """Look from now on, and end this patience."""
        self._patience, self._seen = patience, self.frames
        self._wait_with_all()

    def end(self) -> None:
        """Look no more."""
        if self._timer:
            self._timer.cancel()

    def _wait_with_all(self) -> None:
        loop = asyncio.get_running_loop()
        looks = int(loop.time() / _LAG + _EPSILON)  # that are past
        self._timer = loop.call_at((looks + 1) * _LAG, self._look)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        due = self._deadline() if self.frames == self._seen else None
        self._seen = self.frames
        left = _LAG if due is None else due + _LAG - self._now()
        if left <= 0 and self._patience:
            self._patience.reschedule(loop.time())
        elif left < _LAG:
            self._timer = loop.call_later(left, self._look)
        else:
            self._wait_with_all()


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
