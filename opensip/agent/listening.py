"""Reads a caller's audio in time: what comes is heard, what does not come still lets time pass."""

import asyncio
from collections.abc import Callable
from typing import Any

from opensip.agent.ear import pieces
from opensip.audio.frame import AudioFrame, AudioSource

_LAG = 0.12  # how late a frame may come: a batch of the gated path, and jitter


async def listen(
    source: AudioSource,
    *,
    since: float,
    now: Callable[[], float],
    deadline: Callable[[], float | None],
    heard: Callable[[AudioFrame], None],
    tick: Callable[[float], None],
) -> None:
    """Give every frame to `heard` until the source ends, in pieces short enough to decide on.

    `tick` is called with the time where `deadline` passes without a frame. What came before
    `since` (during a transfer) is left out.
    """
    while True:
        due = deadline()
        try:
            async with asyncio.timeout(None if due is None else max(0.0, due + _LAG - now())):
                frame = await source.read()
        except TimeoutError:
            tick(now() - _LAG)
            continue
        if frame is None:
            return
        if frame.at + frame.seconds >= since:
            for piece in pieces(frame):
                heard(piece)


async def cancelled(*tasks: asyncio.Task[Any] | None) -> None:
    """Cancel what still runs and wait until it has ended."""
    running = [task for task in tasks if task]
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
