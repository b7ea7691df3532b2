import asyncio

import pytest

from opensip.agent.definition import Agent
from opensip.agent.mind import Mind
from opensip.agent.mouth import Mouth
from opensip.agent.providers.scripted import ScriptedDialogue, ScriptedSynthesizer
from opensip.agent.readiness import LONGEST, Readiness
from opensip.agent.spoken import standing_words
from tests.fakes.line import Line, Noted
from tests.fakes.virtual_time_loop import VirtualTimeLoop

AGENT = Agent("test", greeting="Hello, this is a test.", fillers=("One moment.",))


def run(main):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


def ready(delay):
    loop = asyncio.get_running_loop()
    mouth = Mouth([ScriptedSynthesizer(delay=delay)], Line(), Noted(), loop.time,
                  standing=standing_words(AGENT))  # fmt: skip
    return Readiness(AGENT, mouth, Mind([ScriptedDialogue()], Noted(), loop.time)), mouth


def test_the_first_words_are_ready_and_the_others_follow():
    async def main():
        loop = asyncio.get_running_loop()
        readiness, mouth = ready(0.1)
        await readiness.prepare()
        assert loop.time() == pytest.approx(0.2)
        await mouth.say("Hello, this is a test.")
        assert loop.time() == pytest.approx(0.2)
        await asyncio.sleep(3)
        before = loop.time()
        await mouth.say(AGENT.reply("not_understood"))
        assert loop.time() == before
        await readiness.close()

    run(main)


def test_what_is_slow_keeps_no_caller_waiting():
    async def main():
        readiness, _ = ready(60.0)
        await readiness.prepare()
        assert asyncio.get_running_loop().time() == pytest.approx(LONGEST)
        await readiness.close()
        assert len(asyncio.all_tasks()) == 1

    run(main)
