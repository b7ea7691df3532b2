"""What is written to a stream of the native engine: samples of G.711, or packets ahead of time."""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import numpy as np

from opensip.audio.codecs import CODECS, G711
from opensip.audio.frame import Samples
from opensip.audio.resample import resample
from opensip.media import _engine
from opensip.media.ahead import Ahead, quiet_payload
from opensip.media.engine import TICK, StreamConfig
from opensip.media.native_ends import RATE
from opensip.media.sender import half_ticks

PCM = np.dtype(np.int16)
Coding: TypeAlias = str | tuple[int, int, bytes]
Queue: TypeAlias = tuple[int, list[tuple[Samples, bytes | None]]]


class Outbox:
    """The queue of one stream, in the thread and before it; `rate` follows the codec.

    The thread encodes G.711 by itself, at its turn; all else is encoded here. `write` queues
    samples and returns the position at which they start; it follows the codec too.
    """

    def __init__(self, core: _engine.Stream, clock: Callable[[], float]) -> None:
        self.rate = RATE
        self._core = core
        self._clock = clock
        self.write: Callable[[Samples], int] = core.write
        self._ahead: Ahead | None = None
        self._coding: tuple[str, int, str] = ("", 0, "")  # G.711 takes packets of any length

    def flush(self) -> int:
        """Forget what is queued, at once; returns how many samples were never sent."""
        forgotten = self._core.flush()
        if self._ahead is not None:
            waiting = self._ahead.waiting
            self._ahead.flush(forgotten)
            forgotten += waiting
        return forgotten

    def queued(self) -> int:
        """How many of the written samples have not been sent yet."""
        return self._core.queued() + (self._ahead.waiting if self._ahead is not None else 0)

    def send_on(self) -> None:
        """Give the thread what it needs, and have it tell when it needs more."""
        ahead, core = self._ahead, self._core
        if ahead is None or not ahead.waiting:
            return
        for samples, payload in ahead.packets(core.queued(), core.quiet(), now=self._clock()):
            core.write_packet(samples, payload)
        if ahead.waiting:
            core.tell_at(ahead.wanted_at())

    def tell_end(self) -> None:
        """Have the thread tell when all is sent; while some waits here it tells of that before."""
        if self._ahead is None or not self._ahead.waiting:
            self._core.tell_at(0)

    def change(self, config: StreamConfig) -> tuple[Coding, Queue | None]:
        """Go on as was negotiated: tells what the thread is to send, and to put in its queue.

        None keeps that. What waits is said on by the new codec, from where the old one stops.
        """
        codec, halves = CODECS[config.codec], half_ticks(config)
        if config.codec in G711:
            return config.codec, self._exchange(None, ("", 0, ""), RATE)
        samples = round(codec.rate * TICK) // 2
        coding = (config.codec, samples * halves, config.fmtp)
        made = Ahead(codec, *coding[1:]) if coding != self._coding else None
        units = round(codec.format.clock_rate * TICK) // 2
        queue = self._exchange(made, coding, codec.rate)
        return (samples, units, quiet_payload(codec, *coding[1:])), queue

    def _exchange(
        self, made: Ahead | None, coding: tuple[str, int, str], rate: int
    ) -> Queue | None:
        if coding == self._coding:
            return None
        since, pcm = self._core.unsent()
        rest = [np.frombuffer(pcm, PCM)]
        if self._ahead is not None:
            rest.append(self._ahead.rest())
        samples = np.concatenate(rest)
        if rate != self.rate and len(samples):
            samples = resample(samples, self.rate, rate)
        now = self._clock()
        self.rate, self._coding, self._ahead = rate, coding, made
        if made is None:
            self.write = self._core.write
            return since, [(np.ascontiguousarray(samples, PCM), None)]
        self.write = partial(self._write_ahead, made)
        made.write(samples, now=now)
        return since, list(made.packets(0, 0, now=now))

    def _write_ahead(self, ahead: Ahead, samples: Samples) -> int:
        position = self._core.played() + self.queued()
        ahead.write(samples, now=self._clock())
        self.send_on()
        return position
