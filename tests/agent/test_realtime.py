"""Whole realtime calls under virtual time: a service that is told what to tell."""

import asyncio
import dataclasses

import numpy as np
import pytest

from opensip.agent import live
from opensip.agent.memory import Call
from opensip.agent.outcome import CallerLeft, Escalate, Hangup
from opensip.events import (
    BargedIn,
    CallerSaid,
    Escalated,
    ModelAnswered,
    ToolCalled,
    TurnTaken,
)
from tests.fakes.live import GOODBYE, FakeLive
from tests.fakes.realtime_scene import AGENT, Scene, run, said, sound


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
