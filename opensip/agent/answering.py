"""How one call's turns are answered: at most one answer at a time, and none heard too early."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from opensip.agent.answer import Answer
from opensip.agent.definition import Agent
from opensip.agent.ear import Ear, Taken
from opensip.agent.fillers import Fillers
from opensip.agent.listening import cancelled
from opensip.agent.mind import Ask, Mind
from opensip.agent.minutes import Minutes
from opensip.agent.mouth import Mouth
from opensip.agent.providers import HangUp, Transfer, Understood
from opensip.agent.spoken import apology
from opensip.agent.turn_clock import TurnClock
from opensip.agent.turn_events import Speech
from opensip.agent.turn_state import State
from opensip.audio.frame import AudioSink
from opensip.errors import ProviderError
from opensip.events import Observer

_PACKET = 0.02  # seconds of a packet, all of which counts as played once it has left


class Answering:
    """Answers the turns of one caller, some before they are known to be over.

    `agent_is` learns what the agent does, `ended` how the call is to end, and `failed` of a bug.
    `leaving` tells that the last words are being said: nothing interrupts them.
    """

    def __init__(
        self,
        agent: Agent,
        *,
        ear: Ear,
        mind: Mind,
        mouth: Mouth,
        minutes: Minutes,
        sink: AudioSink,
        observer: Observer,
        now: Callable[[], float],
    ) -> None:
        self.agent_is: Callable[[Speech], None] = lambda voice: None
        self.ended: Callable[[HangUp | Transfer], None] = lambda last: None
        self.failed: Callable[[BaseException], None] = lambda error: None
        self.leaving = False
        self._agent, self._ear, self._mind, self._mouth = agent, ear, mind, mouth
        self._minutes, self._sink, self._observer, self._now = minutes, sink, observer, now
        self._fillers = Fillers(
            agent.bridges, agent.bridge_seconds,
            mouth=mouth, sink=sink, observer=observer, now=now,
        )  # fmt: skip
        self._task: asyncio.Task[None] | None = None
        self._supposed: tuple[Answer, asyncio.Task[None]] | None = None  # unheard so far
        self._unbegun: Taken | None = None  # a turn whose answer waits for its first moment
        self._clock: TurnClock | None = None
        self._apologies = 0

    def begin(self) -> None:
        """Begin to answer, or once more after a transfer."""
        self.leaving = False

    async def end(self) -> None:
        """Break off whatever is still being answered, and wait until it has ended."""
        self._fillers.stop()
        supposed = self.discard()
        await cancelled(self._task, supposed)
        self._task = None
        if not self._mouth.silent:
            self.told(self._mouth.stop(), interrupted=True)
        self._mouth.resume()

    # ---- a turn that is perhaps over

    def suppose(self, turns: State) -> None:
        """Begin to answer, unheard, a turn whose words are known and which is perhaps over."""
        busy = self._supposed or self.leaving or turns.voice is not Speech.IDLE
        if busy or not turns.speculated:
            return
        known = self._ear.known()
        if not (known and known.text and self._mind.supposes):
            return
        clock = TurnClock(turns.voiced_until, recognized=self._now(), supposed=True)
        answer = self._made(known, clock)
        answer.suppose()
        self._supposed = answer, self._begun(self._give(answer))

    def discard(self) -> asyncio.Task[None] | None:
        """Give up an answer that nobody has heard: the turn was not over."""
        if not self._supposed:
            return None
        (_, task), self._supposed = self._supposed, None
        task.cancel()
        self._mouth.discard()
        self._mind.unsay()
        return task

    # ---- a turn that is over

    def turn_ended(self, voiced_until: float, why: str) -> None:
        """Answer a turn of which the last voiced audio was then."""
        now, known = self._now(), self._ear.known()
        if self._supposed and known and self._supposed[0].says(known):
            self._commit(known, voiced_until, why)
            return
        self._clock = TurnClock(voiced_until, now, why, now if known else None)
        taken = self._ear.take()
        self._start(self._answer_speech(self._clock, taken))
        self._unbegun = taken

    def keyed(self, keys: str) -> None:
        """Answer a number that was keyed in."""
        now = self._now()
        self._clock = TurnClock(now, now, "a key", now)
        turn = Understood(keys, 1.0, "dtmf")
        self.answer(lambda dialogue: dialogue.answer(turn), turn)

    def answer(self, ask: Ask, turn: Understood | None = None) -> None:
        """Say and do what the dialogue is asked for."""
        self._start(self._give(self._committed(ask, turn)))

    def break_off(self) -> bool:
        """Give up the present answer, and tell whether any of it was being spoken."""
        self._fillers.stop()
        if self._task:
            self._task.cancel()
            self._task = None
        if self._unbegun:
            self._ear.give_back(self._unbegun)
            self._unbegun = None
        if self._mouth.silent:
            self._mouth.resume()
            return False
        self.told(self._mouth.stop(), interrupted=True)
        return True

    def interrupted(self) -> bool:
        """The caller has the floor; tell whether the agent was speaking."""
        self._clock = None
        return self.break_off()

    def told(self, heard: str, *, interrupted: bool) -> None:
        """Keep what was heard of an answer, and only that."""
        self._minutes.agent_said(heard, interrupted=interrupted)
        self._mind.heard(heard, interrupted=interrupted)

    def note_turn(self) -> None:
        """Note where the time of an answer went, once its first sample has been played."""
        clock, first = self._clock, self._mouth.first_position
        if not clock or not clock.worded or first is None:
            return
        played = self._sink.played()
        if played > first:
            voiced, now = self._mouth.first_voice or 0.0, self._now()
            self._clock, since = None, (played - first) / self._sink.rate - _PACKET
            sent = min(now, max(clock.decided or 0.0, voiced, now - since))
            self._observer.note(clock.taken(now, voiced=voiced, first_played=sent))

    # ---- an answer

    def _made(self, turn: Understood, clock: TurnClock | None) -> Answer:
        return Answer(
            lambda dialogue: dialogue.answer(turn), turn,
            mind=self._mind, mouth=self._mouth, minutes=self._minutes, now=self._now, clock=clock,
        )  # fmt: skip

    def _committed(self, ask: Ask, turn: Understood | None) -> Answer:
        """Make the answer to a turn that is over."""
        answer = Answer(
            ask, turn, mind=self._mind, mouth=self._mouth, minutes=self._minutes,
            now=self._now, clock=self._clock,
        )  # fmt: skip
        answer.leaving = self._leave
        answer.commit()
        return answer

    def _commit(self, known: Understood, voiced_until: float, why: str) -> None:
        """Let the answer be heard that was supposed: it was to these words."""
        assert self._supposed  # noqa: S101 - whoever calls this has looked
        (answer, self._task), self._supposed = self._supposed, None
        now = self._now()
        self._ear.end()
        self._clock = clock = answer.clock
        if clock:
            clock.decided, clock.why, clock.voiced_until = now, why, voiced_until
        answer.leaving, answer.turn = self._leave, known
        self.agent_is(Speech.THINKING)
        self._fillers.start(now, voiced_until)
        answer.commit()

    def _start(self, answer: Coroutine[Any, Any, None]) -> None:
        self.break_off()
        self.discard()
        self.agent_is(Speech.THINKING)
        since = self._clock.voiced_until if self._clock else self._now()
        self._fillers.start(self._now(), since)
        self._task = self._begun(answer)

    def _begun(self, answer: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(answer)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        """Let a bug in an answer end the conversation loudly, not silently."""
        error = None if task.cancelled() else task.exception()
        if error:
            self.failed(error)

    async def _answer_speech(self, clock: TurnClock, taken: Taken) -> None:
        self._unbegun = None
        try:
            turn = await self._ear.understand(taken)
        except ProviderError as error:
            await self._apologise(str(error))
            return
        clock.recognized = clock.recognized or self._now()
        await self._give(self._committed(lambda dialogue: dialogue.answer(turn), turn))

    async def _give(self, answer: Answer) -> None:
        try:
            await self._perform(answer)
        except ProviderError as error:
            await answer.committed.wait()
            await self._apologise(str(error))

    async def _perform(self, answer: Answer) -> None:
        last = await answer.acted()
        self._fillers.stop()
        self.told(await self._mouth.finish(), interrupted=False)
        self.note_turn()
        self.agent_is(Speech.IDLE)
        if last:
            self.ended(last)

    def _leave(self) -> None:
        self.leaving = True

    async def _apologise(self, why: str) -> None:
        """Say that something failed, and hand over; where nobody can or did, ask to call again."""
        self._leave()
        self._apologies += 1
        alone = self._agent.human not in self._agent.directory or self._apologies > 1
        with suppress(ProviderError):  # without a voice there is no apology either
            await self._mouth.say(apology(self._agent, alone=alone))
        self._fillers.stop()
        self.told(await self._mouth.finish(), interrupted=False)
        self.ended(HangUp(why) if alone else self._minutes.failed(self._agent.human, why))
