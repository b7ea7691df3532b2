"""The agent's ear: keeps the audio of a turn, has it recognised, early where that may pay."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from opensip.agent.line_up import LineUp
from opensip.agent.live_words import LiveWords
from opensip.agent.pace import Pace, PacedRecognizer
from opensip.agent.preparing import prepare
from opensip.agent.providers import Expectation, Heard, LiveRecognizer, Recognizer, Understood
from opensip.agent.turn_events import Hearing
from opensip.agent.voice_activity import Voicing
from opensip.audio.frame import AudioFrame, Samples
from opensip.audio.resample import Resampler
from opensip.errors import OpenSipError, ProviderError
from opensip.events import Observer

_PRE_ROLL = 0.3  # seconds kept from before the voice was noticed: weak first sounds
_SECONDS = 12.0  # a recognizer that takes longer has failed


@dataclass(frozen=True, slots=True)
class Taken:
    """A turn that is over: its audio, its words where they are known, or who recognises them."""

    early: "asyncio.Task[Understood] | None"
    turn: list[Samples]
    text: str


class Ear:
    """Hears one caller, turn by turn, with the first recognizer that works.

    `told` learns all words of the turn so far, whether they are final, and whether the turn is
    over: as they come from a live recognizer, else from one that was asked early.
    """

    def __init__(self, recognizers: Sequence[Recognizer], rate: int, observer: Observer) -> None:
        self.told: Callable[[str, bool, bool], None] = lambda text, final, over: None
        self._words = LiveWords()
        self._live: LiveRecognizer | None = None
        self._looked_at: object = None  # who was asked first when we last looked
        self._pace = Pace(None)
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

    @property
    def hearing(self) -> Hearing:
        """What the recognizer can that is asked first."""
        first = self._line_up.all and self._line_up.first
        punctuates = bool(getattr(first, "punctuates", False))
        if isinstance(first, LiveRecognizer):
            paced = isinstance(first, PacedRecognizer) and not first.ends_turns
            return Hearing(True, punctuates, first.ends_turns, paced)
        return Hearing(punctuates=punctuates)

    async def prepare(self) -> None:
        """Let the recognizers open connections; of live ones, who keep theirs, the first alone."""
        await prepare(
            one for one in self._line_up.all
            if one is self._line_up.first or not isinstance(one, LiveRecognizer)
        )  # fmt: skip

    def known(self) -> Understood | None:
        """Tell what is known of the turn already."""
        if self._live:
            return Understood(self._words.text) if self._words.text else None
        early = self._early
        done = early is not None and early.done() and not early.cancelled()
        return early.result() if early and done and not early.exception() else None

    def hear(self, frame: AudioFrame) -> None:
        """Take a frame: of the turn if one has begun, else to be remembered for a moment."""
        self._listen()
        if self._live:
            self._give(frame.samples)
        if self._turn is not None:
            self._take(frame.samples)
            return
        self._before.append(frame)
        while len(self._before) > 1 and frame.at - self._before[1].at >= _PRE_ROLL:
            self._before.popleft()  # a frame goes once those after it are enough

    def begin(self, expectation: Expectation) -> None:
        """Begin a turn, with what came just before."""
        self.resume()
        self._expectation, self._turn = expectation, []
        if self._live:
            self._live.begin(expectation)
            self._pace.begin()
        elif self._line_up.all:
            self._use(self._line_up.first, self._turn)
        for frame in self._before:
            self._take(frame.samples)
        self._before.clear()

    def decided(self, heard: Voicing) -> None:
        """Learn whether a voice was there: a live recognizer may want to know where it pauses."""
        self._pace.hear(heard)

    def speculate(self) -> None:
        """Begin to recognise: the turn is probably over."""
        self.resume()
        if self._turn is not None and not self._live:
            self._early = asyncio.create_task(self._finish(self._turn))
            self._early.add_done_callback(self._understood)

    def resume(self) -> None:
        """The turn was not over."""
        if self._early:
            self._early.cancel()
            self._early = None

    def forget(self) -> None:
        """Let the turn go, and its words."""
        self.resume()
        self._pace.forget()
        self._turn = None
        self._words.take()

    def forget_words(self) -> None:
        """Let the words go that were told so far, and go on to hear."""
        self._words.take()

    def end(self) -> None:
        """End the turn, whose words are known."""
        self._pace.end()
        self.forget()

    def take(self) -> Taken:
        """End the turn at once: what is heard from now on belongs to the next."""
        self._pace.end()
        early, self._early = self._early, None
        turn, self._turn = self._turn or [], None
        return Taken(early, turn, self._words.take())

    def give_back(self, taken: Taken) -> None:
        """Have what was taken join the present turn: nobody has begun to answer it."""
        if taken.early:
            taken.early.cancel()
        self._words.give_back(taken.text)
        if self._turn is not None and not self._live:
            self._turn[:0] = taken.turn
            self._told = None

    async def understand(self, taken: Taken | None = None) -> Understood:
        """Tell what was said in a turn that was taken, or in the present one, which ends.

        Raises ProviderError once no recognizer works. Who speaks on meanwhile begins a new turn;
        where this one is broken off for its sake, they become one.
        """
        taken = taken or self.take()
        early = taken.early
        if taken.text:
            return Understood(taken.text)
        try:
            return await (early if early else self._finish(taken.turn))
        except asyncio.CancelledError:
            self.give_back(taken)
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
            is_told = recognizer is self._using and turn is self._told
            if not is_told and recognizer is not self._live:
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

    def _understood(self, early: "asyncio.Task[Understood]") -> None:
        """Tell what was understood of a turn that is perhaps over; a failure is met at its end."""
        if early is self._early and not early.cancelled() and not early.exception():
            self.told(early.result().text, True, False)

    def _listen(self) -> None:
        """Let a live recognizer, where there is one, listen from now on."""
        first = self._line_up.all and self._line_up.first
        if first is self._looked_at:
            return
        self._looked_at = first
        if not (self._live or isinstance(first, LiveRecognizer)):
            return
        self._live = first if isinstance(first, LiveRecognizer) else None
        self._words, self._told, self._pace = LiveWords(), None, Pace(self._live)
        if self._live:
            self._using = self._live
            self._resampler = _between(self._rate, self._live.rate)
            self._live.listen(self._heard, self._failed)
        if self._live and self._turn is not None:  # another has failed in the midst of it
            self._live.begin(self._expectation)
            self._pace.begin(goes_on=True)
            for samples in self._turn:
                self._give(samples)

    def _heard(self, heard: Heard) -> None:
        before = self._words.text
        self._words.told(heard.text, final=heard.final)
        if self._live and heard.final:
            self._line_up.worked(self._live)
        if self._words.text != before or heard.final or heard.over:
            self.told(self._words.text, self._words.final, heard.over)

    def _failed(self, error: ProviderError) -> None:
        if self._live:
            self._line_up.failed(self._live, error)

    def _use(self, recognizer: Recognizer, turn: list[Samples]) -> None:
        """Let a recognizer hear a turn from its beginning."""
        rate = recognizer.rate
        self._using, self._told = recognizer, turn
        self._resampler = _between(self._rate, rate)
        recognizer.begin(self._expectation)
        for samples in turn:
            self._give(samples)

    def _take(self, samples: Samples) -> None:
        if self._turn is not None:
            self._turn.append(samples)
            if self._turn is self._told and not self._live:
                self._give(samples)

    def _give(self, samples: Samples) -> None:
        if self._using:
            self._using.feed(self._resampler.push(samples) if self._resampler else samples)


def _between(ours: int, theirs: int) -> Resampler | None:
    return Resampler(ours, theirs) if ours != theirs else None
