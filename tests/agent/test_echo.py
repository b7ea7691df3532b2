import asyncio

import numpy as np
import pytest

from opensip.agent.definition import Agent
from opensip.agent.echo import CUSHION, EchoAgent
from opensip.agent.outcome import CallerLeft
from opensip.agent.seat import Seat
from opensip.audio.tones import tone
from tests.fakes.line import Line, Noted
from tests.fakes.virtual_time_loop import VirtualTimeLoop


def test_it_says_back_what_it_hears_and_nothing_else():
    async def main():
        loop, line = asyncio.get_running_loop(), Line()
        agent = EchoAgent(
            Agent("echo", "echo"), Seat(source=line, sink=line, observer=Noted(), now=loop.time)
        )
        spoken = tone(440, 1.0, 8000)
        line.speak(spoken)
        loop.call_later(2, line.hang_up)
        agent.digit("1")
        agent.transfer_failed()
        assert await agent.say("This call is recorded.") == ""
        assert await agent.run() == CallerLeft()
        await agent.close()
        ahead = round(CUSHION * line.rate)
        assert not line.written[:ahead].any()
        assert np.array_equal(line.written[ahead : ahead + len(spoken)], spoken)
        assert not line.written[ahead + len(spoken) :].any()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(main())


def test_on_hold_it_keeps_nothing_to_say_back_later():
    async def main():
        loop, line = asyncio.get_running_loop(), Line()
        agent = EchoAgent(
            Agent("echo", "echo"), Seat(source=line, sink=line, observer=Noted(), now=loop.time)
        )
        loop.call_later(1, agent.hold, True)
        loop.call_later(9, agent.hold, False)
        loop.call_later(10, line.hang_up)
        await agent.run()
        assert len(line.written) == pytest.approx((2 + CUSHION) * line.rate, abs=400)

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(main())
