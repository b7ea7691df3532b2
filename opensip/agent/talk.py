"""One realtime provider's talk with the caller, from its opening to its goodbye.

The provider decides when it speaks; what was heard of it, what its tools do and how the call
ends is decided here.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from opensip.agent import live, voice_activity
from opensip.agent.consequences import consequences
from opensip.agent.definition import Agent
from opensip.agent.fillers import Fillers
from opensip.agent.keypad import Keypad
from opensip.agent.listening import cancelled
from opensip.agent.live import Opening, Realtime, Told
from opensip.agent.memory import Call, Memory
from opensip.agent.minutes import Minutes
from opensip.agent.playout import Playout
from opensip.agent.providers import HangUp, Looked, Prompted, Transfer, Understood
from opensip.agent.toolbox import Toolbox
from opensip.agent.tools import builtin
from opensip.agent.turn_clock import TurnClock
from opensip.agent.utterances import Utterances
from opensip.agent.voice_activity import Voicing
from opensip.audio.frame import AudioFrame, AudioSink
from opensip.audio.resample import live_resampler
from opensip.errors import ProviderError
from opensip.events import AgentSaid, BargedIn, Observer, SpeechEnded, SpeechStarted

_PAUSE = 0.3  # seconds without a voice after which speech is a new beginning

Ends = HangUp | Transfer


@dataclass(frozen=True, slots=True)
class Means:
    """What the talks of one call share."""

    agent: Agent
    sink: AudioSink
    playout: Playout
    minutes: Minutes
    memory: Memory
    tools: Toolbox
    fillers: Fillers
    observer: Observer
    now: Callable[[], float]
    running: set[asyncio.Task[None]] = field(default_factory=set)  # tools at work


class Talk:
    """`run` once. Afterwards `spoke` tells whether its last answer could be heard."""

    def __init__(self, provider: Realtime, rate: int, means: Means) -> None:
        self.last: Ends | None = None  # how the provider wants the call to end
        self.spoke = False
        self._provider = provider
        self._means = means
        self._resampler = live_resampler(rate, provider.rate)
        self._utterances = Utterances(self._told)
        self._keypad = Keypad(self._keyed)
        self._wanted_keys = 0
        self._activity = voice_activity.make(means.agent.voice_activity, rate, self._decided)
        self._voiced_from = self._voiced_until = means.now()
        self._clock: TurnClock | None = None
        self._first: tuple[float, int] | None = None  # when and where its answer's sound begins
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._patience: asyncio.TimerHandle | None = None
        self._answering = False  # the provider is making an answer
        self._owed = False  # it was given results, and is to make something of them
        self._working = 0  # tools of this talk
        self._ran: Counter[tuple[str, str]] = Counter()  # tools since the caller's last turn

    async def run(self, opening: Opening) -> Ends | None:
        """Talk; None: the provider said goodbye. Raises ProviderError."""
        await self._provider.begin(opening)
        reading = asyncio.create_task(self._read())
        self._wait()
        try:
            await asyncio.wait({reading, self._over}, return_when=asyncio.FIRST_COMPLETED)
            await (reading if reading.done() else self._over)
            self._calm()
            await self._means.playout.drained()  # its last words are heard
            return self.last
        finally:
            self._calm()
            self._keypad.clear()
            await cancelled(reading)
            if self._over.done():
                self._over.exception()  # where the reader failed first, its error counts
            self._utterances.cut(self._means.sink.played())

    def hear(self, frame: AudioFrame) -> None:
        """Take what the caller says."""
        self._activity.hear(frame)
        if self.last is None:
            self._provider.hear(self._resampler.push(frame.samples))
        self._note_turn()

    def _decided(self, heard: Voicing) -> None:
        if heard.voiced:
            if heard.at > self._voiced_until + _PAUSE:
                self._voiced_from = heard.at
            self._voiced_until = heard.at + heard.seconds

    def digit(self, digit: str) -> None:
        """Take a key that the caller pressed."""
        if self.last is not None:
            return
        if self._provider.single_keys:
            self._provider.press(digit)
        else:
            self._keypad.press(digit, self._wanted_keys)

    # ---- what the provider tells

    async def _read(self) -> None:
        told = self._provider.told()
        async with aclosing(told):  # type: ignore[type-var]  # every provider's is a generator
            async for one in told:
                self._take(one)
                self._settle()

    def _take(self, told: Told) -> None:  # noqa: C901 - one case for each thing that is told
        match told:
            case live.Sound():
                self._sound(told)
            case live.Spoken(item, text):
                self._utterances.spoken(item, text)
            case live.Finished(item):
                self._utterances.finished(item)
                self._means.playout.then(lambda: self._utterances.heard_out(item))
            case live.Marked(name):
                self._means.playout.then(lambda: self._provider.reached(name))
            case live.Cut():
                self._means.playout.cut()
            case live.Began() if self.last is None:
                self._began()
            case live.Ended() if self.last is None:
                self._ended()
            case live.Understood(text):
                self._means.minutes.caller_said(Understood(text), None)
            case live.Answering():
                self._answering, self.spoke = True, False
            case live.Answered():
                self._answered(told)
            case Call():
                self._run_tool(told)

    def _sound(self, sound: live.Sound) -> None:
        if self._utterances.is_over(sound.item):
            return
        self._calm()
        playout, now = self._means.playout, self._means.now()
        start = playout.play(sound.samples, sound.rate)
        self.spoke = True
        if sound.item:
            self._utterances.sounded(sound.item, start, playout.end)
        if self._clock:
            self._first = self._first or (now, start)

    def _began(self) -> None:
        """The caller speaks: fall silent, and tell what was heard."""
        means, now = self._means, self._means.now()
        self._calm()
        self._clock = None
        means.observer.note(SpeechStarted(min(self._voiced_from, now)))
        played = means.sink.played()
        cuts = self._utterances.cut(played)
        if means.playout.cut():
            means.observer.note(BargedIn(now, max(0.0, now - self._voiced_from) * 1000))
        for item, heard in cuts:
            self._provider.cut(item, heard / means.sink.rate)

    def _ended(self) -> None:
        now = self._means.now()
        self._means.memory.turns += 1
        self._ran.clear()
        self._wanted_keys = 0
        self._means.observer.note(SpeechEnded(now, min(self._voiced_until, now)))
        self._time(TurnClock(min(self._voiced_until, now), now, "the service"))
        self._wait()

    def _answered(self, told: live.Answered) -> None:
        self._answering = False
        self._calm()
        if told.model:
            name, prompt = self._provider.name, getattr(self._provider, "prompt", "")
            answer = Prompted(name, told.model, prompt, told.tokens_in, told.tokens_out)
            self._means.minutes.acted(answer)

    # ---- tools

    def _run_tool(self, call: Call) -> None:
        self._working += 1
        self._owed = True
        task = asyncio.create_task(self._tool(call))
        self._means.running.add(task)
        task.add_done_callback(self._means.running.discard)
        task.add_done_callback(self._tool_ended)

    async def _tool(self, call: Call) -> None:
        key = (call.name, call.arguments)
        self._ran[key] += 1
        looked, shown = await self._means.tools.run(call, repeats=self._ran[key] - 1)
        self._means.minutes.acted(looked)
        self._consider(looked)
        if self.last is None and not self._over.done():
            self._provider.give(call, shown)

    def _consider(self, looked: Looked) -> None:
        if looked.name == builtin.COLLECT_DIGITS and not looked.error:
            self._wanted_keys = max(int(looked.arguments["count"]), 0)
        for act in consequences(looked):
            if isinstance(act, HangUp | Transfer):
                self.last = self.last or act
            else:
                self._means.minutes.acted(act)

    def _tool_ended(self, task: asyncio.Task[None]) -> None:
        self._working -= 1
        error = None if task.cancelled() else task.exception()
        if error is not None and not self._over.done():
            self._over.set_exception(error)
        self._settle()

    def _settle(self) -> None:
        """Once tools and answer are done: end the talk, or want what follows of the results."""
        if self._answering or self._working or self._over.done():
            return
        if self.last is not None:
            self._over.set_result(None)
        elif self._owed:
            self._owed = False
            self._provider.go_on()
            self._wait()

    # ---- patience

    def _wait(self) -> None:
        """Wait for an answer no longer than the provider may take, and bridge the wait."""
        self._calm()
        seconds = self._provider.patience
        if seconds is not None:
            loop = asyncio.get_running_loop()
            self._patience = loop.call_later(seconds, self._late, seconds)
            self._means.fillers.start(self._means.now(), self._voiced_until)

    def _calm(self) -> None:
        self._means.fillers.stop()
        if self._patience:
            self._patience.cancel()
            self._patience = None

    def _late(self, seconds: float) -> None:
        if not self._over.done():
            name = self._provider.name
            error = ProviderError(f"{name}: no answer within {seconds:g} s", provider=name)
            self._over.set_exception(error)

    # ---- keys, and keeping account

    def _keyed(self, keys: str) -> None:
        self._began()
        self._means.memory.turns += 1
        self._ran.clear()
        self._means.minutes.caller_said(Understood(keys, 1.0, "dtmf"), None)
        now = self._means.now()
        self._time(TurnClock(now, now, "a key"))
        self._wanted_keys = 0
        self._provider.press(keys)
        self._wait()

    def _told(self, text: str, heard: str, cut: bool) -> None:
        self._means.observer.note(AgentSaid(self._means.now(), text, heard, cut and heard != text))
        self._means.minutes.agent_said(heard, interrupted=cut and heard != text)

    def _note_turn(self) -> None:
        if self._clock is None or self._first is None:
            return
        sink, now, (voiced, start) = self._means.sink, self._means.now(), self._first
        if (beyond := sink.played() - start) > 0:
            played = max(voiced, now - beyond / sink.rate)
            taken = self._clock.taken(now, voiced=voiced, first_played=played)
            self._clock = self._first = None
            self._means.observer.note(taken)

    def _time(self, clock: TurnClock) -> None:
        self._clock, self._first = clock, None
