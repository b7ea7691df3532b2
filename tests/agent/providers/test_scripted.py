import asyncio

import numpy as np
import pytest

from opensip.agent.definition import Agent
from opensip.agent.providers import Brief, Expectation, Say, Understood
from opensip.agent.providers.scripted import (
    ScriptedDialogue,
    ScriptedRecognizer,
    ScriptedSynthesizer,
    make_dialogue,
    make_recognizer,
    make_synthesizer,
)
from opensip.errors import ProviderError
from tests.fakes.virtual_time_loop import VirtualTimeLoop


def run(main):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


def test_the_recognizer_gives_each_turn_after_its_delay():
    async def main():
        recognizer = ScriptedRecognizer([Understood("one"), Understood("two")], delay=0.1)
        recognizer.begin(Expectation())
        recognizer.feed(np.zeros(160, np.int16))
        assert (await recognizer.finish()).text == "one"
        assert (await recognizer.finish()).text == "one"
        assert recognizer.fed == 160
        recognizer.begin(Expectation())
        assert (await recognizer.finish()).text == "two"
        recognizer.begin(Expectation())
        assert (await recognizer.finish()).text == ""
        assert asyncio.get_running_loop().time() == pytest.approx(0.4)
        await recognizer.close()

    run(main)


def test_the_dialogue_gives_its_answers_whatever_is_asked():
    async def main():
        dialogue = ScriptedDialogue([[Say("a")], [Say("b")], [Say("c")], [ProviderError("gone")]])
        found = [
            [act async for act in acts]
            for acts in (dialogue.open(), dialogue.idle(), dialogue.transfer_failed("busy"))
        ]
        assert found == [[Say("a")], [Say("b")], [Say("c")]]
        with pytest.raises(ProviderError, match="gone"):
            async for _ in dialogue.answer(Understood("words")):
                pass
        assert dialogue.turns == [Understood("words")]

    run(main)


def test_the_voice_is_as_long_as_its_text():
    async def main():
        voice = ScriptedSynthesizer(delay=0.1, fails_at=1)
        pieces = [piece async for piece in voice.speak("twenty characters ..")]
        assert sum(map(len, pieces)) == 20 * 480
        with pytest.raises(ProviderError, match="told to fail"):
            async for _ in voice.speak("more"):
                pass

    run(main)


def test_agents_may_name_them():
    async def main():
        agent = Agent("test", greeting="Hi.")
        assert (await make_recognizer(Brief(agent)).finish()) == Understood("", 0.0)
        assert [act async for act in make_dialogue(Brief(agent)).open()] == [Say("Hi.")]
        assert make_synthesizer(Brief(agent)).rate == 8000

    run(main)
