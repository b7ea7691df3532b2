"""A call on disk: two channels, in time with the call, playable up to its last half second."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

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

FLUSH_EVERY = 0.3  # seconds; with MARGIN and a batch of 0.1 s, what a kill -9 loses
MARGIN = 0.25  # seconds that the disk is behind, so that late audio still finds its place
KEPT_FREE = 16 << 20  # bytes that are left to journals and records,
KEPT_SHARE = 0.02  # or of a small disk this part

NO_ROOM = "the disk is full but for what is kept for journals and records"

OpenFile = Callable[[Path, int], RecordingFile]


class Recorder:
    """Writes what was heard (left) and what was said (right), 16 bits, as `open_file` has it.

    Audio is placed by its time, so gaps become silence; so does what is heard and said in a
    pause of the call. A disk error ends the recording with a `RecordingStopped` event; nothing
    is ever raised into the call.
    """

    def __init__(
        self,
        path: Path,
        rate: int = 8000,
        *,
        observer: Observer | None = None,
        open_file: OpenFile = WavFile,
    ) -> None:
        self.path = path
        self.rate = rate
        self._observer: Observer = Silent() if observer is None else observer
        self._open_file = open_file
        self._heard, self._said = Channel(rate), Channel(rate)
        self._file: RecordingFile | None = None
        self._started_at = 0.0
        self._flushed_at = 0.0
        self._frames = 0  # on disk
        self._pauses = Pauses(Silent())

    @property
    def running(self) -> bool:
        """Whether audio is being written."""
        return self._file is not None

    def start(self, *, now: float, pauses: Pauses | None = None) -> None:
        """Open the file; `now` is where its time starts. In `pauses` of the call it is silent."""
        self._started_at = self._flushed_at = now
        if pauses is not None:
            self._pauses = pauses
        try:
            self._file = self._open_file(self.path, self.rate)
        except OSError as error:
            self._observer.note(RecordingStopped(now, str(self.path), str(error)))
        else:
            self._observer.note(RecordingStarted(now, str(self.path)))
            self._look(now)

    def heard(self, samples: Samples, *, at: float) -> None:
        """Record what came: its first sample came at `at`."""
        self._place(self._heard, samples, at)

    def heard_late(self, samples: Samples, *, at: float) -> None:
        """Record what came after its turn: its first sample should have come at `at`."""
        if self._file is not None:
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
            self._look(now)

    def close(self, *, now: float) -> None:
        """Write the rest and close the file."""
        if self._file is not None:
            self._write_to(max(self._heard.end, self._said.end, self._position(now)), now)
            self._stop(now)

    def _position(self, at: float) -> int:
        return max(0, round((at - self._started_at) * self.rate))

    def _place(self, channel: Channel, samples: Samples, at: float) -> None:
        if self._file is not None:
            samples = self._pauses.spared(samples, at=at, rate=self.rate)
            position = round((at - self._started_at) * self.rate)
            skipped = max(0, -position)  # it began before the recording
            channel.place(position + skipped, samples[skipped:])

    def _write_to(self, end: int, now: float) -> None:
        """Append both channels up to sample `end`."""
        if self._file is None or end <= self._frames:
            return
        both = np.empty((end - self._frames, 2), "<i2")
        both[:, 0], both[:, 1] = self._heard.take_to(end), self._said.take_to(end)
        self._frames = end
        try:
            self._file.append(both.tobytes())
        except OSError as error:
            self._stop(now, str(error))

    def _look(self, now: float) -> None:
        """Stop while the disk has room for what tells of it."""
        if self._file is not None and not has_room(self.path):
            self._stop(now, NO_ROOM)

    def _stop(self, now: float, error: str = "") -> None:
        """Let the file go; the first reason is the one that is told."""
        if self._file is None:
            return
        file, self._file = self._file, None
        try:
            file.close()
        except OSError as closing:
            error = error or str(closing)
        self._observer.note(RecordingStopped(now, str(self.path), error))


def has_room(path: Path) -> bool:
    """Tell whether the disk of `path` has room left beside what journals and records need."""
    try:
        disk = os.statvfs(path)
    except OSError:
        return True  # writing will tell
    kept = min(KEPT_FREE, disk.f_blocks * disk.f_frsize * KEPT_SHARE)
    return disk.f_bavail * disk.f_frsize >= kept
