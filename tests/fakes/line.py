"""A telephone line in memory: the caller speaks on one side, the agent on the other."""

import asyncio

import numpy as np

from opensip.audio.frame import AudioFrame, Steady
from opensip.audio.level import dbfs
from opensip.media.engine import STEADY_TICKS
from opensip.media.heard import VOICE_DBFS

RATE, TICK = 8000, 0.02


class Line:
    """Frames every 20 ms of the loop's clock; what is written is played in the loop's time."""

    rate = RATE
    steady = Steady.NOTHING

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._next = self._loop.time()
        self._spoken = []  # samples the caller has yet to say
        self._run = []  # frames of a voice that are to come as one
        self._hung_up = False
        self.written = np.empty(0, np.int16)
        self._base = 0  # played when the clock was last settled
        self._since = self._loop.time()
        self.flushes = []
        self.pauses = []  # when it was paused, and for how long
        self._paused = False

    # ---- the caller's side

    def speak(self, samples):
        """The caller says `samples` from now on, after what is still being said."""
        self._spoken.extend(samples[i : i + 160] for i in range(0, len(samples), 160))

    def answered(self):
        """The call begins now: what was never read until here was never said."""
        self._next = self._loop.time()

    def speaking(self):
        return bool(self._spoken)

    def hang_up(self):
        self._hung_up = True

    # ---- the source

    async def read(self):
        await asyncio.sleep(max(0.0, self._next + TICK - self._loop.time()))
        if self._hung_up:
            return None
        at, self._next = self._next, self._next + TICK
        samples = self._heard()
        self._run.append(AudioFrame(at, samples, RATE, dbfs(samples)))
        now = Steady.VOICE if self._run[-1].level_dbfs > VOICE_DBFS else Steady.SILENCE
        may_wait = self.steady is now and len(self._run) < STEADY_TICKS[now]
        return await self.read() if may_wait else self._as_one()

    def _heard(self):
        """Give the samples of a tick."""
        return self._spoken.pop(0) if self._spoken else np.zeros(160, np.int16)

    def _as_one(self):
        run, self._run = self._run, []
        samples = np.concatenate([frame.samples for frame in run])
        return AudioFrame(run[0].at, samples, RATE, dbfs(samples))

    async def each(self, take):
        while frame := await self.read():
            take(frame)

    # ---- the sink

    def _settle(self):
        now = self._loop.time()
        if not self._paused:
            self._base = min(len(self.written), self._base + int((now - self._since) * RATE + 0.5))
        self._since = now

    def write(self, samples):
        self._settle()
        self.written = np.concatenate([self.written, samples])
        return len(self.written) - len(samples)

    def flush(self):
        self._settle()
        lost = len(self.written) - self._base
        self.written = self.written[: self._base]
        self.flushes.append((self._loop.time(), lost))
        return lost

    def pause(self):
        self._settle()
        self._paused = True
        self.pauses.append((self._loop.time(), None))

    def resume(self):
        self._settle()
        self._paused = False
        if self.pauses and self.pauses[-1][1] is None:
            began = self.pauses.pop()[0]
            self.pauses.append((began, self._loop.time() - began))

    def played(self):
        self._settle()
        return self._base

    def queued(self):
        return len(self.written) - self.played()

    async def drained(self):
        while left := self.queued():  # noqa: ASYNC110  time passes here, nothing sets an event
            await asyncio.sleep(TICK if self._paused else left / RATE)


class Noted:
    """An observer that keeps what it is told."""

    def __init__(self):
        self.events = []

    def note(self, event):
        self.events.append(event)

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]
