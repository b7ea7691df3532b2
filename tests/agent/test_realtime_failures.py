"""Services that fail, are slow or hand on: the next talks, or a human, or we say sorry."""

import asyncio
import dataclasses

import pytest

from opensip.agent import live
from opensip.agent.outcome import Escalate, Hangup
from opensip.agent.realtime import LONGEST
from opensip.audio.tones import tone
from opensip.errors import ProviderError
from opensip.events import (
    ProviderFailed,
)
from tests.fakes.live import GOODBYE, FakeLive
from tests.fakes.realtime_scene import AGENT, Scene, run, said, sound

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


SENTENCE = "Your order was sent on Monday and is with you tomorrow."


class Timed(FakeLive):
    """Keeps when it was asked to connect; `closing` is how long its goodbye takes."""

    def __init__(self, *args, closing=0.0, opening=0.0, **more):
        super().__init__(*args, **more)
        self.closing, self.opening = closing, opening
        self.asked = []

    async def connect(self):
        self.asked.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.opening)
        await super().connect()

    async def close(self):
        await asyncio.sleep(self.closing)
        await super().close()


async def dropped(*, finished, then=lambda scene: None):
    """A first service has 3 s of a sentence queued, and breaks after one of them."""
    first, second = Timed("first"), Timed("second", begin=said("b", "Anything else?", 0.5))
    scene = Scene(first, second)
    scene.start()
    answer = [live.Answering(), live.Spoken("a", SENTENCE), sound(3.0)]
    first.tell(*answer, *([live.Finished("a")] if finished else ()))
    await asyncio.sleep(1)
    first.tell(BROKEN)
    broke = asyncio.get_running_loop().time()
    then(scene)
    await asyncio.sleep(5)
    scene.line.hang_up()
    await scene.end()
    assert second.asked[0] - broke < 0.1
    [opening] = second.openings
    return scene, [turn.text for turn in opening.turns]


def test_what_a_service_had_said_already_is_heard_out_and_told_the_next_as_heard():
    scene, turns = run(dropped(finished=True))
    assert turns == [SENTENCE]
    assert scene.heard() == [(SENTENCE, False), ("Anything else?", False)]
    assert len(scene.line.written) == 3.5 * 8000


def test_of_an_utterance_that_broke_off_the_next_is_told_what_was_played():
    scene, [heard] = run(dropped(finished=False))
    assert SENTENCE.startswith(heard)
    assert len(heard) > len(SENTENCE) / 2  # not only what was played when the line broke
    assert len(scene.line.written) == 3.5 * 8000
    assert scene.heard()[0] == (heard, True)


def test_a_caller_who_speaks_up_silences_what_a_failed_service_had_said():
    def speak(scene):
        scene.line.speak(tone(300, 1.0, 8000, level_dbfs=-20))

    scene, [heard] = run(dropped(finished=True, then=speak))
    assert len(scene.line.written) == pytest.approx((1.5 + 0.5) * 8000, abs=1600)
    assert len(heard) < len(SENTENCE) * 0.6
    assert scene.heard() == [(heard, True), ("Anything else?", False)]


def test_a_talk_that_is_ended_from_outside_falls_silent():
    async def main():
        fake = FakeLive()
        scene = Scene(fake)
        scene.start()
        fake.tell(live.Answering(), live.Spoken("a", SENTENCE), sound(3.0), live.Finished("a"))
        await asyncio.sleep(1)
        scene.task.cancel()
        await asyncio.wait({scene.task})
        queued = scene.line.queued()
        said = await scene.session.say("I have to end this call now.")
        return scene, queued, said

    scene, queued, said = run(main())
    assert queued == 0
    assert said == "I have to end this call now."
    assert SENTENCE.startswith(scene.heard()[0][0])
    assert scene.heard()[0][1]


def test_a_service_that_is_asked_once_more_is_asked_soon_however_it_hangs_up():
    async def main():
        fake = Timed("first", closing=1.5, begin=said("a", "Hello.", 0.5))
        scene = Scene(fake)
        scene.start()
        await asyncio.sleep(1)
        fake.tell(ProviderError("dropped", retryable=True))
        await asyncio.sleep(2)
        scene.line.hang_up()
        await scene.end()
        assert len(asyncio.all_tasks()) == 1
        return fake.asked

    assert run(main())[1:2] == [pytest.approx(1.5, abs=0.05)]


@pytest.mark.parametrize("stalls", ["before", "amid", "amid a turn"])
def test_a_service_that_hangs_is_followed_at_once_and_no_air_is_dead(stalls):
    async def main():
        first = Timed("first", closing=1.5)
        second, third = Timed("second", opening=2.4), Timed("third", opening=0.5)
        second.fails = [BROKEN]
        third.begin_with = said("b", "Here.", 0.5)
        scene = Scene(first, second, third)
        await scene.session.prepare()
        await asyncio.sleep(1)
        scene.start()
        first.tell(*said("a", "Hello.", 0.5))
        await asyncio.sleep(1)
        if stalls == "amid a turn":
            first.tell(live.Began(), BROKEN)
        else:
            first.tell(live.Ended(), live.Understood("Help me."))
        turn = asyncio.get_running_loop().time()
        if stalls == "amid":
            first.tell(live.Answering(), live.Spoken("c", "Well"), sound(0.2, "c"))
        longest, since = 0.0, turn
        while not third.openings or not scene.line.queued():
            await asyncio.sleep(0.02)
            now = asyncio.get_running_loop().time()
            since = now if scene.line.queued() else since
            longest = max(longest, now - since)
        scene.line.hang_up()
        await scene.end()
        failed = [event.at for event in scene.noted.of(ProviderFailed)]
        assert len(failed) == 2
        return longest, second.asked[0] - failed[0], third.asked[0] - failed[1]

    longest, *asked = run(main())
    assert longest < 3.0
    assert max(asked) < 0.1
