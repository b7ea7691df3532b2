"""The journal of a call: one file, one JSON line an event, the only truth about the call."""

import asyncio
import dataclasses
import fcntl
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import structlog

from opensip.events import CallEvent

_DIGITS = 6  # of seconds: microseconds, for nothing here is measured better,
_MS_DIGITS = 3  # and of what is told in milliseconds
VERSION = 1  # of the lines; a reader refuses what is higher than it knows

log = structlog.get_logger(__name__)


class Journal:
    """An Observer that appends each event to `path`, before the loop turns to anything else.

    What one message brings makes some six lines at once: they are written together.

    The first line, `head`, has the wall-clock time `started`; each line's `at` counts seconds from
    there, and `opened` is the same moment on the loop's monotonic clock. What cannot be
    written is lost and said once: a full disk never ends a call.
    """

    def __init__(self, path: str | Path, call_id: str, *, opened: float, started: datetime) -> None:
        self.path = path
        self.error = ""
        self._opened = opened
        self._file = self._open()
        self._unwritten = b""
        self.head: dict[str, Any] = {
            "at": 0.0,
            "kind": "journal_opened",
            "version": VERSION,
            "call_id": call_id,
            "started": started.isoformat(timespec="milliseconds"),
        }
        self._write(self.head)

    def note(self, event: CallEvent) -> dict[str, Any]:
        """Append one event; returns the line as it was meant to be written."""
        line = line_of(event, event.at - self._opened)
        self._write(line)
        return line

    def close(self) -> None:
        """Close the file; later events are dropped."""
        self._flush()
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def _open(self) -> int | None:
        try:
            try:
                return _open_private(self.path)
            except FileNotFoundError:
                os.makedirs(os.path.dirname(self.path), exist_ok=True)
                return _open_private(self.path)
        except OSError as error:
            self._failed(error)
            return None

    def _write(self, line: Mapping[str, Any]) -> None:
        if self._file is None:
            return
        if not self._unwritten:
            try:
                asyncio.get_running_loop().call_soon(self._flush)
            except RuntimeError:  # nobody turns to anything else
                self._unwritten = _bytes_of(line)
                self._flush()
                return
        self._unwritten += _bytes_of(line)

    def _flush(self) -> None:
        data, self._unwritten = self._unwritten, b""
        if self._file is None:
            return
        try:
            while data:  # a disk that fills up writes less first, and fails then
                data = data[os.write(self._file, data) :]
        except OSError as error:
            self._failed(error)
            self.close()

    def _failed(self, error: OSError) -> None:
        self.error = f"{self.path}: {error.strerror or error}"
        log.error("journal_failed", path=str(self.path), error=str(error))


def _bytes_of(line: Mapping[str, Any]) -> bytes:
    return (_encode(line) + "\n").encode(errors="replace")


def line_of(event: CallEvent, at: float) -> dict[str, Any]:
    """Make the line of an event, `at` seconds from the beginning of the call."""
    kind, names = _FORMS.get(type(event)) or _learn_form(event)
    line: dict[str, Any] = {"at": round(at, _DIGITS), "kind": kind}
    for name in names:
        value = getattr(event, name)
        is_ms = isinstance(value, float) and name.endswith("_ms")
        line[name] = round(value, _MS_DIGITS) if is_ms else value
    return line


def claim(file: BinaryIO) -> bool:
    """Take a journal that was opened again for ourselves; False: somebody writes it already."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_written(path: Path) -> bool:
    """Tell whether somebody writes a journal: its call goes on, or its recording is packed."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # no journal, or no locks
        return False
    return False


def append(file: BinaryIO, lines: Sequence[str], line: Mapping[str, Any]) -> list[str]:
    """Write a line behind `lines`, of which the last may be cut off; gives all of them."""
    text = _encode(line)
    file.write((("\n" * bool(lines[-1])) + text + "\n").encode(errors="replace"))
    file.flush()
    return [*lines, text]


def _open_private(path: str | Path) -> int:
    # Only its owner may read it: it holds what was said, and the digits.
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with suppress(OSError):  # not every file system has locks
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # says that the call is in progress
    return file


_FORMS: dict[type[CallEvent], tuple[str, tuple[str, ...]]] = {}  # kind and fields of each event


def _learn_form(event: CallEvent) -> tuple[str, tuple[str, ...]]:
    names = tuple(field.name for field in dataclasses.fields(event) if field.name != "at")
    _FORMS[type(event)] = event.kind, names
    return event.kind, names


def plain(value: object) -> object:
    """Give a value that JSON does not know a form that it does."""
    return dict(value) if isinstance(value, Mapping) else str(value)


_encode = json.JSONEncoder(ensure_ascii=False, default=plain, separators=(",", ":")).encode
