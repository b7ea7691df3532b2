"""The agent's mouth: speaks clause by clause into a sink, and knows what was heard."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Hashable, Iterable, Sequence
from contextlib import aclosing, suppress

import numpy as np

from opensip.agent.ledger import Ledger
from opensip.agent.line_up import LineUp
from opensip.agent.pronounced import pronounced
from opensip.agent.providers import Synthesizer
from opensip.agent.spoken import clauses
from opensip.agent.voice_cache import VoiceCache
from opensip.audio.frame import AudioSink, Samples
from opensip.audio.resample import live_resampler
from opensip.errors import OpenSipError, ProviderError
from opensip.events import AgentSaid, Observer

_SECONDS = 6.0  # a synthesizer that lets a caller wait longer has failed
_for_all_calls = VoiceCache()


class Mouth:
    """Speaks one answer at a time, with the first synthesizer that works.

    What is in `standing` is kept once it was spoken, for all calls where the synthesizer has a
    `voice_key` (hashable, one a voice), else for this one.
    """

    def __init__(
        self,
        synthesizers: Sequence[Synthesizer],
        sink: AudioSink,
        observer: Observer,
        now: Callable[[], float],
        *,
        language: str = "en",
        standing: Iterable[str] = (),
    ) -> None:
        self._line_up = LineUp("synthesizer", synthesizers, observer, now)
        self._sink = sink
        self._observer = observer
        self._now = now
        self._language = language
        self._standing = frozenset(clause for text in standing for clause in clauses(text))
        self._for_this_call = VoiceCache()
        self._ledger = Ledger()
        self._meant = ""
        self._bridged = False  # something was said that is no part of the answer
        self._amid = False  # a clause is being written

    @property
    def silent(self) -> bool:
        """Whether nothing is being said, not even to bridge a wait."""
        return not self._meant and not self._bridged

    @property
    def answering(self) -> bool:
        """Whether an answer has been begun."""
        return bool(self._meant)

    async def prepare(self, texts: Iterable[str]) -> None:
        """Have standing words spoken ahead of time; a voice that fails is not asked first."""
        for clause in [clause for text in texts for clause in clauses(text)]:
            for synthesizer in self._line_up.tries():
                if self._kept(synthesizer, clause) is not None:
                    break
                try:
                    async with aclosing(self._spoken(synthesizer, clause)) as pieces:
                        async for _ in pieces:
                            pass
                except (OpenSipError, TimeoutError, OSError) as error:
                    self._line_up.failed(synthesizer, error)
                else:
                    break

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

    def bridge(self, text: str) -> bool:
        """Say prepared words at once, beside the answer; False where that cannot be."""
        samples = None
        with suppress(ProviderError):
            samples = self._kept(self._line_up.first, text)
        if self._amid or samples is None:
            return False
        self._ledger.bridge(self._sink.write(samples), len(samples))
        self._bridged = True
        return True

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
        self._ledger, self._bridged = Ledger(), False
        if meant:
            cut = interrupted and heard != meant
            self._observer.note(AgentSaid(self._now(), meant, heard, cut))
        return heard

    async def _clause(self, clause: str) -> int:
        for synthesizer in self._line_up.tries():
            start, text = None, clause
            try:
                async with aclosing(self._spoken(synthesizer, clause)) as pieces:
                    async for samples in pieces:
                        self._amid = True
                        position = self._sink.write(samples)
                        self._ledger.add(text, position, len(samples))
                        start, text = position if start is None else start, ""
                if start is None:
                    raise ProviderError("it gave no sound")
            except (OpenSipError, TimeoutError, OSError) as error:
                self._line_up.failed(synthesizer, error)
            else:
                self._line_up.worked(synthesizer)
            finally:
                self._amid = False
            if start is not None:
                return start  # a clause that broke off is not begun again: it was heard in part
        raise ProviderError("no synthesizer is left", provider="synthesizer")

    async def _spoken(self, synthesizer: Synthesizer, clause: str) -> AsyncGenerator[Samples]:
        """Give a clause at the sink's rate: what is kept of it, or as it is spoken."""
        kept = self._kept(synthesizer, clause)
        if kept is not None:
            yield kept
            return
        resampler = live_resampler(synthesizer.rate, self._sink.rate)
        whole: list[Samples] = []
        speech = synthesizer.speak(pronounced(clause, self._language))
        async with aclosing(_in_time(speech)) as pieces:
            async for piece in pieces:
                samples = resampler.push(piece)
                whole.append(samples)
                if len(samples):
                    yield samples
        if len(last := resampler.flush()):
            yield last
        if clause in self._standing and whole:
            cache, key = self._place(synthesizer, clause)
            cache.put(key, np.concatenate([*whole, last]))

    def _kept(self, synthesizer: Synthesizer, clause: str) -> Samples | None:
        cache, key = self._place(synthesizer, clause)
        return cache.get(key)

    def _place(self, synthesizer: Synthesizer, clause: str) -> tuple[VoiceCache, Hashable]:
        voice: Hashable = getattr(synthesizer, "voice_key", None)
        if voice is None:
            return self._for_this_call, (id(synthesizer), clause)
        return _for_all_calls, (voice, self._sink.rate, self._language, clause)


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
