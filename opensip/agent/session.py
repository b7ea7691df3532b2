"""One caller and one agent: hears, decides whose turn it is, answers, and knows what was heard.

`turn_taking` decides, purely; this carries out what it commands. One task listens, one answers.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing, suppress
from typing import Any

from opensip.agent import providers as providing
from opensip.agent.conversation import Conversation
from opensip.agent.definition import Agent
from opensip.agent.ear import Ear
from opensip.agent.fillers import Fillers
from opensip.agent.keypad import Keypad
from opensip.agent.listening import cancelled, listen
from opensip.agent.mind import Ask, Mind
from opensip.agent.minutes import Minutes
from opensip.agent.mouth import Mouth
from opensip.agent.outcome import CallerLeft, Escalate, Hangup, Outcome
from opensip.agent.providers import (
    HangUp,
    Looked,
    Meant,
    Prompted,
    Providers,
    Say,
    Transfer,
    Understood,
)
from opensip.agent.readiness import Readiness
from opensip.agent.spoken import standing_words
from opensip.agent.turn_clock import TurnClock
from opensip.agent.turn_taking import (
    AgentIs,
    Caller,
    Do,
    Event,
    Expecting,
    Frame,
    Hold,
    Key,
    Speech,
    State,
    Tick,
    step,
)
from opensip.agent.voice_activity import VoiceActivity
from opensip.audio.frame import AudioFrame, AudioSink, AudioSource
from opensip.errors import ProviderError
from opensip.events import BargedIn, Observer, SpeechEnded, SpeechStarted


class AgentSession:
    """Talks with one caller. Raises ConfigError where a provider cannot be made."""

    def __init__(
        self,
        agent: Agent,
        *,
        source: AudioSource,
        sink: AudioSink,
        observer: Observer,
        now: Callable[[], float],
        variables: Mapping[str, str] | None = None,
        providers: Providers | None = None,
    ) -> None:
        made = providers or providing.make(agent, variables)
        self.agent = agent
        self.press: Callable[[str], None] = lambda digits: None
        self.record: Callable[[bool], None] = lambda on: None
        press = lambda digits: self.press(digits)  # noqa: E731, PLW0108 - both are set later
        record = lambda on: self.record(on)  # noqa: E731, PLW0108
        self._minutes = Minutes(observer, now, press, record)
        self._source, self._sink, self._observer, self._now = source, sink, observer, now
        self._mind = Mind(made.dialogues, observer, now)
        self._ear = Ear(made.recognizers, source.rate, observer)
        self._mouth = Mouth(
            made.synthesizers, sink, observer, now,
            language=agent.language, standing=standing_words(agent),
        )  # fmt: skip
        self._fillers = Fillers(
            agent.bridges, agent.bridge_seconds,
            mouth=self._mouth, sink=sink, observer=observer, now=now,
        )  # fmt: skip
        self._readiness = Readiness(agent, self._mouth, self._mind)
        self._apologies = 0
        self._activity = VoiceActivity()
        self._turns = State(idle=agent.idle_seconds)
        self._opening: Ask = lambda d: d.open()
        self._answering: asyncio.Task[None] | None = None
        self._outcome: asyncio.Future[Outcome] | None = None
        self._leaving = False  # the last words are being said: nothing interrupts them
        self._clock: TurnClock | None = None
        self._keypad = Keypad(self._keyed)

    @property
    def conversation(self) -> Conversation:
        """What was said so far."""
        return self._minutes.conversation

    async def prepare(self) -> None:
        """Open connections and have the first words spoken, while the phone rings."""
        await self._readiness.prepare()

    async def run(self) -> Outcome:
        """Talk until the call is to end, the caller left, or a human is to take over."""
        self._outcome = asyncio.get_running_loop().create_future()
        self._leaving = False
        listening = asyncio.create_task(self._listen(self._now()))
        self._answer(self._opening)
        try:
            waited: set[asyncio.Future[Any]] = {listening, self._outcome}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if not self._outcome.done():
                listening.result()
            return self._outcome.result()
        finally:
            self._keypad.clear()
            await cancelled(listening, self._answering)
            self._answering = None
            self._ear.forget()
            if not self._mouth.silent:
                self._told(self._mouth.stop(), interrupted=True)

    def digit(self, digit: str) -> None:
        """Take a key that the caller pressed: 0-9, *, #, A-D."""
        self._step(Key(self._now()))
        if not self._leaving and self._outcome and not self._outcome.done():
            self._keypad.press(digit, self._mind.expectation().keys)

    def hold(self, on: bool) -> None:
        """Learn that the caller holds us: music is no speech, and silence no want of an answer."""
        self._step(Hold(self._now(), on))

    async def say(self, text: str) -> str:
        """Say something that is no part of the dialogue; returns what was heard of it."""
        await self._mouth.say(text)
        heard = await self._mouth.finish()
        self._told(heard, interrupted=False)
        return heard

    def transfer_failed(self, words: str = "") -> None:
        """Let the next `run` begin by saying that nobody took the call; "" says so in our words."""
        self._opening = lambda dialogue: dialogue.transfer_failed(words)

    async def close(self) -> None:
        """Let the providers go."""
        await self._readiness.close()
        await self._ear.close()
        await self._mind.close()

    # ---- hearing

    async def _listen(self, since: float) -> None:
        """Hear the caller until the audio ends; what came before `since` is past."""
        await listen(
            self._source, since=since, now=self._now, deadline=self._deadline,
            heard=self._heard, tick=lambda at: self._step(Tick(at)),
        )  # fmt: skip
        self._end(CallerLeft())

    def _deadline(self) -> float | None:
        return self._turns.deadline()

    def _heard(self, frame: AudioFrame) -> None:
        self._ear.hear(frame)
        voiced = self._activity.voiced(frame.level_dbfs, frame.seconds)
        self._step(Frame(frame.at, frame.seconds, voiced))
        self._note_turn()

    def _step(self, event: Event) -> None:
        self._turns, commands = step(self._turns, event)
        for command in commands:
            self._carry_out(command)

    def _carry_out(self, command: Do) -> None:
        match command:
            case Do.BEGIN:
                self._ear.begin(self._mind.expectation())
            case Do.FORGET:
                self._ear.forget()
            case Do.CONFIRM:
                self._observer.note(SpeechStarted(self._turns.began))
            case Do.SPECULATE:
                self._ear.speculate()
            case Do.RESUME:
                self._ear.resume()
            case Do.END if self._leaving:
                self._ear.forget()
            case Do.END:
                self._turn_ended()
            case Do.STOP_VOICE:
                self._interrupt()
            case Do.IDLE if not self._keypad.waiting:
                self._answer(lambda dialogue: dialogue.idle())

    def _interrupt(self) -> None:
        if self._leaving:
            return
        self._clock = None
        if self._break_off() and self._turns.caller is not Caller.QUIET:
            now = self._now()
            self._observer.note(BargedIn(now, max(0.0, now - self._turns.began) * 1000))

    def _break_off(self) -> bool:
        """Give up the present answer, and tell whether it was being spoken."""
        self._fillers.stop()
        if self._answering:
            self._answering.cancel()
            self._answering = None
        if self._mouth.silent:
            return False
        self._told(self._mouth.stop(), interrupted=True)
        return True

    def _turn_ended(self) -> None:
        now = self._now()
        self._observer.note(SpeechEnded(now, self._turns.voiced_until))
        self._clock = TurnClock(self._turns.voiced_until, now)
        self._start(self._answer_speech(self._clock))

    def _keyed(self, keys: str) -> None:
        now = self._now()
        self._clock = TurnClock(now, now, now)
        turn = Understood(keys, 1.0, "dtmf")
        self._answer(lambda dialogue: dialogue.answer(turn), turn)

    # ---- answering

    def _answer(self, ask: Ask, turn: Understood | None = None) -> None:
        self._start(self._give(ask, turn))

    def _start(self, answer: "asyncio._CoroutineLike[None]") -> None:
        self._break_off()
        self._step(AgentIs(self._now(), Speech.THINKING))
        since = self._clock.voiced_until if self._clock else self._now()
        self._fillers.start(self._now(), since)
        self._answering = asyncio.create_task(answer)
        self._answering.add_done_callback(self._answered)

    def _answered(self, task: asyncio.Task[None]) -> None:
        """Let a bug in an answer end the conversation loudly, not silently."""
        error = None if task.cancelled() else task.exception()
        if error and self._outcome and not self._outcome.done():
            self._outcome.set_exception(error)

    async def _answer_speech(self, clock: TurnClock) -> None:
        try:
            turn = await self._ear.understand()
        except ProviderError as error:
            await self._apologise(str(error))
            return
        clock.recognized = self._now()
        await self._give(lambda dialogue: dialogue.answer(turn), turn)

    async def _give(self, ask: Ask, turn: Understood | None) -> None:
        try:
            await self._perform(ask, turn)
        except ProviderError as error:
            await self._apologise(str(error))

    async def _perform(self, ask: Ask, turn: Understood | None) -> None:
        last = await self._acted(ask, turn)
        self._fillers.stop()
        heard = await self._mouth.finish()
        self._told(heard, interrupted=False)
        self._step(AgentIs(self._now(), Speech.IDLE))
        self._note_turn()
        self._expect()
        if isinstance(last, HangUp):
            self._end(Hangup(last.why))
        elif last:
            self._escalate(last)

    async def _acted(self, ask: Ask, turn: Understood | None) -> HangUp | Transfer | None:
        """Say and do what the dialogue wants; returns how the call is to end, if it is."""
        last: HangUp | Transfer | None = None
        try:
            async with aclosing(self._mind.acts(ask)) as acts:
                async for act in acts:
                    if turn and not isinstance(act, Looked | Prompted):
                        self._minutes.caller_said(turn, act if isinstance(act, Meant) else None)
                        turn = None
                    match act:
                        case Say(text):
                            await self._say(text)
                        case HangUp() | Transfer():
                            last, self._leaving = act, True
                        case _:
                            self._minutes.acted(act)
        finally:
            if turn:  # broken off before it came to anything: it was said all the same
                self._minutes.caller_said(turn, None)
        return last

    async def _say(self, text: str) -> None:
        clock = self._clock
        if clock and clock.worded is None:
            clock.worded = self._now()
        first = not self._mouth.answering
        start = await self._mouth.say(text)
        if first:
            self._step(AgentIs(self._now(), Speech.SPEAKING))
        if clock:
            clock.said(self._now(), start)

    async def _apologise(self, why: str) -> None:
        """Say that something failed, and hand over; where nobody can or did, ask to call again."""
        self._leaving = True
        self._apologies += 1
        alone = self.agent.human not in self.agent.directory or self._apologies > 1
        words = [self.agent.reply("apology"), *([self.agent.reply("call_again")] * alone)]
        with suppress(ProviderError):  # without a voice there is no apology either
            await self._mouth.say(" ".join(words))
        self._fillers.stop()
        self._told(await self._mouth.finish(), interrupted=False)
        if alone:
            self._end(Hangup(why))
        else:
            self._escalate(Transfer(self.agent.human, "", 0.0, why))

    # ---- keeping account

    def _told(self, heard: str, *, interrupted: bool) -> None:
        self._minutes.agent_said(heard, interrupted=interrupted)
        self._mind.heard(heard, interrupted=interrupted)

    def _note_turn(self) -> None:
        """Note where the time of an answer went, once its first sample has been played."""
        clock, played = self._clock, self._sink.played()
        if clock and clock.start is not None and played > clock.start:
            self._clock, now = None, self._now()
            since = (played - clock.start) / self._sink.rate
            self._observer.note(clock.taken(now, max(clock.voiced, now - since)))

    def _expect(self) -> None:
        expected = self._mind.expectation()
        self._step(Expecting(expected.end_silence, self.agent.idle_seconds))

    def _escalate(self, last: Transfer) -> None:
        intent, summary = self._minutes.handed_over(last)
        self._end(Escalate(last.target, intent, last.confidence, summary, last.why))

    def _end(self, outcome: Outcome) -> None:
        if self._outcome and not self._outcome.done():
            self._outcome.set_result(outcome)
