"""How a scripted caller knows that the other side has finished: voice, then a pause."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from opensip.audio.frame import AudioFrame, AudioSource, Samples

VOICE_DBFS = -45.0  # speech of a phone call is 20 dB above, line noise 10 dB below
PAUSE = 0.9  # seconds without voice after which the other side has finished
SHORTEST = 0.1  # seconds of voice; less is a click
BEFORE = 0.2  # seconds kept from before a turn: its first sound may be soft
LONGEST = 30.0  # seconds of voice without a pause; more is a tone or music, not a turn


@dataclass(frozen=True, slots=True)
class Heard:
    """One turn of the other side: when its voice began and ended, in seconds of the loop.

    `frames` is what was heard from just before its beginning on.
    """

    began: float
    ended: float
    frames: tuple[AudioFrame, ...] = field(default=(), compare=False, repr=False)

    @property
    def rate(self) -> int:
        """Sample rate of `samples` in Hz; 0 where nothing was kept."""
        return self.frames[0].rate if self.frames else 0

    @property
    def samples(self) -> Samples:
        """The sound of the turn."""
        return np.concatenate([frame.samples for frame in self.frames] or [np.empty(0, np.int16)])


class Hearing:
    """Listens to a source all the time and tells turns apart. Run `listen` as a task."""

    def __init__(
        self, source: AudioSource, now: Callable[[], float], *, longest: float = LONGEST
    ) -> None:
        self._source = source
        self._now = now
        self._longest = longest
        self._turn: Heard | None = None
        self._frames: deque[AudioFrame] = deque()
        self._changed = asyncio.Event()
        self.ended = False

    async def listen(self) -> None:
        """Take frames until the source ends."""
        while (frame := await self._source.read()) is not None:
            self._keep(frame)
            if frame.level_dbfs > VOICE_DBFS:
                self._extend(frame)
        self.ended = True
        self._changed.set()

    def forget(self) -> None:
        """Leave out what was heard so far: the next turn begins now."""
        self._turn = None

    async def turn(self, *, patience: float) -> Heard | None:
        """Wait for the other side to speak and finish; None where it does not within `patience`.

        A turn that has no end is given as far as it came.
        """
        began = self._now()
        give_up = began + patience
        while not self.ended:
            now = self._now()
            turn = self._turn
            if turn and (now - turn.ended >= PAUSE or now - began >= patience + self._longest):
                self._turn = None
                if turn.ended - turn.began >= SHORTEST:
                    return replace(turn, frames=tuple(self._frames))
            elif turn is None and now >= give_up:
                return None
            await self._wait(PAUSE - (now - turn.ended) if turn else give_up - now)
        return self._turn

    def _keep(self, frame: AudioFrame) -> None:
        """Keep the sound of the turn, and before it begins no more than a moment."""
        self._frames.append(frame)
        while self._turn is None and frame.at - self._frames[0].at > BEFORE:
            self._frames.popleft()

    def _extend(self, frame: AudioFrame) -> None:
        ended = frame.at + frame.seconds
        self._turn = Heard(self._turn.began if self._turn else frame.at, ended)
        self._changed.set()

    async def _wait(self, seconds: float) -> None:
        self._changed.clear()
        try:
            async with asyncio.timeout(max(seconds, 0.01)):
                await self._changed.wait()
        except TimeoutError:
            pass
