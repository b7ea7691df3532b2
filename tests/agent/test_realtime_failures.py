"""Services that fail, are slow or hand on: the next talks, or a human, or we say sorry."""

import asyncio
import dataclasses

import pytest

from opensip.agent import live
from opensip.agent.outcome import Escalate, Hangup
from opensip.agent.realtime import LONGEST
from opensip.errors import ProviderError
from opensip.events import (
    ProviderFailed,
)
from tests.fakes.live import GOODBYE, FakeLive
from tests.fakes.realtime_scene import AGENT, Scene, run, said

ALONE = dataclasses.replace(AGENT, directory={})
BROKEN = ProviderError("it broke", provider="main")


@pytest.mark.parametrize("kind", ["connect", "told", "late"])
def test_the_next_provider_takes_over_and_knows_what_was_said(kind):
    async def main():
        first, second = FakeLive("first"), FakeLive("second", begin=said("b", "Yes.", 0.5))
        if kind == "connect":
            first.fails.append(BROKEN)
        scene = Scene(first, second)
        scene.start()
        await asyncio.sleep(0.1)
        if kind != "connect":
            first.tell(*said("a", "Hello.", 0.5))
            await asyncio.sleep(1)
            first.tell(live.Ended(), live.Understood("Help me."))
        if kind == "told":
            first.tell(BROKEN)
        await asyncio.sleep(4)
        scene.line.hang_up()
        await scene.end()
        return scene, second.openings

    scene, [opening] = run(main())
    assert opening.cause == "fallback"
    turns = [] if kind == "connect" else ["Hello.", "Help me."]
    assert [turn.text for turn in opening.turns] == turns
    assert scene.heard()[-1] == ("Yes.", False)
    assert len(scene.noted.of(ProviderFailed)) == 1


def test_without_a_service_a_human_takes_over_and_then_nobody_is_left():
    async def main():
        fake = FakeLive()
        fake.fails = [BROKEN] * 9
        scene = Scene(fake)
        scene.start()
        first = await asyncio.wait_for(scene.task, 30)
        scene.session.transfer_failed()
        scene.start()
        return first, await scene.end(), scene.heard()

    first, second, heard = run(main())
    assert first == Escalate(
        "human", "", 0.0, "A service of ours failed, not the caller: it broke.", "it broke"
    )
    assert second == Hangup("it broke")
    assert [words for words, _ in heard] == [
        "I am sorry, something went wrong on our side.",
        "One moment please, I am connecting you to the desk.",
        "I am sorry, something went wrong on our side. Please call again later. Goodbye.",
    ]


def test_without_a_directory_the_caller_hears_an_apology():
    async def main():
        fake = FakeLive()
        fake.fails = [BROKEN] * 9
        scene = Scene(fake, agent=ALONE)
        scene.start()
        return await scene.end(), scene.heard()

    outcome, heard = run(main())
    assert outcome == Hangup("it broke")
    assert heard[0][0].startswith("I am sorry")


def test_a_bot_that_hands_on_leads_to_the_next_and_to_the_human():
    async def main():
        bot = FakeLive("bot", patience=None, begin=[GOODBYE])
        scene = Scene(bot)
        scene.start()
        return await scene.end(), scene.heard(), scene.noted.of(ProviderFailed)

    outcome, heard, failed = run(main())
    assert isinstance(outcome, Escalate)
    assert outcome.why == "the bot hands over"
    assert [words for words, _ in heard] == ["One moment please, I am connecting you to the desk."]
    assert failed == []


def test_a_slow_service_does_not_let_the_phone_ring_for_long():
    async def main():
        class Slow(FakeLive):
            async def connect(self):
                await asyncio.sleep(60)

        scene = Scene(Slow())
        before = asyncio.get_running_loop().time()
        await scene.session.prepare()
        after = asyncio.get_running_loop().time()
        await scene.session.close()
        return after - before

    assert run(main()) == pytest.approx(LONGEST)


def test_a_caller_who_gives_up_while_it_rings_leaves_nothing_at_work(monkeypatch):
    ended = []

    async def prepare(self, texts):
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(1)

    monkeypatch.setattr("opensip.agent.mouth.Mouth.prepare", prepare)

    async def main():
        class Slow(FakeLive):
            async def connect(self):
                await asyncio.sleep(60)

        scene = Scene(Slow())
        await scene.session.prepare()
        await scene.session.close()
        return list(ended)

    assert run(main()) == [1]
