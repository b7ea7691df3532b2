"""The file that a recording is written to as it happens: here a WAV file, whole at any moment."""

import os
import struct
from pathlib import Path
from typing import Protocol

HEADER_SIZE = 44
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_MAX_DATA = 0xFFFF_FFFF - HEADER_SIZE  # what the 32-bit sizes of RIFF can say: 37 hours


class RecordingFile(Protocol):
    """Takes 16-bit PCM of two channels, interleaved. Its verbs raise OSError."""

    def append(self, sound: bytes) -> None:
        """Write more; all that went before can be read if this is cut short."""

    def close(self) -> None:
        """Say that the recording is whole, and let the file go."""


class WavFile:
    """A WAV file at `path`, readable by its owner alone; its header keeps up with the sound."""

    def __init__(self, path: Path, rate: int) -> None:
        self._rate = rate
        self._size = 0
        self._file = open_private(path)
        try:
            write_at(self._file, 0, wav_header(0, rate))
        except OSError:
            os.close(self._file)
            path.unlink(missing_ok=True)  # it is no recording
            raise

    def append(self, sound: bytes) -> None:
        """Write more, then let the header say so."""
        write_at(self._file, HEADER_SIZE + self._size, sound)
        self._size += len(sound)
        write_at(self._file, 0, wav_header(self._size, self._rate))

    def close(self) -> None:
        """Let the file go."""
        os.close(self._file)


def wav_header(data_size: int, rate: int, channels: int = 2) -> bytes:
    """Write the header of a 16-bit PCM WAV file with `data_size` bytes of samples."""
    frame = 2 * channels
    size = min(data_size, _MAX_DATA)
    riff = (b"RIFF", size + HEADER_SIZE - 8, b"WAVE")
    form = (b"fmt ", 16, 1, channels, rate, rate * frame, frame, 16)
    return _HEADER.pack(*riff, *form, b"data", size)


def open_private(path: Path) -> int:
    """Open a new file for its owner alone, with its folder where that is missing."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)


def write_at(file: int, offset: int, data: bytes) -> None:
    """Write all of it; raises OSError where the disk takes only a part."""
    written = 0
    while written < len(data):  # a disk that fills up writes less first, and fails then
        written += os.pwrite(file, data[written:], offset + written)
