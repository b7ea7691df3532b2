"""The media engine in C: its thread moves the packets, Python takes batches."""

import asyncio
import os
import time
from collections.abc import Callable

import numpy as np

from opensip.audio.frame import AudioFrame
from opensip.media import _engine
from opensip.media.engine import Batch, Listener, Stream, StreamConfig, deliver, fail
from opensip.media.native_ends import RATE
from opensip.media.native_stream import NativeStream
from opensip.media.outbox import PCM
from opensip.media.ports import PortPair, closing_on_error

SHAPE = (Batch(0.0, 0.0), AudioFrame(0.0, np.zeros(0, PCM), RATE, 0.0), np.frombuffer, PCM)


class NativeEngine:
    """Moves the packets of all its streams in one thread, which Python cannot hold up.

    `listener` takes all batches of a tick in one call, on the loop. Without `threaded` the loop's
    timers make time pass instead: so tests have every tick where they want it.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop | None = None,
        *,
        listener: Listener = deliver,
        random: Callable[[int], bytes] = os.urandom,
        threaded: bool = True,
    ) -> None:
        self.listener = listener
        self.now = time.monotonic if threaded else (loop or asyncio.get_running_loop()).time
        self._loop = loop or asyncio.get_running_loop()
        self._random = random
        self._threaded = threaded
        self._core = _engine.Engine(threaded, SHAPE)
        self._streams: list[NativeStream] = []
        self._joined: dict[Stream, tuple[NativeStream, tuple[bool, bool]]] = {}  # to whom, and keys
        self._timer: asyncio.TimerHandle | None = None

    @property
    def late_ticks(self) -> int:
        """Ticks that came late and were made up for."""
        return self._core.ticks()[0]

    @property
    def skipped_ticks(self) -> int:
        """Ticks that came too late to be worth a packet."""
        return self._core.ticks()[1]

    def open(self, ports: PortPair, config: StreamConfig) -> Stream:
        """Start a stream on bound ports, which it closes."""
        with closing_on_error(ports):
            stream = NativeStream(
                *(ports, config, self.now),
                loop=self._loop,
                core=self._core,
                random=self._random,
                closed=self._closed,
            )
        self._streams.append(stream)
        if len(self._streams) == 1:
            self._begin()
        return stream

    def connect(
        self, one: Stream, other: Stream, *, keys: tuple[bool, bool] = (True, True)
    ) -> bool:
        """Let each of two streams send what the other's peer says, in the thread where it can."""
        suited = [
            stream
            for stream in (one, other)
            if isinstance(stream, NativeStream) and stream in self._streams and stream.is_plain
        ]
        if len(suited) == 2 and self._joined.get(one) == (other, keys):
            return True
        self.disconnect(one)
        self.disconnect(other)
        if len(suited) < 2:
            return False
        one, other = suited
        self._core.connect(one.core, other.core, *keys, _told(one), _told(other))
        self._joined |= {one: (other, keys), other: (one, keys[::-1])}
        return True

    def disconnect(self, stream: Stream) -> None:
        """Take a stream off the one it was connected to, if it was."""
        if stream not in self._joined:
            return
        partner, _ = self._joined.pop(stream)
        this, _ = self._joined.pop(partner)
        for end in (this, partner):
            end.keep_played()
            self._core.disconnect(end.core)

    def close(self) -> None:
        """Close every stream; the thread sleeps until there is another one."""
        for stream in list(self._streams):
            stream.close()

    def _begin(self) -> None:
        if self._threaded:
            self._loop.add_reader(self._core.fileno(), self._gather)
        else:
            self._timer = self._loop.call_at(self._core.run(self.now()), self._run_ticks)

    def _closed(self, stream: NativeStream) -> None:
        self.disconnect(stream)
        self._streams.remove(stream)
        self._loop.call_soon(self._core.sweep)
        if self._streams:
            return
        if self._threaded:
            self._loop.remove_reader(self._core.fileno())
        elif self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _run_ticks(self) -> None:
        """Arm the timer for the next tick, whatever happens to the batches of this one."""
        fired, due = self._timer, self._core.run(self.now())
        try:
            self._gather()
        finally:
            if self._timer is fired:  # unless the last stream was closed meanwhile
                self._timer = self._loop.call_at(due, self._run_ticks)

    def _gather(self) -> None:
        batches, rows = self._core.gather()
        for row in rows:
            stream: NativeStream = row[0]
            try:
                batch = stream.batch(row)
            except Exception as error:  # border: one stream, and what its peer sent
                fail(stream, error, at=row[1])
                continue
            if batch is not None:
                batches.append((stream, batch))
        if batches:
            self.listener(batches)


def _told(stream: NativeStream) -> tuple[bool, int, int, bool, int]:
    """Tell of the last key press that Python knows of a stream, as the engine takes it."""
    told = stream.receiver.told
    if told is None:
        return False, 0, 0, False, 0
    timestamp, event = told
    return True, timestamp, event.event, event.ended, event.duration
