"""One answer of the agent, perhaps begun before it is known that the caller's turn is over."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing

from opensip.agent.backchannels import words_of
from opensip.agent.mind import Ask, Mind, supposing
from opensip.agent.minutes import Minutes
from opensip.agent.mouth import Mouth
from opensip.agent.providers import (
    Act,
    Began,
    HangUp,
    Looked,
    Meant,
    Noted,
    Prompted,
    Say,
    Transfer,
    Understood,
)
from opensip.agent.turn_clock import TurnClock
from opensip.agent.withheld import Asked, Refused, Settled

_NOTED = (Meant, Noted, Looked, Prompted, Asked, Settled, Refused)  # acts that are written down


class Answer:
    """Says and does what the dialogue wants of one turn; `turn` is None where nobody spoke.

    Until it is `committed` nothing of it is heard, written down or done.
    """

    def __init__(
        self, ask: Ask, turn: Understood | None, *, mind: Mind, mouth: Mouth, minutes: Minutes,
        now: Callable[[], float], clock: TurnClock | None,
    ) -> None:  # fmt: skip
        self.turn = turn
        self.clock = clock
        self.leaving: Callable[[], None] = lambda: None  # told when the last words are being said
        self.committed = asyncio.Event()
        self._ask = ask
        self._mind, self._mouth, self._minutes, self._now = mind, mouth, minutes, now
        self._early: list[Act] = []  # acts that wait for the commit
        self._answered = False  # the dialogue has begun to answer
        self._meant: Meant | None = None
        self._noted = turn is None

    def suppose(self) -> None:
        """Begin behind a closed gate: the turn may not be over."""
        if self.turn:
            self._ask = supposing(self.turn, self.committed)
        self._mouth.close_gate()

    def says(self, turn: Understood) -> bool:
        """Tell whether this answers the same words, whatever their signs."""
        return self.turn is not None and words_of(self.turn.text) == words_of(turn.text)

    def commit(self) -> None:
        """The turn is over: let the answer be heard, and what it did be written down."""
        self.committed.set()
        if self._answered:
            self._note()
        early, self._early = self._early, []
        for act in early:
            self._minutes.acted(act)
        self._mouth.open_gate()

    async def acted(self) -> HangUp | Transfer | None:
        """Say and do everything; returns how the call is to end, if it is. ProviderError."""
        last: HangUp | Transfer | None = None
        try:
            async with aclosing(self._mind.acts(self._ask)) as acts:
                async for act in acts:
                    last = await self._act(act) or last
            await self.committed.wait()
        finally:
            if self.committed.is_set():  # else it was never a turn
                self._note()
        return last

    async def _act(self, act: Act) -> HangUp | Transfer | None:
        if isinstance(act, Meant):
            self._meant = act
        self._answered = self._answered or not isinstance(act, Began | Looked | Prompted)
        if self._answered and self.committed.is_set():
            self._note()
        match act:
            case Began():
                self._mark("token")
            case Say(text):
                self._mark("worded")
                await self._mouth.say(text)
            case _ if isinstance(act, _NOTED) and not self.committed.is_set():
                self._early.append(act)
            case _:
                await self.committed.wait()
                return self._done(act)
        return None

    def _done(self, act: Act) -> HangUp | Transfer | None:
        if isinstance(act, HangUp | Transfer):
            self.leaving()
            return act
        self._minutes.acted(act)
        return None

    def _mark(self, what: str) -> None:
        if self.clock and getattr(self.clock, what) is None:
            setattr(self.clock, what, self._now())

    def _note(self) -> None:
        """Write the turn down, once: it was said even if it is never answered."""
        if self.turn and not self._noted:
            self._minutes.caller_said(self.turn, self._meant)
        self._noted = True
