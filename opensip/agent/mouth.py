"""The agent's mouth: speaks clause by clause into a sink, and knows what was heard."""

from collections.abc import AsyncGenerator, Callable, Hashable, Iterable, Sequence
from contextlib import aclosing
from typing import NamedTuple

import numpy as np

from opensip.agent.clauses import clauses
from opensip.agent.in_time import in_time
from opensip.agent.ledger import SLOWEST, Ledger, Span
from opensip.agent.line_up import LineUp
from opensip.agent.own_voice import OwnVoice
from opensip.agent.preparing import prepare
from opensip.agent.pronounced import pronounced
from opensip.agent.providers import Spoken, Synthesizer
from opensip.agent.voice_cache import VoiceCache
from opensip.audio.frame import AudioSink, Samples
from opensip.audio.resample import live_resampler
from opensip.errors import OpenSipError, ProviderError
from opensip.events import AgentSaid, Observer

_SECONDS = 6.0  # a synthesizer that lets a caller wait longer has failed
STALL = 1.5  # seconds beyond what is queued for a clause to go on: no filler may be said amid it
_SOON = 0.5  # seconds: who answers sooner than a question ends knows it already
_ASKED = 2.0  # seconds: the agent may add something to its question, and be answered meanwhile
_LATELY = 2.0  # seconds: an echo and its words are no later
_USUAL = 0.065  # seconds a character at the usual pace of speech
_for_all_calls = VoiceCache()


class Piece(NamedTuple):
    """Sound of a clause: its text with its first piece, and where words end in the clause."""

    text: str
    samples: Samples
    marks: tuple[int, ...]
    must_be_heard: bool
    kept: int | None = None  # words, where the clause broke off after them


_WHOLE = Piece("", np.empty(0, np.int16), (), False)  # follows the last piece of a clause


class Mouth:
    """Speaks one answer at a time, with the first synthesizer that works.

    What is in `standing` is kept once it was spoken, for all calls where the synthesizer has a
    `voice_key` (hashable, one a voice), else for this one. Nobody may interrupt a clause that is
    of the texts in `must_be_heard`.
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
        must_be_heard: Iterable[str] = (),
    ) -> None:
        self._line_up = LineUp("synthesizer", synthesizers, observer, now)
        self._sink = sink
        self._observer = observer
        self._now = now
        self._language = language
        self._standing = frozenset(clause for text in standing for clause in clauses(text))
        self._must_be_heard = tuple(must_be_heard)
        self._for_this_call = VoiceCache()
        self._ledger = Ledger()
        self.meant = ""  # what the present answer says so far, heard or not
        self._bridged = False  # something was said that is no part of the answer
        self._amid = False  # a clause is being written
        self._gate: list[Piece] | None = None  # what waits behind the gate, while it is closed
        self.began: Callable[[], None] = lambda: None  # told when an answer can be heard
        self.first_voice: float | None = None  # when the answer's first sound came,
        self.first_position: int | None = None  # and where in the sink it is
        self.paused = False
        self.own = OwnVoice(sink.rate)
        self._clause_began = 0  # position of the clause that is being written
        self.sound_ends = now()  # when the last that was written of an answer is over

    @property
    def silent(self) -> bool:
        """Whether nothing is being said, not even to bridge a wait."""
        return (not self.meant or self._gate is not None) and not self._bridged

    @property
    def must_be_heard(self) -> bool:
        """Whether what is being said may not be interrupted."""
        return self._ledger.must_be_heard(self._sink.played())

    @property
    def asked(self) -> bool:
        """Whether a question has ended just now, or does in a moment: a yes may be its answer."""
        return self._ledger.asked(self._position(-_ASKED), self._position(_SOON))

    @property
    def lately(self) -> str:
        """The words that were played a moment ago: all that can come back as an echo."""
        soon = self._position(_SOON)  # a word is booked as heard rather late
        return self._ledger.between(self._position(-_LATELY), soon)

    def _position(self, seconds: float) -> int:
        """Tell where the sink was, or will be, so many seconds from now."""
        return self._sink.played() + int(seconds * self._sink.rate)

    @property
    def answering(self) -> bool:
        """Whether an answer has been begun."""
        return bool(self.meant)

    async def connect(self) -> None:
        """Let every voice open its connection: one whose first words are kept has opened none."""
        await prepare(self._line_up.all)

    async def prepare(self, texts: Iterable[str]) -> None:
        """Have standing words spoken ahead of time; a voice that fails is not asked first."""
        for clause in [clause for text in texts for clause in clauses(text)]:
            for synthesizer in self._line_up.tries():
                if self._kept(synthesizer, clause) is not None:
                    break
                try:
                    speaking = self._spoken(synthesizer, clause, lambda: _SECONDS)
                    async with aclosing(speaking) as pieces:
                        async for _ in pieces:
                            pass
                except (OpenSipError, TimeoutError, OSError) as error:
                    self._line_up.failed(synthesizer, error)
                else:
                    break

    async def say(self, text: str) -> None:
        """Speak `text` after what is queued; returns once it is queued, not once it is heard.

        Raises ProviderError if no synthesizer works.
        """
        if not self.meant:
            self.first_voice = self.first_position = None
        self.meant = f"{self.meant} {text}".strip()
        for clause in filter(_is_spoken, clauses(text)):
            await self._clause(clause)

    def close_gate(self) -> None:
        """Let what is said from now on wait, unheard."""
        self._gate = []

    def open_gate(self) -> None:
        """Let what has waited be heard."""
        waiting, self._gate = self._gate or [], None
        for piece in waiting:
            self._write(piece)

    def discard(self) -> None:
        """Forget what has waited behind the gate: nobody heard it, and nobody will."""
        self._gate, self.meant, self.first_voice = None, "", None

    def pause(self) -> None:
        """Be silent at once, and keep what is queued."""
        self.paused = True
        self._sink.pause()

    def resume(self) -> None:
        """Speak on from the sample at which `pause` stopped."""
        if self.paused:
            self.paused = False
            self._sink.resume()

    def bridge(self, text: str) -> bool:
        """Say prepared words at once, beside the answer; False where that cannot be."""
        samples = None if self._amid or self.paused else self._prepared(text)
        if samples is None:
            return False
        position = self._sink.write(samples)
        self.own.wrote(position, samples)
        self._ledger.bridge(position, len(samples))
        self._bridged = True
        return True

    def _prepared(self, text: str) -> Samples | None:
        """Give what is kept of a text, of the present voice if it is, else of any other."""
        for synthesizer in self._line_up.order:
            kept = [self._kept(synthesizer, clause) for clause in clauses(text)]
            found = [samples for samples in kept if samples is not None]
            if found and len(found) == len(kept):
                return np.concatenate(found)
        return None

    async def finish(self) -> str:
        """Wait until all is heard; returns it."""
        await self._sink.drained()
        return self._end(interrupted=False)

    def stop(self) -> str:
        """Fall silent at once; returns what was heard of the answer."""
        self._sink.flush()
        self.own.cut(self._sink.played())
        self.sound_ends = self._now()
        self.resume()
        return self._end(interrupted=True)

    def _end(self, *, interrupted: bool) -> str:
        meant, self.meant = self.meant, ""
        played = self._sink.played()
        heard = self._ledger.heard(played)
        sent = self.first_position is not None and played > self.first_position
        self._ledger, self._bridged = Ledger(), False
        self._gate = None
        if meant and (sent or not interrupted):
            cut = interrupted and heard != meant
            self._observer.note(AgentSaid(self._now(), meant, heard, cut))
        return heard

    async def _clause(self, clause: str) -> None:
        """Speak a clause; one that breaks off is spoken on from there by the next voice."""
        for synthesizer in self._line_up.tries():
            text, must, samples_said = clause, self._must(clause), 0
            try:
                speaking = self._spoken(synthesizer, clause, self._patience)
                async with aclosing(speaking) as pieces:
                    async for samples, marks in pieces:
                        self._amid = True
                        self._queue(Piece(text, samples, marks, must))
                        text, samples_said = "", samples_said + len(samples)
                if text:
                    raise ProviderError("it gave no sound")
                self._queue(_WHOLE)
            except (OpenSipError, TimeoutError, OSError) as error:
                self._line_up.failed(synthesizer, self._reason(error))
            else:
                self._line_up.worked(synthesizer)
                return
            finally:
                self._amid = False
            if not text:
                clause = self._broken_off(clause, samples_said)
            if not clause:
                return
        raise ProviderError("no synthesizer is left", provider="synthesizer")

    def _reason(self, error: Exception) -> Exception:
        """Name a stall; the only voice that there is may say the rest itself."""
        if not (self._amid and isinstance(error, TimeoutError)):
            return error
        alone = len(self._line_up.order) == 1
        return ProviderError(f"no sound for {STALL:g} s amid a clause", retryable=alone)

    def _patience(self) -> float:
        """Tell how many seconds the next piece may take: once a clause has begun, to be in time."""
        if not self._amid:
            return _SECONDS
        waiting = sum(len(piece.samples) for piece in self._gate or ())
        return min(_SECONDS, (self._sink.queued() + waiting) / self._sink.rate + STALL)

    def _broken_off(self, clause: str, samples: int) -> str:
        """Keep of a clause the words that so many samples may have said; returns the others."""
        words = clause.split()
        said = Ledger([Span(clause, 0, 0, still=int(len(clause) * _USUAL * self._sink.rate))])
        kept = len(said.heard(samples).split())
        self._queue(_WHOLE._replace(kept=kept))
        return " ".join(words[kept:])

    def _must(self, clause: str) -> bool:
        return any(clause in text or text in clause for text in self._must_be_heard)

    def _queue(self, piece: Piece) -> None:
        if self.first_voice is None:
            self.first_voice = self._now()
        if self._gate is None:
            self._write(piece)
        else:
            self._gate.append(piece)

    def _write(self, piece: Piece) -> None:
        if piece.kept is not None:
            self._ledger.cut(piece.kept)
        if not len(piece.samples):
            self._ledger.whole()
            return
        position = self._sink.write(piece.samples)
        self.sound_ends = self._now() + self._sink.queued() / self._sink.rate
        self.own.wrote(position, piece.samples)
        if piece.text:
            self._clause_began = position
        self._ledger.add(
            piece.text, position, len(piece.samples),
            marks=tuple(self._clause_began + mark for mark in piece.marks),
            must_be_heard=piece.must_be_heard, still=self._still(piece),
        )  # fmt: skip
        if self.first_position is None:
            self.first_position = position
            self.began()

    def _still(self, piece: Piece) -> int:
        """Estimate how much of a clause is yet to come, rather too much than too little."""
        return max(0, int(len(piece.text) * SLOWEST * self._sink.rate) - len(piece.samples))

    async def _spoken(
        self, synthesizer: Synthesizer, clause: str, patience: Callable[[], float]
    ) -> AsyncGenerator[tuple[Samples, tuple[int, ...]]]:
        """Give a clause at the sink's rate: what is kept of it, or as it is spoken; with marks.

        `patience` tells how many seconds the next piece may take.
        """
        kept = self._kept(synthesizer, clause)
        if kept is not None:
            yield kept, ()
            return
        resampler = live_resampler(synthesizer.rate, self._sink.rate)
        whole: list[Samples] = []
        speech = synthesizer.speak(pronounced(clause, self._language))
        async with aclosing(in_time(speech, patience)) as pieces:
            async for piece in pieces:
                samples = resampler.push(piece.samples)
                whole.append(samples)
                if len(samples):
                    yield samples, self._marks(piece, synthesizer)
        if len(last := resampler.flush()):
            yield last, ()
        if clause in self._standing and whole:
            cache, key = self._place(synthesizer, clause)
            cache.put(key, np.concatenate([*whole, last]))

    def _marks(self, piece: Spoken, synthesizer: Synthesizer) -> tuple[int, ...]:
        return tuple(mark * self._sink.rate // synthesizer.rate for mark in piece.marks)

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
