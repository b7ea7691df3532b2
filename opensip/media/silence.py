"""Silence: how long RTP may stay away, and what stands for sound that is not to be heard."""

import asyncio
from collections.abc import Callable
from typing import Protocol

import numpy as np

from opensip.audio.frame import AudioFrame
from opensip.audio.level import SILENCE_DBFS
from opensip.events import MediaTimedOut


def silenced(frame: AudioFrame) -> AudioFrame:
    """Make of a frame one that is as long and silent."""
    return AudioFrame(frame.at, np.zeros_like(frame.samples), frame.rate, SILENCE_DBFS)


class Signs(Protocol):
    """When a peer last gave a sign of life."""

    @property
    def last_received(self) -> float | None:
        """By RTP."""

    @property
    def last_report(self) -> float | None:
        """By RTCP."""


def last_sign(stream: Signs, *, is_quiet: Callable[[], bool]) -> float | None:
    """Tell when the peer was last there; one that said it suppresses silence is by its reports.

    From who just stops sending, reports alone are no call.
    """
    last, report = stream.last_received, stream.last_report
    return max(last, report) if is_quiet() and last is not None and report is not None else last


class SilenceClock:
    """Runs while RTP is expected and its absence not excused; what comes sets it back.

    `last_received` tells when the peer was last there; `first_timeout` counts before any has,
    `silence_timeout` after. Times are in seconds on the clock of `now`.
    """

    def __init__(
        self,
        last_received: Callable[[], float | None],
        first_timeout: float,
        silence_timeout: float,
        *,
        now: Callable[[], float],
    ) -> None:
        self._last_received = last_received
        self._first_timeout = first_timeout
        self._silence_timeout = silence_timeout
        self._now = now
        self._expected = self._excused = False
        self._since = 0.0
        self._running = asyncio.Event()

    def expect(self, expected: bool) -> None:
        """Say whether RTP should come, as agreed with the peer."""
        self._expected = expected
        self._set()

    def excuse(self, excused: bool) -> None:
        """Let RTP stay away although it should come, or not any more."""
        self._excused = excused
        self._set()

    async def wait(self) -> MediaTimedOut:
        """Wait until RTP has failed to come for too long."""
        while True:
            await self._running.wait()
            last = self._last_received()
            limit = self._first_timeout if last is None else self._silence_timeout
            left = max(last or 0.0, self._since) + limit - self._now()
            if left <= 0:
                return MediaTimedOut(self._now(), "first" if last is None else "silence", limit)
            await asyncio.sleep(min(left, self._silence_timeout))  # the first may come meanwhile

    def _set(self) -> None:
        if not self._expected or self._excused:
            self._running.clear()
        elif not self._running.is_set():
            self._since = self._now()
            self._running.set()
