"""What a scripted caller makes of an answer: was I understood, and is my number right?"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from opensip.agent import grammar
from opensip.agent.definition import Agent
from opensip.agent.providers import Expectation, Recognizer, factory
from opensip.audio.frame import Samples
from opensip.audio.resample import resample

_MISUNDERSTOOD = grammar.parse(
    "[i am sorry | i'm sorry | sorry] (i did not | i didn't) (understand | catch) [you | that]"
)
_READ_BACK = tuple(
    grammar.parse(f"(i heard | you said | did you say) <digits:{count}> [is that right]")
    for count in range(2, 11)
)
_PHRASES = (_MISUNDERSTOOD, *_READ_BACK)
_EXPECTED = Expectation(
    grammar.to_jsgf(_PHRASES), lambda text: grammar.match(_PHRASES, text) is not None
)
_SENTENCES = 3  # what matters is said first
_LONGEST = 6.0  # seconds; a longer sentence is neither of the two
_QUIET = 100.0  # of 32768, root of the mean square: between sentences a voice falls below
_PAUSE = 8  # windows of 10 ms: more than before a plosive, less than between two sentences
_EDGE = 4  # windows kept around a sentence


@dataclass(frozen=True, slots=True)
class Answer:
    """What was heard in a turn of the other side. `digits` are those that it read back."""

    misunderstood: bool = False
    digits: str = ""


class Understand(Protocol):
    """Makes out what a turn said, of samples at `rate` Hz."""

    async def __call__(self, samples: Samples, rate: int) -> Answer:
        """Listen to a whole turn."""


class Understanding:
    """Understands by the embedded recognizer, sentence by sentence. Raises MissingExtra."""

    def __init__(self, recognizer: Recognizer | None = None) -> None:
        self._recognizer: Recognizer = recognizer or factory("recognizer", "embedded")(
            Agent("phone")
        )
        self._turn = asyncio.Lock()  # a recognizer hears one turn at a time

    async def __call__(self, samples: Samples, rate: int) -> Answer:
        """Listen for an apology or a number in the first sentences of a turn."""
        async with self._turn:
            for number, sentence in enumerate(sentences(samples, rate)):
                if number == _SENTENCES:
                    break
                answer = await self._hear(sentence, rate)
                if answer.misunderstood or answer.digits:
                    return answer
        return Answer()

    async def _hear(self, sentence: Samples, rate: int) -> Answer:
        if len(sentence) > _LONGEST * rate:
            return Answer()
        self._recognizer.begin(_EXPECTED)
        self._recognizer.feed(resample(sentence, rate, self._recognizer.rate))
        text = (await self._recognizer.finish()).text
        if grammar.match((_MISUNDERSTOOD,), text):
            return Answer(misunderstood=True)
        found = grammar.match(_READ_BACK, text)
        return Answer(digits=grammar.digits_in(found["digits"]) if found else "")


def sentences(samples: Samples, rate: int) -> Iterator[Samples]:
    """Cut a turn at its pauses."""
    size = rate // 100
    windows = samples[: len(samples) // size * size].reshape(-1, size).astype(np.float64)
    loud = np.flatnonzero(np.sqrt(np.mean(windows**2, axis=1)) > _QUIET)
    if not len(loud):
        return
    gaps = np.flatnonzero(np.diff(loud) > _PAUSE)
    for first, last in zip((loud[0], *loud[gaps + 1]), (*loud[gaps], loud[-1]), strict=True):
        yield samples[max(0, first - _EDGE) * size : (last + 1 + _EDGE) * size]
