"""A chat model whose answers are written down beforehand."""

import asyncio

from opensip.agent.chat import Words
from opensip.agent.health import Health
from opensip.errors import ProviderError


class FakeChat:
    """Gives one list of deltas a request; an exception among them is raised."""

    def __init__(self, *answers, name="main", delay=0.0):
        self.name = name
        self.health = Health()
        self.answers = list(answers)
        self.requests = []  # (messages, names of tools)
        self.delay = delay
        self.prepared = 0
        self.closed = 0

    async def stream(self, messages, tools):
        self.requests.append(([dict(m) for m in messages], [tool.name for tool in tools]))
        given = self.answers.pop(0) if self.answers else ["I see."]
        await asyncio.sleep(self.delay)
        try:
            for delta in given:
                if isinstance(delta, ProviderError):
                    raise delta
                if isinstance(delta, float):
                    await asyncio.sleep(delta)
                else:
                    yield Words(delta) if isinstance(delta, str) else delta
        finally:
            self.closed += 1

    async def prepare(self):
        self.prepared += 1
