"""Providers of the conversation benches: exact delays, and recognizers that know the clips."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from opensip.agent.chat import Delta, Words
from opensip.agent.health import Health
from opensip.agent.memory import Message
from opensip.agent.providers import Expectation, Heard, Understood
from opensip.agent.tools import Tool
from opensip.audio.frame import Samples
from opensip.audio.tones import tone
from opensip.errors import ProviderError

RATE = 8000
SYNC = 20000  # a sample as loud as this is the mark from which a caller's samples are counted
FIRST_TOKEN, FIRST_SOUND = 0.15, 0.1  # seconds
WORD_LATE = 0.1  # seconds after a word, or a silence, until a recognizer tells it
SILENCE = 0.3  # seconds after which a blind recognizer finishes its words


@dataclass(frozen=True)
class Told:
    """What is told when so many samples have been heard."""

    at: int
    heard: Heard


class LiveFake:
    """Tells what is written down, as soon as the audio that holds it has come, and a little."""

    rate = RATE
    punctuates = True

    def __init__(self, told: Sequence[Told], *, ends_turns: bool) -> None:
        self.ends_turns = ends_turns
        self._told = list(reversed(told))
        self._heard = 0
        self._sync: int | None = None
        self._tell: Callable[[Heard], None] = lambda heard: None

    def listen(
        self, tell: Callable[[Heard], None], failed: Callable[[ProviderError], None]
    ) -> None:
        """Tell words from now on."""
        self._tell = tell

    def begin(self, expectation: Expectation) -> None:
        """Turns are none of its business."""

    def feed(self, samples: Samples) -> None:
        """Count what comes."""
        if self._sync is None:
            marks = np.flatnonzero(np.abs(samples.astype(np.int32)) > SYNC)
            self._sync = self._heard + int(marks[0]) if len(marks) else None
        self._heard += len(samples)
        loop = asyncio.get_running_loop()
        while self._sync is not None and self._told:
            late = (self._heard - self._sync - self._told[-1].at) / RATE
            if late < 0:
                return
            loop.call_later(max(0.0, WORD_LATE - late), self._tell, self._told.pop().heard)

    async def finish(self) -> Understood:
        """Nothing was said but what was told."""
        return Understood("")

    async def close(self) -> None:
        """There is nothing to let go."""


class ChatFake:
    """Gives one answer to everything, its first token after FIRST_TOKEN, the others at once."""

    name = "fake"

    def __init__(self, answer: str) -> None:
        self.health = Health()
        self.asked = 0
        self._answer = answer

    async def stream(
        self, messages: Sequence[Message], tools: Sequence[Tool]
    ) -> AsyncGenerator[Delta]:
        """Answer."""
        self.asked += 1
        await asyncio.sleep(FIRST_TOKEN)
        yield Words(self._answer)

    async def prepare(self) -> None:
        """There is nothing to open."""


class VoiceFake:
    """A tone, `pace` seconds a character, its first piece after FIRST_SOUND."""

    rate = RATE

    def __init__(self, pace: float = 0.06) -> None:
        self._pace = pace

    async def speak(self, text: str) -> AsyncIterator[Samples]:
        """Speak a clause in pieces of a tenth of a second."""
        await asyncio.sleep(FIRST_SOUND)
        samples = _voice(len(text) * self._pace)
        for start in range(0, len(samples), RATE // 10):
            yield samples[start : start + RATE // 10]


@cache
def _voice(seconds: float) -> Samples:
    """Make a tone, once for all who say something as long: it is no part of what is measured."""
    return tone(400, seconds, RATE, level_dbfs=-20)
