"""A call on disk: two channels, in time with the call, playable up to its last half second."""

import os
import struct
from pathlib import Path

import numpy as np

from opensip.audio.frame import Samples
from opensip.events import Observer, RecordingStarted, RecordingStopped, Silent

FLUSH_EVERY = 0.3  # seconds; with MARGIN and a batch of 0.1 s, what a kill -9 loses
MARGIN = 0.25  # seconds that the disk is behind, so that late audio still finds its place
TOLERANCE = 0.04  # seconds by which audio may be off its place and still joins what went before
HEADER_SIZE = 44
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_MAX_DATA = 0xFFFF_FFFF - HEADER_SIZE  # what the 32-bit sizes of RIFF can say: 37 hours


def wav_header(data_size: int, rate: int, channels: int = 2) -> bytes:
    """Write the header of a 16-bit PCM WAV file with `data_size` bytes of samples."""
    frame = 2 * channels
    size = min(data_size, _MAX_DATA)
    riff = (b"RIFF", size + HEADER_SIZE - 8, b"WAVE")
    form = (b"fmt ", 16, 1, channels, rate, rate * frame, frame, 16)
    return _HEADER.pack(*riff, *form, b"data", size)


class _Channel:
    """Samples not yet on disk. `start` and `end` count samples from the start of the call."""

    def __init__(self) -> None:
        self.end = 0
        self._start = 0
        self._samples = np.zeros(0, np.int16)

    def place(self, position: int, samples: Samples, tolerance: int) -> None:
        """Put samples at `position`, or right after the last ones where that is near."""
        if abs(position - self.end) <= tolerance:
            position = self.end
        samples = samples[max(0, self._start - position) :]  # its beginning is already on disk
        offset = max(position, self._start) - self._start
        self._grow(offset + len(samples))
        self._samples[offset : offset + len(samples)] = samples
        self.end = max(self.end, self._start + offset + len(samples))

    def take_to(self, end: int) -> Samples:
        """Take everything before `end`; what never came is silence."""
        count = end - self._start
        self._grow(count)
        taken, self._samples = self._samples[:count], self._samples[count:].copy()
        self._start = end
        self.end = max(self.end, end)
        return taken

    def _grow(self, count: int) -> None:
        missing = count - len(self._samples)
        if missing > 0:
            self._samples = np.concatenate((self._samples, np.zeros(missing, np.int16)))


class Recorder:
    """Writes what was heard (left) and what was said (right) to a WAV file of 16 bits.

    Audio is placed by its time, so gaps become silence. A disk error ends the recording with
    a `RecordingStopped` event; nothing is ever raised into the call.
    """

    def __init__(self, path: Path, rate: int = 8000, *, observer: Observer | None = None) -> None:
        self.path = path
        self.rate = rate
        self._observer: Observer = Silent() if observer is None else observer
        self._heard, self._said = _Channel(), _Channel()
        self._file: int | None = None
        self._started_at = 0.0
        self._flushed_at = 0.0
        self._frames = 0  # on disk

    @property
    def running(self) -> bool:
        """Whether audio is being written."""
        return self._file is not None

    def start(self, *, now: float) -> None:
        """Open the file; `now` is where its time starts."""
        self._started_at = self._flushed_at = now
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.pwrite(self._file, wav_header(0, self.rate), 0)
        except OSError as error:
            self._stop(now, str(error))
        else:
            self._observer.note(RecordingStarted(now, str(self.path)))

    def heard(self, samples: Samples, *, at: float) -> None:
        """Record what came: its first sample came at `at`."""
        self._place(self._heard, samples, at)

    def said(self, samples: Samples, *, at: float) -> None:
        """Record what left: its first sample left at `at`."""
        self._place(self._said, samples, at)

    def flush(self, *, now: float) -> None:
        """Bring to disk what is due. Call it at least every 100 ms."""
        if now - self._flushed_at >= FLUSH_EVERY:
            self._flushed_at = now
            self._write_to(self._position(now - MARGIN), now)

    def close(self, *, now: float) -> None:
        """Write the rest and close the file."""
        if self._file is not None:
            self._write_to(max(self._heard.end, self._said.end, self._position(now)), now)
            self._stop(now)

    def _position(self, at: float) -> int:
        return max(0, round((at - self._started_at) * self.rate))

    def _place(self, channel: _Channel, samples: Samples, at: float) -> None:
        if self._file is not None:
            position = round((at - self._started_at) * self.rate)
            skipped = max(0, -position)  # it began before the recording
            tolerance = int(TOLERANCE * self.rate)
            channel.place(position + skipped, samples[skipped:], tolerance)

    def _write_to(self, end: int, now: float) -> None:
        """Append both channels up to sample `end`, then let the header say so."""
        if self._file is None or end <= self._frames:
            return
        both = np.empty((end - self._frames, 2), "<i2")
        both[:, 0], both[:, 1] = self._heard.take_to(end), self._said.take_to(end)
        try:
            _write_at(self._file, HEADER_SIZE + 4 * self._frames, both.tobytes())
            self._frames = end
            _write_at(self._file, 0, wav_header(4 * end, self.rate))
        except OSError as error:
            self._stop(now, str(error))

    def _stop(self, now: float, error: str = "") -> None:
        if self._file is not None:
            file, self._file = self._file, None
            try:
                os.close(file)
            except OSError as closing:
                error = error or str(closing)
        self._observer.note(RecordingStopped(now, str(self.path), error))


def _write_at(file: int, offset: int, data: bytes) -> None:
    written = 0
    while written < len(data):  # a disk that fills up writes less first, and fails then
        written += os.pwrite(file, data[written:], offset + written)
