"""One caller and one agent: hears, decides whose turn it is, answers, and knows what was heard.

`turn_taking` decides, purely; this carries out what it commands. One task listens, one answers.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from opensip.agent import providers as providing
from opensip.agent import voice_activity
from opensip.agent.answering import Answering
from opensip.agent.conversation import Conversation
from opensip.agent.definition import Agent
from opensip.agent.ear import Ear
from opensip.agent.keypad import Keypad
from opensip.agent.listening import cancelled, listen
from opensip.agent.mind import Ask, Mind
from opensip.agent.minutes import Minutes
from opensip.agent.mouth import Mouth
from opensip.agent.outcome import CallerLeft, Escalate, Hangup, Outcome
from opensip.agent.own_voice import LEAST_WORDS, repeats
from opensip.agent.providers import HangUp, Providers, Transfer
from opensip.agent.readiness import Readiness
from opensip.agent.seat import Seat
from opensip.agent.spoken import standing_words
from opensip.agent.turn_events import (
    A_KEY,
    AgentIs,
    Caller,
    Decision,
    Do,
    Event,
    Expecting,
    Frame,
    Hold,
    Key,
    Speech,
    Tick,
    Words,
)
from opensip.agent.turn_state import State
from opensip.agent.turn_taking import deadline, may_go_on, stays_quiet, step
from opensip.agent.voice_activity import SILENT_DBFS, Voicing
from opensip.audio.frame import AudioFrame, Steady
from opensip.audio.level import pieces
from opensip.events import BargedIn, SpeechEnded, SpeechStarted, TurnDecided

_DECISIONS = {
    Do.SPECULATE: "speculated",
    Do.RESUME: "discarded",
    Do.COMMIT: "committed",
    Do.PAUSE_VOICE: "paused",
    Do.RESUME_VOICE: "resumed",
    Do.STOP_VOICE: "interrupted",
    Do.FORGET: "ignored",
    Do.IDLE: "asked",
}
_ECHO_SECONDS = 1.0  # words are told no later than this after the sound of them came back
_LEAKED_SECONDS = 0.3  # of an echo that are taken for a voice, at most: more is the caller's
_UNDONE = {"resumed": "paused", "discarded": "speculated", "interrupted": "committed"}
_UNTOLD = ("a click",)  # reasons of which every noisy line has too many


class AgentSession:
    """Talks with one caller. Raises ConfigError where a provider cannot be made."""

    def __init__(self, agent: Agent, seat: Seat, *, providers: Providers | None = None) -> None:
        made = providers or providing.make(agent, seat.variables)
        sink, observer, now = seat.sink, seat.observer, seat.now
        self.agent = agent
        self.press: Callable[[str], None] = lambda digits: None
        self.record: Callable[[bool], None] = lambda on: None
        press = lambda digits: self.press(digits)  # noqa: E731, PLW0108 - both are set later
        record = lambda on: self.record(on)  # noqa: E731, PLW0108
        self._minutes = Minutes(observer, now, press, record)
        self._source, self._sink, self._observer, self._now = seat.source, sink, observer, now
        self._mind = Mind(made.dialogues, observer, now)
        self._ear = Ear(made.recognizers, seat.source.rate, observer)
        self._mouth = Mouth(
            made.synthesizers, sink, observer, now,
            language=agent.language, standing=standing_words(agent),
            must_be_heard=agent.must_be_heard,
        )  # fmt: skip
        self._answering = Answering(
            agent, ear=self._ear, mind=self._mind, mouth=self._mouth, minutes=self._minutes,
            sink=sink, observer=observer, now=now,
        )  # fmt: skip
        self._ear.told, self._mouth.began = self._told, self._began_to_speak
        self._answering.agent_is = self._agent_is
        self._answering.ended, self._answering.failed = self._answered, self._failed
        self._readiness = Readiness(agent, self._ear, self._mouth, self._mind)
        self._voiced = self._echo = False  # of the last that was heard
        self._steady = Steady.NOTHING  # what goes on comes in longer frames
        self._activity = voice_activity.make(agent.voice_activity, seat.source.rate, self._decided)
        self._turns = State(
            idle=agent.idle_seconds, patience=agent.patience, hearing=self._ear.hearing
        )
        self._opening: Ask = lambda d: d.open()
        self._outcome: asyncio.Future[Outcome] | None = None
        self._echoed = float("-inf")  # when our own voice last came back
        self._keys = ""  # what was keyed during words that must be heard: answered after them
        self._target = ""  # whom the caller was handed to last
        self._silenced = 0.0  # when the agent's voice was paused last
        self._last: dict[str, float] = {}  # when what was decided of turns
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
        self._answering.begin()
        listening = asyncio.create_task(self._listen(self._now()))
        self._answering.answer(self._opening)
        try:
            waited: set[asyncio.Future[Any]] = {listening, self._outcome}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if not self._outcome.done():
                listening.result()
            return self._outcome.result()
        finally:
            self._keypad.clear()
            self._steady = self._source.steady = Steady.NOTHING
            await cancelled(listening)
            await self._answering.end()
            self._ear.forget()

    def digit(self, digit: str) -> None:
        """Take a key that the caller pressed: 0-9, *, #, A-D."""
        if self._answering.leaving or self._keypad.is_late_end(digit):
            return
        self._weigh_words()
        self._step(Key(self._now()))
        if self._outcome and not self._outcome.done():
            self._keypad.press(digit, self._mind.expectation().keys)

    def hold(self, on: bool) -> None:
        """Learn that the caller holds us: music is no speech, and silence no want of an answer."""
        self._step(Hold(self._now(), on))

    async def say(self, text: str) -> str:
        """Say something that is no part of the dialogue; returns what was heard of it."""
        await self._mouth.say(text)
        heard = await self._mouth.finish()
        self._answering.told(heard, interrupted=False)
        return heard

    def transfer_failed(self, words: str = "") -> None:
        """Let the next `run` begin by saying that nobody took the call; "" says so in our words."""
        words = words or self.agent.reply("transfer_failed")
        told = words.replace("{who}", self.agent.who(self._target))
        self._opening = lambda dialogue: dialogue.transfer_failed(told)

    async def close(self) -> None:
        """Let the providers go."""
        await self._readiness.close()
        await self._ear.close()
        for late in await self._mind.close():
            self._minutes.acted(late)

    # ---- what happens

    async def _listen(self, since: float) -> None:
        """Hear the caller until the audio ends; what came before `since` is past."""
        await listen(
            self._source, since=since, now=self._now, deadline=lambda: deadline(self._turns),
            heard=self._heard, tick=lambda at: self._step(Tick(at)),
        )  # fmt: skip
        self._end(CallerLeft())

    def _heard(self, frame: AudioFrame) -> None:
        """Hear a frame in pieces short enough to decide on, but all at once where that will do."""
        until = frame.at + frame.seconds
        quiet = frame.level_dbfs < SILENT_DBFS and stays_quiet(self._turns, until)
        for piece in (frame,) if quiet or self._steady is Steady.VOICE else pieces(frame):
            self._hear(piece, behind=until - piece.at - piece.seconds)

    def _hear(self, frame: AudioFrame, *, behind: float) -> None:
        self._ear.hear(frame)
        own = self._mouth.own
        self._echo = own.hear(
            frame.at, frame.level_dbfs,
            played=self._sink.played() if own.plays else own.played,
            voiced=self._voiced, seconds=frame.seconds, behind=behind,
        )  # fmt: skip
        self._activity.hear(frame)

    def _decided(self, heard: Voicing) -> None:
        """Learn whether a voice was there: at once, or a little later."""
        self._voiced = heard.voiced
        if not self._outcome or self._outcome.done():
            return
        until = heard.at + heard.seconds
        if heard.voiced or self._keys or not stays_quiet(self._turns, until):
            self._weigh_words()
            if heard.voiced and self._echo:
                self._echoed = heard.at
            self._step(Frame(heard.at, heard.seconds, heard.voiced, self._echo))
        self._ear.decided(heard)
        self._answering.note_turn()

    def _weigh_words(self) -> None:
        """Learn whether what is being said must be heard; once it need not, take what was keyed."""
        voice = self._turns.voice
        heard = self._must_be_heard(voice), self._asked(voice)
        if heard != (self._turns.must_be_heard, self._turns.asked):
            self._agent_is(voice)
        if self._keys and not self._turns.must_be_heard:
            keys, self._keys = self._keys, ""
            self._keyed(keys)

    def _keyed(self, keys: str) -> None:
        if self._must_be_heard(self._turns.voice):
            self._keys = "" if self._answering.leaving else keys
        else:
            self._answering.keyed(keys)

    def _told(self, text: str, final: bool, over: bool) -> None:
        """Learn what the recognizer has of the turn; our own words that came back are none."""
        self._weigh_words()
        if text and (least := self._least_own_words()):
            said = self._mouth.lately
            if repeats(text, said, least=least if final else LEAST_WORDS):
                self._ear.forget_words()
                text, over = "", False
            elif not final and repeats(text, said, least=1):  # the next word tells whose it is
                text, over = "", False
        self._step(Words(self._now(), text, final, over))

    def _least_own_words(self) -> int:
        """Tell how many words of ours, told now, are an echo of our voice; 0: no number is."""
        turns, own = self._turns, self._mouth.own
        if turns.voice is not Speech.SPEAKING:
            return 0
        if turns.caller is Caller.QUIET:  # it was too soft to be noticed as a voice
            return 1
        is_short = turns.voiced_seconds < _LEAKED_SECONDS
        came_back = is_short and self._now() - self._echoed < _ECHO_SECONDS
        if came_back or own.may_begin(turns.began) or own.is_far_below(turns.began):
            return 1
        return LEAST_WORDS if is_short and turns.began < own.known_from else 0

    def _agent_is(self, voice: Speech) -> None:
        self._step(AgentIs(self._now(), voice, self._must_be_heard(voice), self._asked(voice)))
        if voice is Speech.IDLE:
            self._expect()

    def _must_be_heard(self, voice: Speech) -> bool:
        speaks = voice is not Speech.IDLE
        return speaks and (self._answering.leaving or self._mouth.must_be_heard)

    def _asked(self, voice: Speech) -> bool:
        return voice is Speech.SPEAKING and self._mouth.asked

    def _began_to_speak(self) -> None:
        if self._turns.voice is Speech.THINKING:
            self._agent_is(Speech.SPEAKING)

    # ---- what is to be done

    def _step(self, event: Event) -> None:
        self._turns, decisions = step(self._turns, event)
        for decision in decisions:
            if decision.why and decision.why not in _UNTOLD:
                self._note(_DECISIONS[decision.do], decision.why)
            self._carry_out(decision)
        if self._turns.speculated and not self._keypad.waiting:
            self._answering.suppose(self._turns)
        alone = self._mouth.own.is_over  # else a voice may be ours, come back
        waits = self._keys or not self._outcome or self._outcome.done()  # for what goes by frames
        steady = Steady.NOTHING if waits else may_go_on(self._turns, self._now(), alone=alone)
        if steady is not self._steady:
            self._steady = self._source.steady = steady

    def _note(self, what: str, why: str) -> None:
        now = self._last[what] = self._now()
        undone = self._last.get(_UNDONE.get(what, ""))
        after = None if undone is None else (now - undone) * 1000
        self._observer.note(TurnDecided(now, what, why, after))

    def _carry_out(self, decision: Decision) -> None:
        match decision.do:
            case Do.BEGIN:
                self._ear.begin(self._mind.expectation())
            case Do.CONFIRM:
                self._observer.note(SpeechStarted(self._turns.began))
            case Do.SPECULATE:
                self._ear.speculate()
            case Do.RESUME:
                self._answering.discard()
                self._ear.resume()
            case Do.COMMIT if not self._answering.leaving:
                self._observer.note(SpeechEnded(self._now(), self._turns.ended))
                self._answering.turn_ended(self._turns.ended, decision.why)
            case Do.FORGET | Do.COMMIT:
                self._answering.discard()
                self._ear.forget()
            case Do.IDLE if not self._keypad.waiting and not self._answering.leaving:
                self._answering.answer(lambda dialogue: dialogue.idle())
            case Do.PAUSE_VOICE | Do.RESUME_VOICE | Do.STOP_VOICE:
                self._use_voice(decision)

    def _use_voice(self, decision: Decision) -> None:
        match decision.do:
            case Do.PAUSE_VOICE:
                self._silenced = self._now()
                self._mouth.pause()
            case Do.RESUME_VOICE:
                self._mouth.resume()
            case _ if not self._answering.leaving:
                self._interrupt(decision.why)

    def _interrupt(self, why: str) -> None:
        silenced = self._silenced if self._mouth.paused else self._now()
        if self._answering.interrupted() and why != A_KEY:
            stopped = max(0.0, silenced - self._turns.began)
            self._observer.note(BargedIn(self._now(), stopped * 1000))
        self._expect()

    def _expect(self) -> None:
        expected, idle = self._mind.expectation(), self.agent.idle_seconds
        self._step(Expecting(expected.end_silence, idle, self._ear.hearing))

    # ---- how it ends

    def _answered(self, last: HangUp | Transfer) -> None:
        if isinstance(last, HangUp):
            self._end(Hangup(last.why))
            return
        self._target = last.target
        intent, summary = self._minutes.handed_over(last)
        self._end(Escalate(last.target, intent, last.confidence, summary, last.why))

    def _failed(self, error: BaseException) -> None:
        if self._outcome and not self._outcome.done():
            self._outcome.set_exception(error)

    def _end(self, outcome: Outcome) -> None:
        if self._outcome and not self._outcome.done():
            self._outcome.set_result(outcome)
