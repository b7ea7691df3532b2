"""The form of an encrypted recording: a header in the clear, then chunks sealed one by one.

    header  8 "OSIPREC" 1 | 4 form, "wav" padded by zeros | 4 rate in Hz | 16 salt
    chunk   4 length of what follows; its highest bit: the last one | AES-256-GCM of it

Numbers are little-endian. Header, number of the chunk and whether it is the last one are
authenticated with each, so that none can be changed, moved, left out or added unseen, and nothing
may follow the last; only an end that is missing cannot be told from a crash. Of the form "wav" it
holds the samples alone.
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path

from opensip.errors import MediaError
from opensip.media.recording_file import open_private, write_at
from opensip.media.recording_key import Cipher

MAGIC = b"OSIPREC\x01"
CHUNK = 65536  # bytes of content in one chunk, at most
_HEADER = struct.Struct("<8s4sI16s")
_LENGTH = struct.Struct("<I")
_LAST = 1 << 31
_TAG = 16


class SealedFile:
    """A recording that is written encrypted. `form` is that of its content."""

    def __init__(self, path: Path, rate: int, data_key: bytes, *, form: str = "wav") -> None:
        salt = os.urandom(16)
        self._header = _HEADER.pack(MAGIC, form.encode(), rate, salt)
        self._cipher = Cipher(data_key, salt)
        self._number = 0
        self._size = 0
        self._torn = False  # a chunk of it is cut short: it ends before that one
        self._file = open_private(path)
        try:
            self._write(self._header)
        except OSError:
            os.close(self._file)
            path.unlink(missing_ok=True)  # it is no recording
            raise

    def append(self, sound: bytes) -> None:
        """Seal and write more. Raises OSError."""
        for start in range(0, len(sound), CHUNK):
            self._write(self._sealed(sound[start : start + CHUNK], last=False))

    def close(self) -> None:
        """Say that it is whole, if it is. Raises OSError where that cannot be written."""
        try:
            if not self._torn:
                self._write(self._sealed(b"", last=True))
        finally:
            os.close(self._file)

    def _sealed(self, content: bytes, *, last: bool) -> bytes:
        bound = _bound(self._header, last)
        sealed = self._cipher.seal(self._number, content, bound)
        self._number += 1
        return _LENGTH.pack(len(sealed) | _LAST * last) + sealed

    def _write(self, data: bytes) -> None:
        self._torn = True
        write_at(self._file, self._size, data)
        self._size += len(data)
        self._torn = False


class SealedReader:
    """Reads an encrypted recording. Raises MediaError where it is none.

    `whole` tells whether it was closed; one that a crash cut off ends at its last chunk.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as file:
                self._header = file.read(_HEADER.size)
                self._chunks = list(_chunks(file.fileno()))
        except OSError as error:
            raise MediaError(f"{path} cannot be read: {error.strerror}") from error
        if len(self._header) < _HEADER.size or not self._header.startswith(MAGIC):
            raise MediaError(f"{path} is no encrypted recording of a form that we know")
        _, form, self.rate, self._salt = _HEADER.unpack(self._header)
        self.form = form.rstrip(b"\0").decode("ascii", "replace")
        self.size = sum(length - _TAG for _, length, _ in self._chunks)  # bytes of content
        self.whole = bool(self._chunks) and self._chunks[-1][2]

    def content(self, data_key: bytes) -> Iterator[bytes]:
        """Decrypt it, chunk by chunk. Raises MediaError where it is not what was written."""
        self._check_end()
        cipher = Cipher(data_key, self._salt)
        with self.path.open("rb") as file:
            for number, (offset, length, last) in enumerate(self._chunks):
                file.seek(offset)
                try:
                    yield cipher.open(number, file.read(length), _bound(self._header, last))
                except MediaError as error:
                    raise MediaError(f"{self.path}: {error}") from error

    def _check_end(self) -> None:
        """Raise MediaError where something stands behind what says that it is the last."""
        if not self.whole:
            return  # how far a crash came shows in no size
        offset, length, _ = self._chunks[-1]
        end, size = offset + length, self.path.stat().st_size
        if size != end:
            raise MediaError(
                f"{self.path}: damaged or forged: {size - end} bytes follow its end; to play what "
                f"was recorded, cut a copy of it to {end} bytes (truncate -s {end})"
            )


def _bound(header: bytes, last: bool) -> bytes:
    return header + bytes([last])


def _chunks(file: int) -> Iterator[tuple[int, int, bool]]:
    """Find the chunks that are there in full: offset, length, whether it says it is the last."""
    offset, size = _HEADER.size, os.fstat(file).st_size
    while offset + _LENGTH.size <= size:
        (length,) = _LENGTH.unpack(os.pread(file, _LENGTH.size, offset))
        offset, last, length = offset + _LENGTH.size, bool(length & _LAST), length & ~_LAST
        if not _TAG <= length <= CHUNK + _TAG or offset + length > size:
            return  # cut short by a crash or a full disk
        yield offset, length, last
        if last:
            return
        offset += length
