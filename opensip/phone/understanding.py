"""What a scripted caller makes of an answer: was I understood, and is my number right?"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from opensip.agent import grammar
from opensip.agent.providers import Expectation, Recognizer
from opensip.agent.providers.embedded_recognizer import EmbeddedRecognizer
from opensip.audio.frame import Samples
from opensip.audio.resample import resample

_MISUNDERSTOOD = grammar.parse(
    "[i am sorry | i'm sorry | sorry] (i did not | i didn't) (understand | catch) [you | that]"
)
_SENTENCES = 3  # what matters is said first
_LONGEST = 4.5  # seconds; a longer sentence is neither of the two
_PLAIN = (1.0,)  # an agent's voice is heard as it is: the caller has no time for other lengths
_QUIET = 100.0  # of 32768, root of the mean square: between sentences a voice falls below
_PAUSE = 8  # windows of 10 ms: more than before a plosive, less than between two sentences
_EDGE = 4  # windows kept around a sentence


@dataclass(frozen=True, slots=True)
class Answer:
    """What was heard in a turn of the other side. `digits` are those that it read back.

    `text` holds the words that were made out: only of an apology or a number read back.
    """

    misunderstood: bool = False
    digits: str = ""
    text: str = field(default="", compare=False)


class Understand(Protocol):
    """Makes out what the other side answered to `said`, of samples at `rate` Hz."""

    async def __call__(self, samples: Samples, rate: int, *, said: str) -> Answer:
        """Listen to a whole turn."""


class Understanding:
    """Understands by the embedded recognizer, sentence by sentence. Raises MissingExtra.

    To be made in a running loop, early: the recognizer takes seconds to begin.
    """

    def __init__(self, recognizer: Recognizer | None = None) -> None:
        self._recognizer: Recognizer = recognizer or EmbeddedRecognizer(warps=_PLAIN)
        self._recognizer.begin(_expectation((_MISUNDERSTOOD,)))

    async def __call__(self, samples: Samples, rate: int, *, said: str) -> Answer:
        """Listen for an apology, or for as many digits as were said, in the first sentences."""
        for sentence in itertools.islice(sentences(samples, rate), _SENTENCES):
            answer = await self._hear(sentence, rate, len(grammar.digits_in(said)))
            if answer.misunderstood or answer.digits:
                return answer
        return Answer()

    async def _hear(self, sentence: Samples, rate: int, count: int) -> Answer:
        if len(sentence) > _LONGEST * rate:
            return Answer()
        read_back = (_read_back(count),) if count else ()
        self._recognizer.begin(_expectation((_MISUNDERSTOOD, *read_back)))
        self._recognizer.feed(resample(sentence, rate, self._recognizer.rate))
        text = (await self._recognizer.finish()).text
        if grammar.match((_MISUNDERSTOOD,), text):
            return Answer(misunderstood=True, text=text)
        found = grammar.match(read_back, text)
        return Answer(digits=grammar.digits_in(found["digits"]), text=text) if found else Answer()


def _read_back(count: int) -> grammar.Phrase:
    return grammar.parse(f"(i heard | you said | did you say) <digits:{count}> [is that right]")


def _expectation(phrases: tuple[grammar.Phrase, ...]) -> Expectation:
    return Expectation(
        grammar.to_jsgf(phrases), lambda text: grammar.match(phrases, text) is not None
    )


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
