import asyncio

from opensip.agent.definition import Agent
from opensip.agent.outcome import CallerLeft
from opensip.agent.seat import Seat
from opensip.agent.tone import FREQUENCY, ToneAgent
from opensip.audio.tones import goertzel
from tests.fakes.line import Line, Noted
from tests.fakes.virtual_time_loop import VirtualTimeLoop


def test_it_plays_one_tone_without_a_gap():
    async def main():
        loop, line = asyncio.get_running_loop(), Line()
        agent = ToneAgent(
            Agent("tone", "tone"), Seat(source=line, sink=line, observer=Noted(), now=loop.time)
        )
        loop.call_later(3, line.hang_up)
        agent.digit("1")
        agent.transfer_failed()
        assert await agent.say("This call is recorded.") == ""
        assert await agent.run() == CallerLeft()
        await agent.close()
        assert line.played() >= 2.9 * 8000
        assert goertzel(line.written[:8000], FREQUENCY, 8000) > -20
        assert goertzel(line.written[8000:16000], FREQUENCY, 8000) > -20

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(main())
