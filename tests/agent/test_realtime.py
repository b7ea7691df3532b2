"""Whole realtime calls under virtual time: a service that is told what to tell."""

import asyncio
import dataclasses

import numpy as np
import pytest

from opensip.agent import live
from opensip.agent.definition import Agent, Entry
from opensip.agent.memory import Call
from opensip.agent.outcome import CallerLeft, Escalate, Hangup
from opensip.agent.realtime import LONGEST, RealtimeSession
from opensip.agent.seat import Seat
from opensip.audio.tones import tone
from opensip.errors import ProviderError
from opensip.events import (
    AgentSaid,
    BargedIn,
    CallerSaid,
    Escalated,
    ModelAnswered,
    ProviderFailed,
    ToolCalled,
    TurnTaken,
)
from tests.fakes.line import Line, Noted
from tests.fakes.live import GOODBYE, FakeLive
from tests.fakes.virtual_time_loop import VirtualTimeLoop

AGENT = Agent(
    "test", kind="realtime", persona="You are Ada.", synthesizer=("scripted",),
    realtime=("main",), directory={"human": Entry("sip:desk@example.com", "the desk")},
    data={"orders": {"1": {"item": "a lamp"}}},
)  # fmt: skip
ALONE = dataclasses.replace(AGENT, directory={})
BROKEN = ProviderError("it broke", provider="main")


def run(main):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)


def sound(seconds, item="a"):
    return live.Sound(tone(400, seconds, 8000), 8000, item)


def said(item, text, seconds):
    return [
        live.Answering(), live.Spoken(item, text), sound(seconds, item), live.Finished(item),
        live.Answered("m-1", 7, 3),
    ]  # fmt: skip


class Scene:
    """A session on a line."""

    def __init__(self, *providers, agent=AGENT):
        self.line, self.noted = Line(), Noted()
        self.provider = providers[0]
        self.session = RealtimeSession(
            agent,
            Seat(source=self.line, sink=self.line, observer=self.noted,
                 now=asyncio.get_running_loop().time, variables={"caller": "alice"}),
            providers=providers,
        )  # fmt: skip

    def start(self):
        self.line.answered()
        self.task = asyncio.create_task(self.session.run())

    async def end(self):
        outcome = await asyncio.wait_for(self.task, 60)
        await self.session.close()
        return outcome

    def heard(self):
        return [(e.heard, e.interrupted) for e in self.noted.of(AgentSaid)]


def test_a_call_with_an_interruption_a_tool_and_a_farewell():
    async def main():
        fake = FakeLive(begin=said("a", "Hello, this is Harbor Lamps.", 1.0))
        scene = Scene(fake)
        await scene.session.prepare()
        scene.start()
        await asyncio.sleep(2)
        fake.tell(live.Began(), live.Ended(), live.Understood("Where is it?"))
        fake.tell(*said("b", "one two three four five six seven eight nine ten", 10.0))
        await asyncio.sleep(5)
        fake.tell(live.Began(), sound(1.0, "b"), live.Ended(), live.Understood("Stop."))
        fake.tell(live.Answering(), Call("c1", "look_up", '{"table": "orders", "key": "1"}'))
        fake.tell(live.Answered("m-1"))
        await asyncio.sleep(1)
        fake.tell(*said("d", "A lamp.", 0.5))
        await asyncio.sleep(1)
        fake.tell(live.Answering(), *said("e", "Goodbye.", 0.5)[1:4])
        fake.tell(Call("c2", "hang_up", '{"reason": "done"}'), live.Answered("m-1"))
        outcome = await scene.end()
        return scene, fake, outcome

    scene, fake, outcome = run(main())
    assert outcome == Hangup("done")
    assert scene.heard() == [
        ("Hello, this is Harbor Lamps.", False), ("one two three four five", True),
        ("A lamp.", False), ("Goodbye.", False),
    ]  # fmt: skip
    assert fake.done == [
        ("cut", "b", 5.0), ("give", "look_up", '{"item": "a lamp"}'), ("go on",),
    ]  # fmt: skip
    assert [e.text for e in scene.noted.of(CallerSaid)] == ["Where is it?", "Stop."]
    assert [e.name for e in scene.noted.of(ToolCalled)] == ["look_up", "hang_up"]
    assert len(scene.noted.of(BargedIn)) == 1
    assert scene.noted.of(ModelAnswered)[0].prompt == "p1"
    assert scene.noted.of(TurnTaken)
    assert fake.heard > 8 * 8000  # of the caller, while it was listened to


def test_nothing_of_an_utterance_is_played_once_it_was_cut():
    async def main():
        fake = FakeLive(begin=[live.Answering(), live.Spoken("a", "Hello there."), sound(5.0)])
        scene = Scene(fake)
        scene.start()
        await asyncio.sleep(1)
        fake.tell(live.Began())
        await asyncio.sleep(0.1)
        fake.tell(sound(5.0), live.Spoken("a", " More."), live.Finished("a"))
        await asyncio.sleep(1)
        scene.line.hang_up()
        return await scene.end(), len(scene.line.written), scene.heard()

    outcome, written, heard = run(main())
    assert outcome == CallerLeft()
    assert written < 1.1 * 8000
    assert heard == [("", True)]


def test_a_transfer_waits_for_its_words_and_the_service_learns_that_it_failed():
    async def main():
        ask = '{"entry": "human", "intent": "complaint", "summary": "It broke."}'
        fake = FakeLive()
        scene = Scene(fake)
        scene.start()
        await asyncio.sleep(0.1)
        fake.tell(*said("a", "I connect you.", 1.0)[:-1], Call("c", "transfer", ask))
        fake.tell(live.Answered())
        first = await asyncio.wait_for(scene.task, 9)
        waited = asyncio.get_running_loop().time()
        scene.session.transfer_failed("They are busy.")
        scene.start()
        await asyncio.sleep(0.1)
        fake.tell(live.Answering(), Call("c", "transfer", ask), live.Answered())
        second = await scene.end()
        return first, waited, second, fake, scene

    first, waited, second, fake, scene = run(main())
    assert first == Escalate("human", "complaint", 1.0, "It broke.", "the model asked")
    assert second == first
    assert waited > 1.0
    again = fake.openings[1]
    assert (again.cause, again.words) == ("transfer_failed", "They are busy.")
    assert [turn.text for turn in again.turns] == ["I connect you."]
    assert scene.heard()[-1] == ("One moment please, I am connecting you to the desk.", False)
    assert len(scene.noted.of(Escalated)) == 2


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
    assert first == Escalate("human", "", 0.0, "Nothing was understood.", "it broke")
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


def test_a_bot_plays_marks_clears_and_hangs_up():
    async def main():
        bot = FakeLive(patience=None, ends_call=True, single_keys=True)
        scene = Scene(bot)
        await scene.session.prepare()
        scene.start()
        await asyncio.sleep(0.1)
        bot.tell(sound(1.0, ""), live.Marked("one"), sound(5.0, ""), live.Marked("two"))
        await asyncio.sleep(0.9)
        before = list(bot.done)
        await asyncio.sleep(0.5)
        played = list(bot.done)
        bot.tell(live.Cut())
        scene.session.digit("5")
        await asyncio.sleep(0.1)
        cut = list(bot.done)
        bot.tell(sound(0.5, ""), GOODBYE)
        outcome = await scene.end()
        return before, played, cut, outcome, len(scene.line.written)

    before, played, cut, outcome, written = run(main())
    assert before == []
    assert played == [("reached", "one")]
    assert cut == [*played, ("press", "5"), ("reached", "two")]
    assert outcome == Hangup("main hung up")
    assert written == pytest.approx(1.9 * 8000, abs=800)  # the rest of five seconds was cut


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


def test_keys_are_given_to_a_model_as_a_number():
    async def main():
        fake = FakeLive(begin=said("a", "Your order number?", 1.0))
        scene = Scene(fake)
        scene.start()
        await asyncio.sleep(0.5)
        fake.tell(Call("c", "collect_digits", '{"count": 2}'))
        await asyncio.sleep(1)
        for digit in "42":
            scene.session.digit(digit)
        await asyncio.sleep(0.1)
        fake.tell(*said("b", "Thank you.", 0.2))
        await asyncio.sleep(1)
        scene.line.hang_up()
        await scene.end()
        return fake.done, scene.noted.of(CallerSaid)

    done, [turn] = run(main())
    assert ("press", "42") in done
    assert (turn.text, turn.way) == ("42", "dtmf")


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


def test_says_what_it_is_told_to_say():
    async def main():
        scene = Scene(FakeLive())
        return await scene.session.say("This call is recorded."), scene.session.conversation.turns

    heard, [turn] = run(main())
    assert heard == turn.text == "This call is recorded."


def test_without_a_voice_of_our_own_it_says_nothing(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)

    async def main():
        scene = Scene(FakeLive(), agent=dataclasses.replace(AGENT, synthesizer=("embedded",)))
        return await scene.session.say("Hello."), np.any(scene.line.written)

    assert run(main()) == ("", False)
