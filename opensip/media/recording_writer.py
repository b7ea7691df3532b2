"""Recordings on their way to the disk, in a thread of their own: no call waits for a disk."""

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Protocol

from opensip.media.recording_file import RecordingFile

# Bytes that may wait for the disk: two seconds of 1,000 calls at 8 kHz, half a minute of 60. So
# much memory may a disk that stalls cost; then recordings stop, and the calls go on.
MOST_WAITING = 64 << 20
_LAST = 1.0  # seconds that what is left is waited for when the process ends

Job = Callable[[], None]


class Writer(Protocol):
    """Does what may block, and tells of it where the calls are."""

    def do(self, job: Job, size: int = 0) -> bool:
        """Have a job done, which must not raise, after all before it.

        False where its `size` bytes are too many to wait with the others.
        """

    def tell(self, news: Job) -> None:
        """Have news told, by a job or otherwise."""

    def close(self) -> None:
        """Do what is left and no more."""


class AtOnce:
    """Does each job as it comes: for who has no event loop to hold up."""

    def do(self, job: Job, size: int = 0) -> bool:
        """Do it."""
        job()
        return True

    def tell(self, news: Job) -> None:
        """Tell it."""
        news()

    def close(self) -> None:
        """There is nothing left."""


class WriterThread:
    """Does jobs in one thread, which begins with the first; `tell` brings news to the loop.

    `tell` is the loop's `call_soon_threadsafe`. `most` bytes may wait.
    """

    def __init__(self, tell: Callable[[Job], object], *, most: int = MOST_WAITING) -> None:
        self._tell = tell
        self._most = most
        self._jobs: SimpleQueue[tuple[Job, int] | None] = SimpleQueue()
        self._asked = self._done = 0  # bytes; the first is the loop's, the second the thread's
        self._thread: threading.Thread | None = None

    def do(self, job: Job, size: int = 0) -> bool:
        """Have it done by the thread."""
        if size and self._asked - self._done + size > self._most:
            return False
        if self._thread is None:
            # a daemon: a disk that never wakes must not keep the process from its end
            self._thread = threading.Thread(target=self._run, name="recordings", daemon=True)
            self._thread.start()
        self._asked += size
        self._jobs.put((job, size))
        return True

    def tell(self, news: Job) -> None:
        """Have it told on the loop."""
        with suppress(RuntimeError):  # the loop is closed: nobody is there to know
            self._tell(news)

    def close(self) -> None:
        """End the thread once it has done what is left, and wait a moment for that."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join(_LAST)

    def _run(self) -> None:
        while (asked := self._jobs.get()) is not None:
            job, size = asked
            job()
            self._done += size


class Track:
    """One recording and its file. Its verbs do not wait; what comes of them is told.

    `open_file` opens the file, `fault` says why there must be no more of it, or "". `opened` is
    told once it is open, `ended` once it is closed, with the reason where that came early; both
    with the `now` of the verb that it came of.
    """

    def __init__(
        self,
        writer: Writer,
        open_file: Callable[[], RecordingFile],
        *,
        fault: Callable[[], str],
        opened: Callable[[float], None],
        ended: Callable[[float, str], None],
        now: float,
    ) -> None:
        self._writer = writer
        self._open_file = open_file
        self._fault = fault
        self._opened, self._ended = opened, ended
        self._given_up = False
        self._file: RecordingFile | None = None  # the writer's, as all below
        writer.do(partial(self._open, now))

    def append(self, sound: bytes, *, now: float) -> bool:
        """Have sound written; False where too much waits already."""
        return self._writer.do(partial(self._append, sound, now), len(sound))

    def close(self, *, now: float) -> None:
        """Have the file closed."""
        self._writer.do(partial(self._close, now))

    def give_up(self) -> None:
        """Have no more written than what is being written now."""
        self._given_up = True

    # ---- what the writer does

    def _open(self, now: float) -> None:
        try:
            self._file = self._open_file()
        except OSError as error:
            self._writer.tell(partial(self._ended, now, str(error)))
        else:
            self._writer.tell(partial(self._opened, now))
            self._look(now)

    def _append(self, sound: bytes, now: float) -> None:
        if self._file is None or self._given_up:
            return
        try:
            self._file.append(sound)
        except Exception as error:  # border: a disk, a cipher; the others are written on
            self._close(now, str(error))
        else:
            self._look(now)

    def _look(self, now: float) -> None:
        if why := self._fault():
            self._close(now, why)

    def _close(self, now: float, why: str = "") -> None:
        """Let the file go; the first reason is the one that is told."""
        if self._file is None:
            return
        file, self._file = self._file, None
        try:
            file.close()
        except OSError as closing:
            why = why or str(closing)
        self._writer.tell(partial(self._ended, now, why))
