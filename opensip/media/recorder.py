"""A call on disk: two channels, in time with the call, playable up to its last half second."""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import structlog

from opensip.audio.frame import Samples
from opensip.events import (
    Observer,
    RecordingStarted,
    RecordingStopped,
    Silent,
)
from opensip.media.recording_channel import Channel
from opensip.media.recording_file import RecordingFile, WavFile
from opensip.media.recording_pause import Pauses
from opensip.media.recording_writer import AtOnce, Track, Writer

log = structlog.get_logger(__name__)

FLUSH_EVERY = 0.3  # seconds; with MARGIN and a batch of 0.1 s, what a kill -9 loses
MARGIN = 0.25  # seconds that the disk is behind, so that late audio still finds its place
KEPT_FREE = 16 << 20  # bytes that are left to journals and records,
KEPT_SHARE = 0.02  # or of a small disk this part

PATIENCE = 5.0  # seconds that the books of a call wait for the end of its recording

NO_ROOM = "the disk is full but for what is kept for journals and records"
TOO_SLOW = "the disk takes too long to write"

OpenFile = Callable[[Path, int], RecordingFile]


class Recorder:
    """Writes what was heard (left) and what was said (right), 16 bits, as `open_file` has it.

    Audio is placed by its time, so gaps become silence; so does what is heard and said in a
    pause of the call. A disk error ends the recording with a `RecordingStopped` event; nothing
    is ever raised into the call, and with a thread for `writer` nothing waits for the disk. That
    the recording has begun, or ended, is noted once it has.
    """

    def __init__(
        self,
        path: Path,
        rate: int = 8000,
        *,
        observer: Observer | None = None,
        open_file: OpenFile = WavFile,
        writer: Writer | None = None,
    ) -> None:
        self.path = path
        self.rate = rate
        self._observer: Observer = Silent() if observer is None else observer
        self._open_file = open_file
        self._writer: Writer = AtOnce() if writer is None else writer
        self._heard, self._said = Channel(rate), Channel(rate)
        self._track: Track | None = None
        self._running = False
        self._is_over = asyncio.Event()
        self._closed_at = 0.0
        self._started_at = 0.0
        self._flushed_at = 0.0
        self._frames = 0  # on disk, or on their way
        self._pauses = Pauses(Silent())

    @property
    def running(self) -> bool:
        """Whether audio is being written."""
        return self._running

    def start(self, *, now: float, pauses: Pauses | None = None) -> None:
        """Open the file; `now` is where its time starts. In `pauses` of the call it is silent."""
        self._started_at = self._flushed_at = now
        if pauses is not None:
            self._pauses = pauses
        self._running = True
        self._track = Track(
            self._writer,
            partial(self._open_file, self.path, self.rate),
            fault=partial(_fault, self.path),
            opened=self._has_begun,
            ended=self._has_ended,
            now=now,
        )

    def heard(self, samples: Samples, *, at: float) -> None:
        """Record what came: its first sample came at `at`."""
        self._place(self._heard, samples, at)

    def heard_late(self, samples: Samples, *, at: float) -> None:
        """Record what came after its turn: its first sample should have come at `at`."""
        if self._running:
            samples = self._pauses.spared(samples, at=at, rate=self.rate)
            self._heard.fill(round((at - self._started_at) * self.rate), samples)

    def said(self, samples: Samples, *, at: float) -> None:
        """Record what left: its first sample left at `at`."""
        self._place(self._said, samples, at)

    def flush(self, *, now: float) -> None:
        """Bring to disk what is due. Call it at least every 100 ms."""
        if now - self._flushed_at >= FLUSH_EVERY:
            self._flushed_at = now
            self._write_to(self._position(now - MARGIN), now)

    def close(self, *, now: float) -> None:
        """Have the rest written and the file closed."""
        if self._running:
            self._write_to(max(self._heard.end, self._said.end, self._position(now)), now)
            self._stop(now)

    async def closed(self) -> None:
        """Wait until the file is closed. What the disk has not taken by PATIENCE is lost."""
        if self._track is None:
            return
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await self._is_over.wait()
        finally:
            self._track.give_up()
            self._has_ended(self._closed_at, TOO_SLOW)

    def _position(self, at: float) -> int:
        return max(0, round((at - self._started_at) * self.rate))

    def _place(self, channel: Channel, samples: Samples, at: float) -> None:
        if self._running:
            samples = self._pauses.spared(samples, at=at, rate=self.rate)
            position = round((at - self._started_at) * self.rate)
            skipped = max(0, -position)  # it began before the recording
            channel.place(position + skipped, samples[skipped:])

    def _write_to(self, end: int, now: float) -> None:
        """Append both channels up to sample `end`."""
        if self._track is None or not self._running or end <= self._frames:
            return
        both = np.empty((end - self._frames, 2), "<i2")
        both[:, 0], both[:, 1] = self._heard.take_to(end), self._said.take_to(end)
        self._frames = end
        if not self._track.append(both.tobytes(), now=now):
            self._has_ended(now, TOO_SLOW)
            self._stop(now)

    def _stop(self, now: float) -> None:
        self._running, self._closed_at = False, now
        if self._track is not None:
            self._track.close(now=now)

    def _has_begun(self, now: float) -> None:
        if not self._is_over.is_set():
            self._observer.note(RecordingStarted(now, str(self.path)))

    def _has_ended(self, now: float, why: str) -> None:
        """Note the end; the first reason is the one that is told."""
        if not self._is_over.is_set():
            self._running = False
            self._is_over.set()
            if why:
                log.warning("recording_stopped", path=str(self.path), why=why)
            self._observer.note(RecordingStopped(now, str(self.path), why))


def _fault(path: Path) -> str:
    return "" if has_room(path) else NO_ROOM


def has_room(path: Path) -> bool:
    """Tell whether the disk of `path` has room left beside what journals and records need."""
    try:
        disk = os.statvfs(path)
    except OSError:
        return True  # writing will tell
    kept = min(KEPT_FREE, disk.f_blocks * disk.f_frsize * KEPT_SHARE)
    return disk.f_bavail * disk.f_frsize >= kept
