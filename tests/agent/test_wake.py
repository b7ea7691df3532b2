"""How soon the next provider is asked, where one is mute, late or comes back."""

import asyncio

import pytest

from opensip.agent.health import Health
from opensip.agent.outcome import Hangup
from opensip.agent.providers import HangUp, Say, Understood
from opensip.agent.providers.scripted import (
    ScriptedDialogue,
    ScriptedRecognizer,
    ScriptedSynthesizer,
)
from opensip.errors import ProviderError
from opensip.events import AgentSaid, ProviderFailed
from tests.fakes.talk import Talk, run, voice

LIMIT = 1.5
BYE = [Say("Goodbye."), HangUp("done")]


async def _late(seconds):
    await asyncio.sleep(seconds)
    raise ProviderError(f"no word within {seconds:g} s", provider="mute")


class MuteDialogue(ScriptedDialogue):
    """Gives no sign at all until its stage's time is over."""

    name = "mute"
    asked = 0

    async def _next(self):
        self.asked += 1
        await _late(LIMIT)
        yield


class MuteRecognizer(ScriptedRecognizer):
    async def finish(self):
        await _late(LIMIT)


class MuteVoice(ScriptedSynthesizer):
    async def speak(self, text):
        await _late(LIMIT)
        yield


class Asked(ScriptedDialogue):
    """Keeps when it was asked."""

    def __init__(self, answers):
        super().__init__(answers)
        self.at = []

    async def _next(self):
        self.at.append(asyncio.get_running_loop().time())
        async for act in super()._next():
            yield act


def test_the_next_dialogue_is_asked_as_soon_as_the_first_ones_time_is_over():
    async def main():
        mute, second = MuteDialogue(), Asked([[Say("Hello.")], BYE])
        talk = Talk([], [Understood("bye", 1.0)], dialogues=(mute, second))
        talk.at(5.0, talk.line.speak, voice(1.0))
        assert await talk.run() == Hangup("done")
        [failed] = talk.noted.of(ProviderFailed)
        assert failed.at == pytest.approx(LIMIT)
        assert second.at[0] - failed.at < 0.001
        assert mute.asked == 1  # who answered goes on answering

    run(main())


def test_the_next_recognizer_hears_the_turn_as_soon_as_the_first_ones_time_is_over():
    async def main():
        good = ScriptedRecognizer([Understood("bye", 1.0)])
        talk = Talk([[Say("Hello.")], BYE], recognizers=(MuteRecognizer(), good))
        talk.at(2.0, talk.line.speak, voice(1.0))
        assert await talk.run() == Hangup("done")
        [failed] = talk.noted.of(ProviderFailed)
        assert failed.at == pytest.approx(3.2 + LIMIT, abs=0.05)  # it was asked in the pause
        assert good.fed >= 8000
        bye = talk.noted.of(AgentSaid)[-1]
        assert bye.at - failed.at < 0.1 + 0.15 + 0.1 + 0.6

    run(main())


def test_the_next_voice_speaks_as_soon_as_the_first_ones_time_is_over():
    async def main():
        talk = Talk([BYE], synthesizers=(MuteVoice(), ScriptedSynthesizer(delay=0.1)))
        began = asyncio.get_running_loop().time()
        assert await talk.run() == Hangup("done")
        [failed] = talk.noted.of(ProviderFailed)
        assert failed.at - began == pytest.approx(0.15 + LIMIT)
        assert talk.noted.of(AgentSaid)[0].heard == "Goodbye."
        assert asyncio.get_running_loop().time() - failed.at == pytest.approx(0.1 + 0.48, abs=0.1)

    run(main())


def test_a_service_that_was_mute_is_asked_last_and_comes_back_once_one_call_found_it_well():
    class Ill(ScriptedDialogue):
        name = "ill"

        def __init__(self, health, *, well):
            super().__init__([BYE] if well else [[ProviderError("gone")]])
            self.health = health

    async def called(health, *, well):
        second = Asked([BYE])
        talk = Talk([], dialogues=(Ill(health, well=well), second))
        assert await talk.run() == Hangup("done")
        return bool(second.at), len(talk.noted.of(ProviderFailed))

    async def main():
        loop = asyncio.get_running_loop()
        health = Health(clock=loop.time)
        assert await called(health, well=False) == (True, 1)
        assert await called(health, well=False) == (True, 0)  # it rests: nobody waits for it
        await asyncio.sleep(5.0)
        assert await called(health, well=True) == (False, 0)
        assert await called(health, well=True) == (False, 0)

    run(main())
