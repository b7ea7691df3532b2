"""Two heard at once where Python hands the sound on: a word of ours over what another peer says."""

import asyncio
from collections import deque

import numpy as np

from opensip.audio.frame import AudioSink, Samples

QUIET = 0.1  # seconds without a word of the other peer after which ours does not wait for one
AHEAD = 0.1  # seconds of ours that are queued then: who speaks next is late by no more
LOOK = 0.04  # seconds


class Over:
    """A sink whose writer is heard over a relay, while there is one: a whisper, an announcement.

    What the relay brings is mixed batch by batch with as much of what was written; where it brings
    nothing, what was written goes on alone. Without a relay this is the sink itself: an engine
    that joins its streams mixes there.
    """

    def __init__(self, sink: AudioSink) -> None:
        self.relayed = self._sink = sink  # what the relay brings waits there
        self._relays = 0
        self._relayed_at = 0.0
        self._pieces: deque[Samples] = deque()
        self._waiting = 0  # samples in them
        self._timer: asyncio.TimerHandle | None = None
        self._emptied = asyncio.Event()

    @property
    def rate(self) -> int:
        """Sample rate in Hz of what is written."""
        return self._sink.rate

    def begin(self) -> None:
        """Let a relay come in."""
        self._relays += 1

    def end(self) -> None:
        """The relay is over: what is left is said alone."""
        self._relays -= 1
        if self._waiting and not self._relays:
            self._sink.write(self._take(self._waiting))

    def relay(self, samples: Samples) -> None:
        """Play what the other peer says, with what was written over it."""
        self._relayed_at = asyncio.get_running_loop().time()
        own = self._take(len(samples))
        if len(own):
            both = samples.astype(np.int32)
            both[: len(own)] += own
            samples = np.clip(both, -32768, 32767).astype(np.int16)
        self._sink.write(samples)

    def write(self, samples: Samples) -> int:
        """Queue samples; returns the position at which they start."""
        if not self._relays:
            return self._sink.write(samples)
        position = self._sink.played() + self.queued()
        self._pieces.append(np.array(samples, np.int16))
        self._waiting += len(samples)
        self._emptied.clear()
        if self._timer is None:
            self._feed()
        return position

    def flush(self) -> int:
        """Forget what is queued; returns how many samples were never played."""
        return len(self._take(self._waiting)) + self._sink.flush()

    def pause(self) -> None:
        """Stop playing at once, and keep what is queued."""
        self._sink.pause()

    def resume(self) -> None:
        """Play on from where `pause` stopped."""
        self._sink.resume()

    def played(self) -> int:
        """How many samples have been sent so far."""
        return self._sink.played()

    def queued(self) -> int:
        """How many samples have not been sent yet."""
        return self._waiting + self._sink.queued()

    async def drained(self) -> None:
        """Wait until all that was written is sent or flushed."""
        while self._waiting:
            await self._emptied.wait()
        if self._relays:  # who goes on, whatever becomes of what was written
            await asyncio.sleep(self._sink.queued() / self.rate)
        else:
            await self._sink.drained()

    def _feed(self) -> None:
        """Say on what was written while the relay brings nothing."""
        self._timer = None
        if not self._waiting:
            return
        loop = asyncio.get_running_loop()
        room = round(AHEAD * self.rate) - self._sink.queued()
        if room > 0 and loop.time() - self._relayed_at >= QUIET:
            self._sink.write(self._take(room))
        self._timer = loop.call_later(LOOK, self._feed)

    def _take(self, count: int) -> Samples:
        """Take what was written first, as many samples as there are."""
        taken: list[Samples] = []
        while count and self._pieces:
            piece = self._pieces.popleft()
            taken.append(piece[:count])
            if len(piece) > count:
                self._pieces.appendleft(piece[count:])
            count -= len(taken[-1])
            self._waiting -= len(taken[-1])
        if not self._waiting:
            self._emptied.set()
        return np.concatenate(taken) if taken else np.zeros(0, np.int16)
