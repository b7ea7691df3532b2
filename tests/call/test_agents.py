import asyncio

import pytest

from opensip.agent.definition import KINDS, Agent
from opensip.agent.echo import EchoAgent
from opensip.agent.seat import Seat
from opensip.agent.tone import ToneAgent
from opensip.call import agents
from opensip.call.agents import make_agent
from tests.fakes.legs import FakeLeg, Noted
from tests.fakes.virtual_time_loop import VirtualTimeLoop


@pytest.mark.parametrize(("kind", "expected"), [("echo", EchoAgent), ("tone", ToneAgent)])
def test_the_kind_decides_who_answers(kind, expected):
    async def main():
        now = asyncio.get_running_loop().time
        leg = FakeLeg()
        seat = Seat(source=leg.source, sink=leg.sink, observer=Noted(), now=now)
        return make_agent(Agent("a", kind=kind), seat)

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert isinstance(runner.run(main()), expected)


def test_every_kind_of_a_definition_has_a_seat():
    assert set(agents._KINDS) == set(KINDS)
