import asyncio

from opensip.agent.definition import Agent
from opensip.agent.line_test import LineTest
from opensip.agent.outcome import CallerLeft
from opensip.agent.seat import Seat
from tests.fakes.line import Line, Noted
from tests.fakes.virtual_time_loop import VirtualTimeLoop


def test_a_line_test_says_nothing_and_minds_no_keys():
    async def main():
        loop, line = asyncio.get_running_loop(), Line()
        agent = LineTest(
            Agent("silence", "tone"), Seat(source=line, sink=line, observer=Noted(), now=loop.time)
        )
        loop.call_later(1, line.hang_up)
        agent.digit("1")
        agent.transfer_failed("No one is there.")
        assert await agent.say("This call is recorded.") == ""
        assert await agent.run() == CallerLeft()
        await agent.close()
        assert line.played() == 0
        assert agent.conversation.turns == []

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(main())
