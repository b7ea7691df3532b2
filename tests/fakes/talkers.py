"""An agent whose every outcome is written down beforehand."""

import asyncio
from collections.abc import Sequence

from opensip.agent.conversation import Conversation
from opensip.agent.outcome import Outcome


class FakeTalker:
    """Gives the outcomes in turn, each after its seconds; an exception among them is raised."""

    def __init__(self, *outcomes: tuple[float, Outcome | Exception]) -> None:
        self.conversation = Conversation(fields={"order": "4711"})
        self.conversation.caller_said("a person please", at=0.0)
        self.digits: list[str] = []
        self.holds: list[bool] = []
        self.said: list[str] = []
        self.failures: list[str] = []
        self.voice = True
        self.press = None
        self.record = None
        self.closed = 0
        self.prepared = 0
        self._outcomes: Sequence[tuple[float, Outcome | Exception]] = outcomes
        self._next = 0

    async def prepare(self) -> None:
        self.prepared += 1

    async def run(self) -> Outcome:
        if self._next == len(self._outcomes):
            await asyncio.Event().wait()
        delay, outcome = self._outcomes[self._next]
        self._next += 1
        await asyncio.sleep(delay)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def digit(self, digit: str) -> None:
        self.digits.append(digit)

    def hold(self, on: bool) -> None:
        self.holds.append(on)

    async def say(self, text: str) -> str:
        self.said.append(text)
        return text if self.voice else ""

    def transfer_failed(self, words: str = "") -> None:
        self.failures.append(words)

    async def close(self) -> None:
        self.closed += 1
