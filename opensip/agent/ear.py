"""The agent's ear: keeps the audio of a turn, has it recognised, early where that may pay."""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence

from opensip.agent.line_up import LineUp
from opensip.agent.providers import Expectation, Recognizer, Understood
from opensip.audio.frame import AudioFrame, Samples
from opensip.audio.level import dbfs
from opensip.audio.resample import Resampler
from opensip.errors import OpenSipError, ProviderError
from opensip.events import Observer

_PRE_ROLL = 0.3  # seconds kept from before the voice was noticed: weak first sounds
_PIECE = 0.02  # seconds of audio on which voice is decided
_SECONDS = 12.0  # a recognizer that takes longer has failed


class Ear:
    """Hears one caller, turn by turn, with the first recognizer that works."""

    def __init__(self, recognizers: Sequence[Recognizer], rate: int, observer: Observer) -> None:
        now = asyncio.get_running_loop().time
        self._line_up = LineUp("recognizer", recognizers, observer, now)
        self._using: Recognizer | None = None
        self._told: list[Samples] | None = None  # the turn that it was given as it came
        self._rate = rate
        self._before: deque[AudioFrame] = deque()
        self._turn: list[Samples] | None = None
        self._expectation = Expectation()
        self._resampler: Resampler | None = None
        self._early: asyncio.Task[Understood] | None = None

    def hear(self, frame: AudioFrame) -> None:
        """Take a frame: of the turn if one has begun, else to be remembered for a moment."""
        if self._turn is not None:
            self._take(frame.samples)
            return
        self._before.append(frame)
        while self._before[-1].at - self._before[0].at > _PRE_ROLL:
            self._before.popleft()

    def begin(self, expectation: Expectation) -> None:
        """Begin a turn, with what came just before."""
        self.forget()
        self._expectation, self._turn = expectation, []
        if self._line_up.all:
            self._use(self._line_up.first, self._turn)
        for frame in self._before:
            self._take(frame.samples)
        self._before.clear()

    def speculate(self) -> None:
        """Begin to recognise: the turn is probably over."""
        self.resume()
        if self._turn is not None:
            self._early = asyncio.create_task(self._finish(self._turn))

    def resume(self) -> None:
        """The turn was not over."""
        if self._early:
            self._early.cancel()
            self._early = None

    def forget(self) -> None:
        """Let the turn go."""
        self.resume()
        self._turn = None

    async def understand(self) -> Understood:
        """End the turn and tell what was said. Raises ProviderError once no recognizer works.

        Who speaks on meanwhile begins a new turn; where this one is broken off for its sake, they
        become one.
        """
        early, self._early = self._early, None
        turn, self._turn = self._turn or [], None
        try:
            return await (early if early else self._finish(turn))
        except asyncio.CancelledError:
            if self._turn is not None:
                self._turn[:0] = turn
                self._told = None
            raise
        finally:
            if early:
                early.cancel()

    async def close(self) -> None:
        """Let everything go."""
        self.forget()
        for recognizer in self._line_up.all:
            await recognizer.close()

    async def _finish(self, turn: list[Samples]) -> Understood:
        for recognizer in self._line_up.tries():
            if recognizer is not self._using or turn is not self._told:
                self._use(recognizer, turn)
            try:
                async with asyncio.timeout(_SECONDS):
                    understood = await recognizer.finish()
            except (OpenSipError, TimeoutError, OSError) as error:
                self._line_up.failed(recognizer, error)
                self._using = None  # it hears the turn anew, if it is asked again
            else:
                self._line_up.worked(recognizer)
                return understood
        raise ProviderError("no recognizer is left", provider="recognizer")

    def _use(self, recognizer: Recognizer, turn: list[Samples]) -> None:
        """Let a recognizer hear a turn from its beginning."""
        rate = recognizer.rate
        self._using, self._told = recognizer, turn
        self._resampler = Resampler(self._rate, rate) if rate != self._rate else None
        recognizer.begin(self._expectation)
        for samples in turn:
            self._give(samples)

    def _take(self, samples: Samples) -> None:
        if self._turn is not None:
            self._turn.append(samples)
            if self._turn is self._told:
                self._give(samples)

    def _give(self, samples: Samples) -> None:
        if self._using:
            self._using.feed(self._resampler.push(samples) if self._resampler else samples)


def pieces(frame: AudioFrame) -> Iterator[AudioFrame]:
    """Cut a batch into stretches short enough to decide on voice."""
    size = max(1, int(_PIECE * frame.rate))
    if len(frame.samples) <= size:
        yield frame
        return
    for start in range(0, len(frame.samples), size):
        samples = frame.samples[start : start + size]
        yield AudioFrame(frame.at + start / frame.rate, samples, frame.rate, dbfs(samples))
