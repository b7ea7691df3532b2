"""What the agents of line tests share: they hear, and have nothing to say."""

import asyncio
from collections.abc import Callable

from opensip.agent.conversation import Conversation
from opensip.agent.definition import Agent
from opensip.agent.outcome import CallerLeft, Outcome
from opensip.agent.seat import Seat


class LineTest:
    """A session without words, keys or transfers: silence, until a kind says otherwise."""

    def __init__(self, agent: Agent, seat: Seat) -> None:
        self.press: Callable[[str], None] = lambda digits: None
        self.record: Callable[[bool], None] = lambda on: None
        self.agent = agent
        self.conversation = Conversation()
        self._source, self._sink = seat.source, seat.sink
        self._held = False

    async def prepare(self) -> None:
        """There is nothing to make ready."""

    async def run(self) -> Outcome:
        """Hear the caller out."""
        while await self._source.read():
            pass
        return CallerLeft()

    def digit(self, digit: str) -> None:
        """Keys mean nothing here."""

    def hold(self, on: bool) -> None:
        """Learn that the caller holds us, or takes us back."""
        self._held = on

    async def say(self, text: str) -> str:
        """Say nothing: a line test has no voice of its own."""
        await asyncio.sleep(0)
        return ""

    def transfer_failed(self, words: str = "") -> None:
        """Nothing is ever transferred from here."""

    async def close(self) -> None:
        """There is nothing to let go."""
