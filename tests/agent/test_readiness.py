import asyncio

import pytest

from opensip.agent.definition import Agent
from opensip.agent.ear import Ear
from opensip.agent.mind import Mind
from opensip.agent.mouth import Mouth
from opensip.agent.providers.scripted import (
    ScriptedDialogue,
    ScriptedRecognizer,
    ScriptedSynthesizer,
)
from opensip.agent.readiness import LONGEST, Readiness
from opensip.agent.spoken import standing_words
from opensip.errors import ProviderError
from opensip.events import ProviderFailed
from tests.fakes.line import Line, Noted
from tests.fakes.live_recognizer import FakeLive
from tests.fakes.virtual_time_loop import VirtualTimeLoop

AGENT = Agent("test", greeting="Hello, this is a test.", fillers=("One moment.",))


def run(main):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


class Connecting:
    """Adds to a provider a connection of its own."""

    opened = 0

    async def prepare(self):
        self.opened += 1
        raise ProviderError("nobody is there")


class Hearing(Connecting, ScriptedRecognizer): ...


class Live(Connecting, FakeLive): ...


class Speaking(Connecting, ScriptedSynthesizer): ...


def ready(delay, ears=()):
    loop = asyncio.get_running_loop()
    mouth = Mouth([ScriptedSynthesizer(delay=delay)], Line(), Noted(), loop.time,
                  standing=standing_words(AGENT))  # fmt: skip
    ear, mind = Ear(ears, 8000, Noted()), Mind([ScriptedDialogue()], Noted(), loop.time)
    return Readiness(AGENT, ear, mouth, mind), mouth


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


def test_every_stage_opens_its_connection_and_a_failure_is_left_to_the_first_question():
    async def main():
        loop, noted = asyncio.get_running_loop(), Noted()
        ears, voice = (Hearing([]), Hearing([])), Speaking()
        mouth = Mouth([voice], Line(), noted, loop.time, standing=standing_words(AGENT))
        await mouth.prepare(standing_words(AGENT))  # all is kept: nothing is to be spoken
        readiness = Readiness(
            AGENT, Ear(ears, 8000, noted), mouth, Mind([ScriptedDialogue()], noted, loop.time)
        )
        await readiness.prepare()
        await readiness.close()
        assert [one.opened for one in (*ears, voice)] == [1, 1, 1]
        assert noted.of(ProviderFailed) == []

    run(main)


def test_a_live_recognizer_that_stands_by_opens_nothing():
    async def main():
        ears = Live(), Live()
        readiness, _ = ready(0.1, ears)
        await readiness.prepare()
        await readiness.close()
        assert [one.opened for one in ears] == [1, 0]

    run(main)
