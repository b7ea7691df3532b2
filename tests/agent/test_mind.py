import asyncio

import pytest

from opensip.agent.mind import Mind
from opensip.agent.providers import Expectation, Say
from opensip.agent.providers.scripted import ScriptedDialogue
from opensip.errors import ProviderError
from opensip.events import ProviderFailed
from tests.fakes.line import Noted
from tests.fakes.virtual_time_loop import VirtualTimeLoop


def run(main):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


async def acts(mind):
    return [act async for act in mind.acts(lambda dialogue: dialogue.open())]


def test_the_next_dialogue_takes_over_and_stays():
    async def main():
        noted = Noted()
        first = ScriptedDialogue([[ProviderError("gone")]])
        second = ScriptedDialogue([[Say("a")], [Say("b")]], expectation=Expectation("x"))
        mind = Mind([first, second], noted, asyncio.get_running_loop().time)
        assert await acts(mind) == [Say("a")]
        assert await acts(mind) == [Say("b")]
        assert mind.expectation() == Expectation("x")
        mind.heard("a", interrupted=False)
        assert second.heard_texts == ["a"]
        assert [event.error for event in noted.of(ProviderFailed)] == ["gone"]

    run(main)


def test_the_last_one_fails_loudly_each_time():
    async def main():
        mind = Mind([ScriptedDialogue([[ProviderError("gone")]] * 2)], Noted(), lambda: 0.0)
        for _ in range(2):
            with pytest.raises(ProviderError, match="gone"):
                await acts(mind)

    run(main)


def test_a_dialogue_that_is_cancelled_from_within_has_failed():
    class Leaking(ScriptedDialogue):
        async def open(self):
            yield Say("a")
            raise asyncio.CancelledError

    async def main():
        noted = Noted()
        second = ScriptedDialogue([[Say("b")]])
        mind = Mind([Leaking([]), second], noted, asyncio.get_running_loop().time)
        assert await acts(mind) == [Say("a"), Say("b")]
        [failed] = noted.of(ProviderFailed)
        assert failed.error == "the answer was cancelled from within"

    run(main)


def test_an_answer_that_is_broken_off_is_no_failure():
    class Slow(ScriptedDialogue):
        async def open(self):
            await asyncio.sleep(5)
            yield Say("a")

    async def main():
        noted = Noted()
        task = asyncio.create_task(acts(Mind([Slow([])], noted, asyncio.get_running_loop().time)))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert noted.of(ProviderFailed) == []

    run(main)
