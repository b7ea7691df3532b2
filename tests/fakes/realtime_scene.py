"""A realtime session on a line, under virtual time."""

import asyncio

from opensip.agent import live
from opensip.agent.definition import Agent, Entry
from opensip.agent.realtime import RealtimeSession
from opensip.agent.seat import Seat
from opensip.audio.tones import tone
from opensip.events import (
    AgentSaid,
)
from tests.fakes.line import Line, Noted
from tests.fakes.virtual_time_loop import VirtualTimeLoop

AGENT = Agent(
    "test", kind="realtime", persona="You are Ada.", synthesizer=("scripted",),
    realtime=("main",), directory={"human": Entry("sip:desk@example.com", "the desk")},
    data={"orders": {"1": {"item": "a lamp"}}},
)  # fmt: skip


def run(main):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)


def sound(seconds, item="a"):
    return live.Sound(tone(400, seconds, 8000), 8000, item)


def said(item, text, seconds):
    return [
        live.Answering(), live.Spoken(item, text), sound(seconds, item), live.Finished(item),
        live.Answered("m-1", 7, 3),
    ]  # fmt: skip


class Scene:
    """A session on a line."""

    def __init__(self, *providers, agent=AGENT):
        self.line, self.noted = Line(), Noted()
        self.provider = providers[0]
        self.session = RealtimeSession(
            agent,
            Seat(source=self.line, sink=self.line, observer=self.noted,
                 now=asyncio.get_running_loop().time, variables={"caller": "alice"}),
            providers=providers,
        )  # fmt: skip

    def start(self):
        self.line.answered()
        self.task = asyncio.create_task(self.session.run())

    async def end(self):
        outcome = await asyncio.wait_for(self.task, 60)
        await self.session.close()
        return outcome

    def heard(self):
        return [(e.heard, e.interrupted) for e in self.noted.of(AgentSaid)]
