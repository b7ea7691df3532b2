"""One realtime provider's talk with the caller, from its opening to its goodbye.

The provider decides when it speaks; what was heard of it, what its tools do and how the call
ends is decided here.
"""

import asyncio
from contextlib import aclosing

from opensip.agent import live
from opensip.agent.caller_voice import PAUSE
from opensip.agent.consequences import consequences
from opensip.agent.first_sound import FirstSound
from opensip.agent.keypad import Keypad
from opensip.agent.listening import cancelled
from opensip.agent.live import Opening, Realtime, Told
from opensip.agent.means import Means
from opensip.agent.memory import Call
from opensip.agent.patience import Patience
from opensip.agent.providers import Act, HangUp, Looked, Prompted, Transfer, Understood
from opensip.agent.tools import builtin
from opensip.agent.turn_clock import TurnClock
from opensip.agent.utterances import Utterances
from opensip.audio.frame import AudioFrame
from opensip.audio.resample import live_resampler
from opensip.errors import ProviderError
from opensip.events import AgentSaid, BargedIn, SpeechEnded, SpeechStarted

_INTERRUPTS = 0.4  # seconds of a voice that want silence of a provider that failed
_UNTOLD = 10.0  # seconds of silence that nobody calls a turn's end: no detection waits longer
_SILENT = HangUp("the caller was silent")

Ends = HangUp | Transfer


class Talk:
    """`run` once. Afterwards `spoke` tells whether its last answer could be heard.

    Where a provider fails, what was queued of it goes on and is to be given its `rest`, or to be
    stopped: only then is it known what was heard.
    """

    def __init__(self, provider: Realtime, rate: int, means: Means) -> None:
        self.last: Ends | None = None  # how the provider wants the call to end
        self.spoke = False
        self._provider = provider
        self._means = means
        self._resampler = live_resampler(rate, provider.rate)
        self._utterances = Utterances(self._told, means.sink.rate)
        self._keypad = Keypad(self._keyed)
        self._wanted_keys = 0
        self._turn_ended = self._asked = means.now()  # the caller's last turn; what there was of it
        self._timed = FirstSound()
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._patience = Patience(provider.patience, means.fillers, means.now, self._fail)
        self._speaking = False  # the caller, as the provider told
        self._answers_itself = False  # the provider, to a turn that ended
        self._answering = False  # the provider is making an answer
        self._awaited = False  # nothing was heard of the answer yet that is waited for
        self._begun = False  # that answer
        self._repeated = False  # it was wanted twice: the first one held nothing
        self._owed = False  # it was given results or keys, and is to make something of them
        self._working = 0  # tools of this talk
        self._has_begun = self._failed = False

    async def run(self, opening: Opening) -> Ends | None:
        """Talk; None: the provider said goodbye. Raises ProviderError."""
        self._patience.bridge(self._means.now())
        try:
            return await self._run(opening)
        except ProviderError:
            self._failed = True
            raise
        finally:
            self._patience.end(bridged=self._failed)
            self._keypad.clear()
            if not self._failed:
                self.stop()

    async def _run(self, opening: Opening) -> Ends | None:
        await self._provider.begin(opening)
        self._has_begun = True
        if opening.cause == "fallback" and len(missed := self._means.voice.missed()):
            self._provider.hear(self._resampler.push(missed))
        reading = asyncio.create_task(self._read())
        self._patience.begin(self._provider.first_sound)
        self._wait()
        try:
            await asyncio.wait({reading, self._over}, return_when=asyncio.FIRST_COMPLETED)
            await (reading if reading.done() else self._over)
            if not self._over.done():  # it said goodbye: what tools give now is for nobody
                self._over.set_result(None)
            self._patience.calm()
            await self._means.playout.drained()  # its last words are heard
            return self.last
        finally:
            if self._over.done():
                self._over.exception()  # where the reader failed first, its error counts
            self._over.cancel()  # tools that end later have nobody to tell
            await cancelled(reading)

    async def rest(self) -> None:
        """Wait until what a provider that failed had said was heard, or the caller spoke."""
        await self._means.playout.drained()
        self.stop()

    def stop(self) -> None:
        """Be silent at once, and keep account of what was heard."""
        self._utterances.cut(self._means.sink.played())
        self._means.playout.cut()

    def hear(self, frame: AudioFrame) -> None:
        """Take what the caller says."""
        if self._failed and self._means.voice.is_there and self._means.voice.lasted > _INTERRUPTS:
            self.stop()
        if self._has_begun and self.last is None and not self._failed:
            self._provider.hear(self._resampler.push(frame.samples))
            self._miss_end(frame.at)
            self._miss_caller(frame.at)
        if self._timed.clock and (taken := self._timed.played(self._means.now(), self._means.sink)):
            self._means.observer.note(taken)

    def _miss_end(self, at: float) -> None:
        """Want an answer ourselves where the provider misses that the caller fell silent."""
        patient = self._provider.patience is not None and not self._patience.limits
        if self._speaking and patient and at > max(self._means.voice.until, self._asked) + _UNTOLD:
            self._speaking = False
            self._owed = True
            self._settle()

    def _miss_caller(self, at: float) -> None:
        """Ask whether anybody is there where both sides are silent, and at last leave."""
        if self._provider.patience is None:  # a bot is silent for reasons of its own
            return
        at_work = self._awaited or self._answering or self._working > 0 or self._owed
        speaking = self._speaking or at < self._means.voice.until + PAUSE
        busy = at_work or speaking or self._means.sink.queued() > 0
        if note := self._means.idle.look(at, busy=busy):
            self._provider.note(note)
            self._provider.go_on()
            self.spoke = False
            self._awaited, self._begun = True, False
            self._patience.limit()  # of which nothing is said: nobody waits for it

    def digit(self, digit: str) -> None:
        """Take a key that the caller pressed."""
        if self.last is not None or self._failed:
            return
        if self._provider.single_keys:
            self._provider.press(digit)
        elif not self._keypad.is_late_end(digit):
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
                self._ended(told.item)
            case live.Understood(text, item):
                self._means.memory.turn_told(item, text)
                self._means.voice.settle(self._turn_ended)
                self._means.minutes.caller_said(Understood(text), None)
            case live.Answering():
                self._answering, self.spoke = True, False
                self._begun, self._speaking, self._answers_itself = True, False, False
            case live.Answered():
                self._answered(told)
            case Call():
                self._run_tool(told)

    def _sound(self, sound: live.Sound) -> None:
        if self._utterances.is_over(sound.item):
            return
        self._awaited = self._repeated = False
        bot = self._provider.patience is None  # it does not tell of turns
        self._means.voice.settle(self._means.voice.until if bot else self._turn_ended)
        playout = self._means.playout
        start = playout.play(sound.samples, sound.rate)
        self.spoke = True
        left = self._means.sink.queued() / self._means.sink.rate
        self._patience.sounded(left, more=self._answering)
        if sound.item:
            self._utterances.sounded(sound.item, start, playout.end)
        self._timed.sounded(self._means.now(), start)

    def _began(self) -> None:
        """The caller speaks: fall silent, and tell what was heard."""
        means, now = self._means, self._means.now()
        self._patience.calm()
        means.idle.heard()
        self._timed.clock = None
        self._speaking, self._awaited, self._asked = True, False, now
        began = means.voice.begun(now)
        means.observer.note(SpeechStarted(began))
        played = means.sink.played()
        cuts = self._utterances.cut(played)
        if means.playout.cut():
            means.observer.note(BargedIn(now, (now - began) * 1000))
        for item, heard in cuts:
            self._provider.cut(item, heard / means.sink.rate)

    def _ended(self, item: str) -> None:
        now = self._means.now()
        self._speaking, self._answers_itself, self._repeated = False, True, False
        self._means.memory.turn_ended(item)
        self._wanted_keys = 0
        self._turn_ended = self._asked = self._means.voice.ended(self._asked, now)
        self._means.observer.note(SpeechEnded(now, self._asked))
        self._timed.begin(TurnClock(self._asked, now, "the service"))
        self._wait()

    def _answered(self, told: live.Answered) -> None:
        self._answering = False
        if self._means.idle.leaves:
            self.last = self.last or _SILENT
        if told.model:
            name, prompt = self._provider.name, getattr(self._provider, "prompt", "")
            answer = Prompted(name, told.model, prompt, told.tokens_in, told.tokens_out)
            self._means.minutes.acted(answer)
        if self._begun or not self._awaited:  # else another is waited for, begun after this one
            self._patience.calm(bridged=self._working > 0 or self._owed)
            if self._working:  # sound that came after the call has ended the bridge
                self._patience.bridge(self._means.now())
            if self._awaited and not self._owed:
                self._held_nothing()

    def _held_nothing(self) -> None:
        """Want an answer once more; a provider that has none then either has failed."""
        if self._repeated:
            self._fail("an answer without sound, twice")
        self._owed = self._repeated = True

    # ---- tools

    def _run_tool(self, call: Call) -> None:
        self._working += 1
        self._owed = True
        self._awaited = self._repeated = False
        self._patience.calm(bridged=True)
        self._patience.bridge(self._means.now())
        if self._answering:
            self._patience.limit()
        self._means.calls[call] = ""
        task = asyncio.create_task(self._tool(call))
        self._means.running.add(task)
        task.add_done_callback(self._means.running.discard)
        task.add_done_callback(self._tool_ended)

    async def _tool(self, call: Call) -> None:
        acts, shown = await self._means.tools.run(call)
        self._means.calls[call] = shown
        for act in acts:
            self._means.minutes.acted(act)
            self._consider(act)
        if self.last is None and not self._over.done():
            self._provider.give(call, shown)

    def _consider(self, done: Act) -> None:
        collects = isinstance(done, Looked) and done.name == builtin.COLLECT_DIGITS
        if isinstance(done, Looked) and collects and not done.error:
            self._wanted_keys = max(int(done.arguments["count"]), 0)
        for act in consequences(done, self._means.agent):
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
            if not (self._speaking or self._answers_itself):  # to the turn, and to results at once
                self._provider.go_on()
                self._wait()

    def _wait(self) -> None:
        """Wait for an answer no longer than the provider may take, and bridge the wait."""
        self._awaited, self._begun = True, False
        self._patience.limit()
        self._patience.bridge(self._asked)

    def _fail(self, why: str) -> None:
        if self._over.done():
            return
        if self._means.idle.leaves:
            self.last = self.last or _SILENT
        if self.last is not None:  # it has done what mattered
            self._over.set_result(None)
        else:
            name = self._provider.name
            self._over.set_exception(ProviderError(f"{name}: {why}", provider=name))

    # ---- keys, and keeping account

    def _keyed(self, keys: str) -> None:
        self._began()
        self._means.memory.turn_ended(text="")  # keys are no yes
        self._means.minutes.caller_said(Understood(keys, 1.0, "dtmf"), None)
        now = self._asked = self._means.now()
        self._timed.begin(TurnClock(now, now, "a key"))
        self._wanted_keys = 0
        self._provider.press(keys)
        self._speaking, self._answers_itself = False, False
        self._owed = True
        if self._answering and not self._working:  # the answer that was begun must end first
            self._wait()
        self._settle()

    def _told(self, text: str, heard: str, cut: bool) -> None:
        self._means.observer.note(AgentSaid(self._means.now(), text, heard, cut and heard != text))
        self._means.minutes.agent_said(heard, interrupted=cut and heard != text)
