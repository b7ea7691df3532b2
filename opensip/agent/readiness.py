"""Gets an agent ready while the phone rings, so that its first word is instant."""

import asyncio

from opensip.agent.definition import Agent
from opensip.agent.ear import Ear
from opensip.agent.listening import cancelled
from opensip.agent.mind import Mind
from opensip.agent.mouth import Mouth
from opensip.agent.spoken import standing_words

LONGEST = 1.5  # seconds that a phone may ring longer


class Readiness:
    """Opens connections and has standing words spoken: first those that are needed first."""

    def __init__(self, agent: Agent, ear: Ear, mouth: Mouth, mind: Mind) -> None:
        self._standing = tuple(standing_words(agent))
        self._first = (*self._standing[:1], *agent.bridges)
        self._ear = ear
        self._mouth = mouth
        self._mind = mind
        self._task: asyncio.Task[None] | None = None

    async def prepare(self) -> None:
        """Wait until the first words are ready; what takes longer goes on beside the call."""
        ready = asyncio.Event()
        self._task = asyncio.create_task(self._prepare(ready))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({waiting, self._task}, timeout=LONGEST,
                           return_when=asyncio.FIRST_COMPLETED)  # fmt: skip
        await cancelled(waiting)

    async def close(self) -> None:
        """End what is still being made ready."""
        await cancelled(self._task)

    async def _prepare(self, ready: asyncio.Event) -> None:
        await asyncio.gather(
            self._ear.prepare(), self._mind.prepare(),
            self._mouth.connect(), self._mouth.prepare(self._first),
        )  # fmt: skip
        ready.set()
        await self._mouth.prepare(self._standing)
