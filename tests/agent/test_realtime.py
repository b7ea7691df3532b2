"""Whole realtime calls under virtual time: a service that is told what to tell."""

import asyncio
import dataclasses

import numpy as np
import pytest

from opensip.agent import live, toolbox
from opensip.agent.definition import ToolTable
from opensip.agent.memory import Call
from opensip.agent.outcome import CallerLeft, Escalate, Hangup
from opensip.agent.tools.function import tool_of
from opensip.events import (
    BargedIn,
    CallerSaid,
    ConfirmationAsked,
    ConfirmationEnded,
    Escalated,
    ModelAnswered,
    ToolCalled,
    ToolRefused,
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
        for digit in "42#":  # the last of which says nothing more
            scene.session.digit(digit)
        await asyncio.sleep(0.1)
        fake.tell(*said("b", "Thank you.", 0.2))
        await asyncio.sleep(1)
        await asyncio.sleep(2)
        scene.line.hang_up()
        await scene.end()
        return fake.done, scene.noted.of(CallerSaid)

    done, [turn] = run(main())
    assert ("press", "42") in done
    assert ("press", "#") not in done
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


PAY = Call("c1", "pay", '{"sum": "1200"}')


def paying(monkeypatch, *turns):
    """Hold a call in which a model pays; each turn is what it asks for after the caller's words."""
    paid = []

    async def pay(sum: str):
        paid.append(sum)
        return "paid"

    table = ToolTable(module="tests", confirm=True)
    monkeypatch.setattr(toolbox, "load", lambda name, table: tool_of("pay", pay, table))
    agent = dataclasses.replace(AGENT, tools={"pay": table})

    async def main():
        fake = FakeLive()
        scene = Scene(fake, agent=agent)
        scene.start()
        for number, (words, call) in enumerate(turns):
            item = f"i{number}"
            fake.tell(live.Began(), live.Ended(item), live.Answering(), call)
            await asyncio.sleep(0.5)  # the transcript comes after the model's wish
            fake.tell(*([live.Understood(words, item)] if words is not None else []))
            fake.tell(live.Answered("m-1"))
            await asyncio.sleep(2)
            fake.tell(*said(f"a{number}", "Yes or no?", 0.5))
            await asyncio.sleep(1)
        scene.line.hang_up()
        await scene.end()
        given = [result for what, *_, result in (one for one in fake.done if one[0] == "give")]
        return scene, paid, given

    return run(main())


def test_a_model_that_speaks_itself_is_told_what_to_ask_and_we_hear_the_answer(monkeypatch):
    scene, paid, given = paying(monkeypatch, ("Yes, pay it.", PAY), ("Yes.", PAY))
    assert paid == ["1200"]
    assert "Let me make sure: pay, sum 1 2 0 0. Please say yes or no" in given[0]
    assert given[1] == "paid"
    assert [e.again for e in scene.noted.of(ConfirmationAsked)] == [False]
    assert [e.outcome for e in scene.noted.of(ConfirmationEnded)] == ["confirmed"]


def test_a_model_that_hears_a_yes_where_there_was_none_does_nothing(monkeypatch):
    scene, paid, given = paying(monkeypatch, ("Pay.", PAY), ("No, not now.", PAY))
    assert paid == []
    assert given[1] == "The caller said no: nothing was done."
    scene, paid, given = paying(monkeypatch, ("Pay.", PAY), (None, PAY), (None, PAY))
    assert paid == []
    assert "was that a yes or a no?" in given[1]
    assert given[2].startswith("The caller's answer was unclear twice")
    assert [e.again for e in scene.noted.of(ConfirmationAsked)] == [False, True]


def test_other_arguments_are_another_question_to_a_model_that_speaks(monkeypatch):
    other = Call("c2", "pay", '{"sum": "9"}')
    scene, paid, _ = paying(monkeypatch, ("Pay.", PAY), ("Yes.", other), ("Yes.", other))
    assert paid == ["9"]
    assert [e.outcome for e in scene.noted.of(ConfirmationEnded)] == ["replaced", "confirmed"]


def test_an_answer_in_two_turns_is_read_as_one(monkeypatch):
    async def main(*words):
        fake, paid = FakeLive(), []

        async def pay(sum: str):
            paid.append(sum)

        table = ToolTable(module="tests", confirm=True)
        monkeypatch.setattr(toolbox, "load", lambda name, table: tool_of("pay", pay, table))
        scene = Scene(fake, agent=dataclasses.replace(AGENT, tools={"pay": table}))
        scene.start()
        fake.tell(live.Began(), live.Ended("a"), live.Understood("Pay.", "a"), PAY)
        await asyncio.sleep(1)
        for number, text in enumerate(words):
            item = f"b{number}"
            fake.tell(live.Began(), live.Ended(item), live.Understood(text, item))
            await asyncio.sleep(0.3)
        fake.tell(PAY)
        await asyncio.sleep(3)
        scene.line.hang_up()
        await scene.end()
        return paid

    assert run(main("Yes.", "Please.")) == ["1200"]
    assert run(main("No.", "Yes.", "No.")) == []


def test_a_model_in_a_circle_is_left_for_a_person():
    find = [Call(f"c{n}", "look_up", '{"table": "orders", "key": "1"}') for n in range(3)]

    async def main():
        fake = FakeLive()
        scene = Scene(fake, agent=dataclasses.replace(AGENT, tool_repeats=1))
        scene.start()
        for call in find:
            fake.tell(live.Began(), live.Ended("a"), live.Answering(), call, live.Answered("m-1"))
            await asyncio.sleep(1)
        return await scene.end(), scene

    outcome, scene = run(main())
    assert isinstance(outcome, Escalate)
    assert outcome.why == "look_up ran 1 times with the same arguments in this call (tool_repeats)"
    assert [event.times for event in scene.noted.of(ToolRefused)] == [1, 2]
    assert len(scene.noted.of(ToolCalled)) == 1
