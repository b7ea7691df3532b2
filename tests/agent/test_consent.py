"""What cannot be undone is asked about by us, and done after a yes that we have heard ourselves."""

import asyncio
import dataclasses

import pytest

from opensip.agent import toolbox
from opensip.agent.chat import Used
from opensip.agent.definition import ToolTable
from opensip.agent.memory import Call
from opensip.agent.providers import HangUp, Looked, Prompted, Say, Transfer, Understood
from opensip.agent.tools.function import tool_of
from opensip.agent.withheld import Asked, Refused, Settled
from tests.fakes.chat_model import FakeChat
from tests.fakes.model_agent import AGENT, dialogue, run, taken

CANCEL = Call("1", "cancel", '{"number": "4217"}')
QUESTION = "Let me make sure: cancel, number 4 2 1 7. Please say yes or no: shall I do that?"
AGAIN = "Sorry, was that a yes or a no? cancel, number 4 2 1 7. Shall I do that?"


class Shop:
    """An agent with a tool that cancels, and a talk with it that is heard as a test says."""

    def __init__(self, monkeypatch, *answers, seconds=0.0, **agent):
        self.cancelled = []

        async def cancel(number: str):
            await asyncio.sleep(seconds)
            self.cancelled.append(number)
            return "cancelled"

        table = ToolTable(module="tests", confirm=True)
        tool = tool_of("cancel", cancel, table)
        monkeypatch.setattr(toolbox, "load", lambda name, table: tool)
        self.chat = FakeChat(*answers)
        self.agent = dataclasses.replace(AGENT, tools={"cancel": table}, **agent)
        self.talk = dialogue(self.chat, self.agent)

    async def say(self, text, *, heard=None, way="voice"):
        acts = await taken(self.talk.answer(Understood(text, 1.0, way)))
        said = " ".join(act.text for act in acts if isinstance(act, Say))
        if heard is None:
            self.talk.heard(said, interrupted=False)
        else:
            self.talk.heard(heard, interrupted=True)
        return acts

    def shown(self):
        """What the model was last shown of its tools."""
        return [m["content"] for m in self.chat.requests[-1][0] if m["role"] == "tool"]


def told(shop_of, *turns, **more):
    async def main():
        shop = shop_of(**more)
        acts = [await shop.say(turn) for turn in turns]
        await shop.talk.close()
        return shop, acts

    return run(main)


@pytest.fixture
def shop(monkeypatch):
    def made(*answers, **more):
        return lambda: Shop(monkeypatch, *answers, **more)

    return made


def test_it_is_asked_with_the_arguments_and_runs_after_a_yes(shop):
    made = shop(["I can do that. ", CANCEL, Used("m")], ["It is cancelled."])
    at, (asked, done) = told(made, "Cancel order 4217.", "Yes, please.")
    assert [act for act in asked if not isinstance(act, Prompted)] == [
        Say("I can do that."), Asked("cancel", {"number": "4217"}, QUESTION), Say(QUESTION),
    ]  # fmt: skip
    assert len(at.chat.requests) == 2  # the model is not asked what a yes is
    assert done[0] == Settled("cancel", {"number": "4217"}, "confirmed")
    assert isinstance(done[1], Looked)
    assert (done[1].result, done[2:]) == ("cancelled", [Say("It is cancelled.")])
    assert at.cancelled == ["4217"]
    assert at.shown()[1] == "cancelled"
    ids = [m["tool_call_id"] for m in at.chat.requests[-1][0] if m["role"] == "tool"]
    assert len({*ids}) == 2


@pytest.mark.parametrize(
    ("words", "outcome", "shown"),
    [
        ("No, leave it.", "declined", "The caller said no: nothing was done."),
        ("When do you open tomorrow morning?", "passed_over", "The caller did not agree, but"),
        ("Yes, but the other one that I bought on Monday.", "passed_over", "The caller did not"),
    ],
)
def test_whatever_is_no_yes_leaves_it_undone_and_the_model_knows(shop, words, outcome, shown):
    at, (_, done) = told(shop([CANCEL], ["All right."]), "Cancel it.", words)
    assert done == [Settled("cancel", {"number": "4217"}, outcome), Say("All right.")]
    assert at.cancelled == []
    assert at.shown()[1].startswith(shown)


@pytest.mark.parametrize("unclear", ["Well, yes, maybe.", ""])
def test_who_is_unclear_is_asked_once_more_and_then_it_is_left(shop, unclear):
    at, (_, again, done) = told(shop([CANCEL], ["Fine."]), "Cancel it.", unclear, unclear)
    assert again == [Asked("cancel", {"number": "4217"}, AGAIN, again=True), Say(AGAIN)]
    assert done == [Settled("cancel", {"number": "4217"}, "unclear"), Say("Fine.")]
    assert at.cancelled == []
    at, (*_, done) = told(shop([CANCEL], ["Done."]), "Cancel it.", unclear, "Yes.")
    assert at.cancelled == ["4217"]


def test_a_key_is_no_yes(shop):
    async def main():
        at = shop([CANCEL])()
        await at.say("Cancel it.")
        return at, await at.say("1", way="dtmf")

    at, acts = run(main)
    assert acts[-1] == Say(AGAIN)
    assert at.cancelled == []


def test_other_arguments_and_a_second_time_are_another_question(shop):
    other = Call("2", "cancel", '{"number": "1038"}')
    made = shop([CANCEL], [other], [other], ["Done."], [other])
    at, acts = told(made, "Cancel it.", "No, not that one.", "No.", "Oh, yes.", "Cancel it again.")
    questions = [act.arguments["number"] for turn in acts for act in turn if isinstance(act, Asked)]
    assert questions == ["4217", "1038", "1038", "1038"]
    assert at.cancelled == ["1038"]


def test_a_model_that_calls_again_by_itself_runs_nothing(shop):
    async def main():
        at = shop([CANCEL], [CANCEL], [CANCEL])()
        for words in (
            "Cancel it.",
            "What time is it now in your town?",
            "Tell me more about lamps.",
        ):
            await at.say(words)
        return at

    assert run(main).cancelled == []


def test_a_yes_that_came_too_late_for_a_limit_is_good_for_nothing_later(shop):
    made = shop([CANCEL], ["Sorry."], ["Hm."], tool_calls=1)

    async def main():
        at = made()
        await at.say("Cancel it.")
        at.talk._memory.spent = dataclasses.replace(at.talk._memory.spent, calls=1)
        refused = await at.say("Yes.")
        at.talk._memory.spent = dataclasses.replace(at.talk._memory.spent, calls=0)
        at.chat.answers[:0] = [[CANCEL]]
        return at, refused, await at.say("And now?")

    at, refused, later = run(main)
    assert isinstance(refused[0], Refused)
    assert [type(act) for act in later] == [Asked, Say]
    assert at.cancelled == []


def test_a_question_that_was_not_heard_to_its_end_is_none(shop):
    async def main():
        at = shop([CANCEL], [CANCEL], ["Done."])()
        await at.say("Cancel it.", heard="Let me make sure: cancel, number 4 2")
        asked = await at.say("Yes.")
        assert at.cancelled == []
        await at.say("Yes.")
        return at, asked

    at, asked = run(main)
    assert asked[0] == Settled("cancel", {"number": "4217"}, "unheard")
    assert asked[-1] == Say(QUESTION)
    assert at.cancelled == ["4217"]


def test_a_yes_over_its_last_words_is_one(shop):
    async def main():
        at = shop([CANCEL], ["Done."])()
        await at.say("Cancel it.", heard="Let me make sure: cancel, number 4 2 1 7. Please say")
        await at.say("Yes.")
        return at

    assert run(main).cancelled == ["4217"]


def test_a_turn_that_was_not_over_confirms_nothing(shop):
    async def main():
        at = shop([CANCEL], ["Fine."])()
        await at.say("Cancel it.")
        committed = asyncio.Event()
        supposed = asyncio.create_task(taken(at.talk.suppose(Understood("Yes"), committed)))
        await asyncio.sleep(1)
        supposed.cancel()
        await asyncio.gather(supposed, return_exceptions=True)
        at.talk.unsay()
        assert at.cancelled == []
        acts = await at.say("Yes, but not today, I have to ask my wife about it.")
        return at, acts

    at, acts = run(main)
    assert acts == [Settled("cancel", {"number": "4217"}, "passed_over"), Say("Fine.")]
    assert at.cancelled == []


def test_a_supposed_yes_runs_it_once_it_is_one(shop):
    async def main():
        at = shop([CANCEL], ["Done."])()
        await at.say("Cancel it.")
        committed = asyncio.Event()
        supposed = asyncio.create_task(taken(at.talk.suppose(Understood("Yes"), committed)))
        await asyncio.sleep(1)
        assert at.cancelled == []
        committed.set()
        return at, await supposed

    at, acts = run(main)
    assert at.cancelled == ["4217"]
    assert acts[-1] == Say("Done.")


def test_who_speaks_while_it_runs_does_not_end_it(shop):
    async def main():
        at = shop([CANCEL], ["It is done."], seconds=1.0)()
        await at.say("Cancel it.")
        answering = asyncio.create_task(taken(at.talk.answer(Understood("Yes."))))
        await asyncio.sleep(0.5)
        answering.cancel()
        await asyncio.gather(answering, return_exceptions=True)
        return at, await at.say("Is it done?")

    at, acts = run(main)
    assert at.cancelled == ["4217"]
    assert [type(act) for act in acts] == [Settled, Looked, Say]


def test_nobody_leaves_before_the_answer_and_one_thing_is_asked_at_a_time(shop):
    bye = Call("3", "hang_up", '{"reason": "done"}')
    other = Call("2", "cancel", '{"number": "1038"}')
    at, (asked,) = told(shop([bye, CANCEL, other]), "Cancel both. Bye!")
    assert not [act for act in asked if isinstance(act, HangUp)]
    assert asked[-1] == Say(QUESTION)
    results = {m.get("tool_call_id"): m["content"] for m in at.talk._memory.messages}
    assert "the caller is being asked" in results["3"]
    assert results["2"].startswith("Not done: the caller is being asked about another tool")


def test_after_a_silence_it_is_asked_again_and_a_transfer_that_failed_forgets_it(shop):
    async def main():
        at = shop([CANCEL], ["Fine."])()
        await at.say("Cancel it.")
        idle = await taken(at.talk.idle())
        at.talk.heard("Are you still there?", interrupted=True)
        unheard = await at.say("Yes.")
        await taken(at.talk.transfer_failed(""))
        return at, idle, unheard, await at.say("Yes.")

    at, idle, unheard, after = run(main)
    assert [act.text for act in idle if isinstance(act, Say)] == ["Are you still there?", AGAIN]
    assert unheard[0].outcome == "unheard"
    assert at.cancelled == []
    assert not [act for act in after if isinstance(act, Settled)]


def test_arguments_that_do_not_fit_or_cannot_be_heard_are_not_asked_about(shop):
    wrong = Call("1", "cancel", '{"numbers": 1}')
    long = Call("2", "cancel", f'{{"number": "{"a" * 400}"}}')
    at, (acts,) = told(shop([wrong, long], ["Hm."]), "Cancel it.")
    assert not [act for act in acts if isinstance(act, Asked)]
    assert [act.error.partition(":")[0] for act in acts if isinstance(act, Looked)] == [
        "cancel"
    ] * 2
    assert "too many to be read out" in at.shown()[1]


def test_a_model_in_a_circle_is_told_and_then_left(shop):
    find = Call("1", "look_up", '{"table": "orders", "key": "4217"}')
    made = shop([find], ["One."], [find], ["Two."], [find], ["Three."], [find], tool_repeats=2)
    _, acts = told(made, "Where?", "Where?", "Where?", "Where?")
    assert isinstance(acts[2][0], Refused)
    assert acts[2][1] == Say("Three.")
    refused, sorry, last = acts[3]
    assert (refused.times, last) == (2, Transfer("human", "", 0.0, refused.why))
    assert sorry.text.startswith("I am sorry, something went wrong on our side.")
    assert "look_up ran 2 times" in refused.why
