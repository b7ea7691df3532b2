"""The media engine in Python: one common tick, one datagram protocol a stream."""

import asyncio
import os
from collections.abc import Callable

from opensip.media.engine import (
    NEIGHBOURS,
    TICK,
    Batch,
    Listener,
    Stream,
    StreamConfig,
    deliver,
    fail,
)
from opensip.media.line import Line
from opensip.media.ports import PortPair, closing_on_error
from opensip.media.receiver import Receiver, decode
from opensip.media.stream import PythonStream

CATCH_UP = 10  # ticks made up for at once after a stall; what is older than 200 ms is left out


class PythonEngine:
    """Moves the packets of all its streams on the event loop.

    The tick keeps an absolute schedule: a late one is made up for, and nothing drifts.
    `listener` takes all batches of a tick in one call.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop | None = None,
        *,
        listener: Listener = deliver,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.listener = listener
        self.late_ticks = 0
        self.skipped_ticks = 0
        self._loop = loop or asyncio.get_running_loop()
        self._random = random
        self._streams: list[PythonStream] = []
        self._receivers: list[Receiver] = []
        self._joined: dict[Stream, tuple[PythonStream, tuple[bool, bool]]] = {}  # to whom, and keys
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._tick = 0

    def now(self) -> float:
        """Tell the time of the loop."""
        return self._loop.time()

    def open(self, ports: PortPair, config: StreamConfig) -> PythonStream:
        """Start a stream on bound ports, which it closes."""
        with closing_on_error(ports):
            stream = PythonStream(
                ports, config, self._loop.time, random=self._random, closed=self._closed
            )
        self._streams.append(stream)
        self._receivers.append(stream.receiver)
        task = self._loop.create_task(stream.attach(self._loop))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if self._timer is None:
            self._due = self._loop.time() + TICK
            self._timer = self._loop.call_at(self._due, self._run_ticks)
        return stream

    def connect(
        self, one: Stream, other: Stream, *, keys: tuple[bool, bool] = (True, True)
    ) -> bool:
        """Let each of two streams send what the other's peer says; see `engine.Engine`."""
        suited = [
            stream
            for stream in (one, other)
            if isinstance(stream, PythonStream) and stream in self._streams and stream.is_plain
        ]
        if len(suited) == 2 and self._joined.get(one) == (other, keys):
            return True
        self.disconnect(one)
        self.disconnect(other)
        if len(suited) < 2:
            return False
        one, other = suited
        there, back = (
            Line(keys=wanted, told=stream.receiver.told)
            for wanted, stream in zip(keys, suited, strict=True)
        )
        one.join(there, back)
        other.join(back, there)
        self._joined |= {one: (other, keys), other: (one, keys[::-1])}
        return True

    def disconnect(self, stream: Stream) -> None:
        """Take a stream off the one it was connected to, if it was."""
        if stream not in self._joined:
            return
        partner, _ = self._joined.pop(stream)
        this, _ = self._joined.pop(partner)
        for end in (this, partner):
            end.join(None, None)

    def close(self) -> None:
        """Close every stream, and so end the tick."""
        for stream in list(self._streams):
            stream.close()

    def _closed(self, stream: PythonStream) -> None:
        self.disconnect(stream)
        self._streams.remove(stream)
        self._receivers.remove(stream.receiver)
        if not self._streams and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _run_ticks(self) -> None:
        """Arm the timer for the next tick, whatever happens on those that are due now."""
        fired = self._timer
        try:
            self._run_due_ticks()
        finally:
            if self._timer is fired:  # unless the last stream was closed meanwhile
                self._timer = self._loop.call_at(self._due, self._run_ticks)

    def _run_due_ticks(self) -> None:
        now = self._loop.time()
        behind = int((now - self._due) / TICK)
        if behind > CATCH_UP:  # a burst of old audio is worth nothing to the peer
            self._skip(behind - CATCH_UP)
            behind = CATCH_UP
        self.late_ticks += behind
        for _ in range(behind + 1):
            self._run_tick(now)

    def _skip(self, ticks: int) -> None:
        self.skipped_ticks += ticks
        self._due += ticks * TICK
        for stream in self._streams:
            stream.skip(ticks)

    def _run_tick(self, now: float) -> None:
        self._tick += 1
        self._due += TICK
        for stream in tuple(self._streams):  # a copy: who fails leaves at once
            try:
                stream.receiver.tick(now)
            except Exception as error:  # border: one stream, and what its peer sent
                fail(stream, error, at=now)
        self._decode(now)
        batches: list[tuple[Stream, Batch]] = []
        for number, stream in enumerate(tuple(self._streams)):
            try:
                # in turn, so that not all of very many hand on what they hear at once
                batch = stream.tick(now, turn=self._tick + number // NEIGHBOURS)
            except Exception as error:  # border: as above
                fail(stream, error, at=now)
                continue
            if batch is not None:
                batches.append((stream, batch))
        if batches:
            self.listener(batches)

    def _decode(self, now: float) -> None:
        try:
            decode(self._receivers)
        except Exception:  # border: one of them, which is found by taking each alone
            for stream in tuple(self._streams):
                try:
                    decode((stream.receiver,))
                except Exception as error:  # border: this one
                    fail(stream, error, at=now)
