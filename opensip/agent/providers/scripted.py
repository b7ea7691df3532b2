"""Providers that do what they were told at exact times: for tests and benchmarks.

An agent's TOML may name them ("scripted"): then they hear nothing, answer one sentence and speak
a tone, with the delays of a fast cascade.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence

from opensip.agent.providers import Act, Brief, Expectation, Say, Understood
from opensip.audio.frame import Samples
from opensip.audio.tones import tone
from opensip.errors import ProviderError

RATE = 8000
_SAMPLES_PER_CHARACTER = 480  # 60 ms: about the pace of speech


class ScriptedRecognizer:
    """Understands the given turns in order, each `delay` seconds after it was asked."""

    rate = RATE

    def __init__(
        self, turns: Iterable[Understood | ProviderError] = (), *, delay: float = 0.1
    ) -> None:
        self._turns = list(turns)
        self._delay = delay
        self._turn: Understood | ProviderError | None = None
        self.fed = 0  # samples of the present turn

    def begin(self, expectation: Expectation) -> None:
        """Begin a turn."""
        self._turn, self.fed = None, 0

    def feed(self, samples: Samples) -> None:
        """Count what comes."""
        self.fed += len(samples)

    async def finish(self) -> Understood:
        """Give the turn that is due; the same again if asked again."""
        await asyncio.sleep(self._delay)
        if self._turn is None:
            self._turn = self._turns.pop(0) if self._turns else Understood("", 0.0)
        if isinstance(self._turn, ProviderError):
            raise self._turn
        return self._turn

    async def close(self) -> None:
        """There is nothing to let go."""


class ScriptedDialogue:
    """Gives the prepared answers in order, the first act of each after `delay` seconds."""

    def __init__(
        self,
        answers: Iterable[Sequence[Act | ProviderError]] = (),
        *,
        delay: float = 0.15,
        expectation: Expectation | None = None,
    ) -> None:
        self._answers = list(answers)
        self._delay = delay
        self._expectation = expectation or Expectation()
        self.turns: list[Understood] = []
        self.heard_texts: list[str] = []

    def expectation(self) -> Expectation:
        """Tell what was given at the beginning."""
        return self._expectation

    def open(self) -> AsyncIterator[Act]:
        """Give the next answer."""
        return self._next()

    def answer(self, turn: Understood) -> AsyncIterator[Act]:
        """Give the next answer, whatever was said."""
        self.turns.append(turn)
        return self._next()

    def idle(self) -> AsyncIterator[Act]:
        """Give the next answer."""
        return self._next()

    def transfer_failed(self, words: str) -> AsyncIterator[Act]:
        """Give the next answer."""
        return self._next()

    def heard(self, text: str, *, interrupted: bool) -> None:
        """Keep what was heard."""
        self.heard_texts.append(text)

    async def prepare(self) -> None:
        """There is nothing to make ready."""

    async def close(self) -> Sequence[Act]:
        """There is nothing to end."""
        return ()

    async def _next(self) -> AsyncIterator[Act]:
        acts = self._answers.pop(0) if self._answers else ()
        await asyncio.sleep(self._delay)
        for act in acts:
            if isinstance(act, ProviderError):
                raise act
            yield act


class ScriptedSynthesizer:
    """Speaks a tone as long as the text would be, its first piece after `delay` seconds."""

    rate = RATE

    def __init__(self, *, delay: float = 0.1, fails_at: int = -1, frequency: float = 400.0) -> None:
        self._delay = delay
        self._fails_at = fails_at  # number of the clause that fails, from 0
        self._frequency = frequency
        self._clauses = 0

    async def speak(self, text: str) -> AsyncIterator[Samples]:
        """Give the audio of a clause in pieces of half a second."""
        number, self._clauses = self._clauses, self._clauses + 1
        await asyncio.sleep(self._delay)
        if number == self._fails_at:
            raise ProviderError("told to fail", provider="scripted")
        samples = len(text) * _SAMPLES_PER_CHARACTER
        for start in range(0, samples, RATE // 2):
            yield tone(self._frequency, min(RATE // 2, samples - start) / RATE, RATE)


def make_recognizer(brief: Brief) -> ScriptedRecognizer:
    """Make a recognizer that understands nothing."""
    return ScriptedRecognizer()


def make_dialogue(brief: Brief) -> ScriptedDialogue:
    """Make a dialogue of one greeting and a hundred equal answers."""
    return ScriptedDialogue([[Say(brief.agent.greeting or "Hello.")], *([[Say("I see.")]] * 100)])


def make_synthesizer(brief: Brief) -> ScriptedSynthesizer:
    """Make a voice of one tone."""
    return ScriptedSynthesizer()
