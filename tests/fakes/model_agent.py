"""The agent of a model that tests talk to, and its dialogue."""

import asyncio
from datetime import datetime

from opensip.agent.definition import Agent, Entry
from opensip.agent.memory import Call
from opensip.agent.model import ModelDialogue
from opensip.agent.providers import (
    Began,
    Brief,
    Understood,
)
from tests.fakes.virtual_time_loop import VirtualTimeLoop

AGENT = Agent(
    "shop",
    kind="model",
    persona="You are Ada.",
    greeting="Hello, this is Harbor Lamps.",
    directory={"human": Entry("sip:desk@x", "the front desk")},
    data={"orders": {"4217": {"item": "a lamp"}}},
    failures=2,
)
FIND = Call("1", "look_up", '{"table": "orders", "key": "4217"}')
ORDER = Understood("Where is order 4217?")
HUMAN = Call(
    "2", "transfer", '{"entry": "human", "intent": "complaint", "summary": "The lamp broke."}'
)


def run(main):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


def dialogue(chat, agent=AGENT, brief=None):
    brief = brief or Brief(agent, chat.name)
    today = datetime(2026, 11, 21)  # noqa: DTZ001
    return ModelDialogue(brief, chat, now=asyncio.get_running_loop().time, today=today)


async def taken(acts):
    return [act async for act in acts if not isinstance(act, Began)]


def answers(chat, turn=ORDER, agent=AGENT):
    async def main():
        return await taken(dialogue(chat, agent).answer(turn))

    return run(main)
