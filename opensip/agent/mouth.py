"""The agent's mouth: speaks clause by clause into a sink, and knows what was heard."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing

from opensip.agent.ledger import Ledger
from opensip.agent.line_up import LineUp
from opensip.agent.providers import Synthesizer
from opensip.agent.spoken import clauses
from opensip.audio.frame import AudioSink, Samples
from opensip.audio.resample import resample
from opensip.errors import OpenSipError, ProviderError
from opensip.events import AgentSaid, Observer, ProviderFailed

_SECONDS = 6.0  # a synthesizer that lets a caller wait longer has failed


class Mouth:
    """Speaks one answer at a time, with the first synthesizer that works."""

    def __init__(
        self,
        synthesizers: Sequence[Synthesizer],
        sink: AudioSink,
        observer: Observer,
        now: Callable[[], float],
    ) -> None:
        self._synthesizers = LineUp(synthesizers)
        self._sink = sink
        self._observer = observer
        self._now = now
        self._ledger = Ledger()
        self._booked = False  # the next samples belong to the clause that is booked already
        self._meant = ""

    @property
    def silent(self) -> bool:
        """Whether no answer is being spoken."""
        return not self._meant

    async def say(self, text: str) -> int | None:
        """Speak `text` after what is queued; returns once it is queued, not once it is heard.

        Returns the position of its first sample. Raises ProviderError if no synthesizer works.
        """
        self._meant = f"{self._meant} {text}".strip()
        first = None
        for clause in filter(_is_spoken, clauses(text)):
            start = await self._clause(clause)
            first = start if first is None else first
        return first

    async def finish(self) -> str:
        """Wait until all is heard; returns it."""
        await self._sink.drained()
        return self._end(interrupted=False)

    def stop(self) -> str:
        """Fall silent at once; returns what was heard of the answer."""
        self._sink.flush()
        return self._end(interrupted=True)

    def _end(self, *, interrupted: bool) -> str:
        meant, self._meant = self._meant, ""
        heard = self._ledger.heard(self._sink.played())
        self._ledger = Ledger()
        if meant:
            cut = interrupted and heard != meant
            self._observer.note(AgentSaid(self._now(), meant, heard, cut))
        return heard

    async def _clause(self, clause: str) -> int:
        self._synthesizers.begin()
        again = True
        while again and (synthesizer := self._synthesizers.first):
            start, text = None, clause
            try:
                async with aclosing(_in_time(synthesizer.speak(clause))) as pieces:
                    async for samples in pieces:
                        position = self._write(samples, synthesizer.rate, text)
                        start, text = position if start is None else start, ""
                if start is None:
                    raise ProviderError("it gave no sound")
            except (OpenSipError, TimeoutError, OSError) as error:
                again = self._failed(synthesizer, error)
            if start is not None:
                return start  # a clause that broke off is not begun again: it was heard in part
        raise ProviderError("no synthesizer is left", provider="synthesizer")

    def _write(self, samples: Samples, rate: int, text: str) -> int:
        ready = resample(samples, rate, self._sink.rate)
        position = self._sink.write(ready)
        self._ledger.add(text, position, len(ready))
        return position

    def _failed(self, synthesizer: Synthesizer, error: Exception) -> bool:
        """Note it, and tell whether to try again."""
        text = str(error) or type(error).__name__
        name = type(synthesizer).__name__
        self._observer.note(ProviderFailed(self._now(), "synthesizer", name, text))
        return self._synthesizers.failed(error)


def _is_spoken(clause: str) -> bool:
    """Tell words from mere marks, of which no voice makes a sound."""
    return any(map(str.isalnum, clause))


async def _in_time(pieces: AsyncIterator[Samples]) -> AsyncGenerator[Samples]:
    try:
        while True:
            async with asyncio.timeout(_SECONDS):
                piece = await anext(pieces, None)
            if piece is None:
                return
            if len(piece):
                yield piece
    finally:
        if isinstance(pieces, AsyncGenerator):
            await pieces.aclose()
