"""What a caller says while services change is heard by the next, and answered once."""

import asyncio
import dataclasses

import numpy as np
import pytest

from opensip.agent import live
from opensip.audio.tones import tone
from opensip.errors import ProviderError
from tests.fakes.live import GOODBYE, FakeLive
from tests.fakes.realtime_scene import AGENT, Scene, run, said, sound

BROKEN = ProviderError("it broke", provider="main")


class Listening(FakeLive):
    """Keeps how many seconds of a voice it was given; its line opens in `opening`."""

    def __init__(self, *args, opening=0.0, **more):
        super().__init__(*args, **more)
        self.voice, self.opening = 0.0, opening

    async def connect(self):
        await asyncio.sleep(self.opening)
        await super().connect()

    def hear(self, samples):
        super().hear(samples)
        pieces = samples[: len(samples) // 160 * 160].reshape(-1, 160)
        self.voice += 0.02 * sum(np.abs(pieces).max(axis=1) > 1000)


async def missed(script, *, opening=1.0):
    """A first service greets and breaks as `script` wants; the second has a slow line."""
    first, second = Listening("first"), Listening("second", opening=opening)
    scene = Scene(first, second, agent=dataclasses.replace(AGENT, voice_activity="energy"))
    scene.start()
    first.tell(*said("a", "Hello.", 0.5))
    await asyncio.sleep(1)
    await script(scene, first)
    await asyncio.sleep(3)
    scene.line.hang_up()
    await scene.end()
    return first, second


def speak(scene, seconds):
    scene.line.speak(tone(300, seconds, 8000, level_dbfs=-20))


def test_what_a_caller_says_while_services_change_is_heard_by_the_next():
    async def script(scene, first):
        first.tell(BROKEN)
        await asyncio.sleep(0.2)
        speak(scene, 0.6)

    first, second = run(missed(script))
    assert first.voice == 0
    assert second.voice == pytest.approx(0.6, abs=0.05)


def test_a_turn_in_whose_midst_a_service_breaks_is_heard_whole_by_the_next():
    async def script(scene, first):
        speak(scene, 2.0)
        await asyncio.sleep(1)
        first.tell(live.Began(), BROKEN)

    _, second = run(missed(script))
    assert second.voice == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize("told", [(), (live.Understood("Where?"),), said("b", "Here.", 0.1)])
def test_a_turn_that_was_understood_or_answered_is_not_heard_again(told):
    async def script(scene, first):
        speak(scene, 0.6)
        await asyncio.sleep(1)
        first.tell(live.Began(), live.Ended(), *told)
        await asyncio.sleep(0.2)
        first.tell(BROKEN)

    _, second = run(missed(script))
    assert second.voice == pytest.approx(0.0 if told else 0.6, abs=0.05)


def test_a_bot_that_answered_has_heard_what_was_said():
    async def main():
        first = Listening("first", patience=None, ends_call=False)
        second = Listening("second", patience=None)
        scene = Scene(first, second, agent=dataclasses.replace(AGENT, voice_activity="energy"))
        scene.start()
        speak(scene, 0.6)
        await asyncio.sleep(1)
        first.tell(sound(0.2, ""))
        await asyncio.sleep(1)
        speak(scene, 0.4)
        await asyncio.sleep(0.6)
        first.tell(GOODBYE)
        await asyncio.sleep(1)
        scene.line.hang_up()
        await scene.end()
        return second

    assert run(main()).voice == pytest.approx(0.4, abs=0.05)
