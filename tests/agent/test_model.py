import asyncio
import dataclasses
import json
from contextlib import aclosing
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.agent.chat import Used
from opensip.agent.definition import Agent, Entry
from opensip.agent.memory import Call
from opensip.agent.model import LONGEST_ANSWER, MOST_ROUNDS, ModelDialogue
from opensip.agent.providers import (
    Began,
    Brief,
    Expectation,
    HangUp,
    Looked,
    Meant,
    Noted,
    Press,
    Prompted,
    Record,
    Say,
    Transfer,
    Understood,
)
from opensip.errors import ProviderError
from tests.fakes.chat_model import FakeChat
from tests.fakes.virtual_time_loop import VirtualTimeLoop

AGENT = Agent(
    "shop",
    kind="model",
    persona="You are Ada.",
    greeting="Hello, this is Harbor Lamps.",
    directory={"human": Entry("sip:desk@x", "the front desk")},
    data={"orders": {"4217": {"item": "a lamp"}}},
    failures=2,
)
FIND = Call("1", "look_up", '{"table": "orders", "key": "4217"}')
ORDER = Understood("Where is order 4217?")
HUMAN = Call(
    "2", "transfer", '{"entry": "human", "intent": "complaint", "summary": "The lamp broke."}'
)


def run(main):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


def dialogue(chat, agent=AGENT, brief=None):
    brief = brief or Brief(agent, chat.name)
    today = datetime(2026, 11, 21)  # noqa: DTZ001
    return ModelDialogue(brief, chat, now=asyncio.get_running_loop().time, today=today)


async def taken(acts):
    return [act async for act in acts if not isinstance(act, Began)]


def answers(chat, turn=ORDER, agent=AGENT):
    async def main():
        return await taken(dialogue(chat, agent).answer(turn))

    return run(main)


def test_it_greets_in_the_agents_words_or_in_its_own():
    async def main():
        chat = FakeChat(["Good ", "day. "])
        assert await taken(dialogue(chat).open()) == [Say("Hello, this is Harbor Lamps.")]
        assert chat.requests == []
        silent = dialogue(chat, dataclasses.replace(AGENT, greeting=""))
        assert await taken(silent.open()) == [Say("Good day.")]

    run(main)


def test_words_are_said_by_clause_and_without_markdown():
    chat = FakeChat(["**Of cour", "se**, I will look. It", " is 🙂 here.", Used("m-1", 5, 2)])
    *said, prompted = answers(chat)
    assert said[0] == Say("Of course,")
    assert isinstance(prompted, Prompted | Say)
    acts = [*said, prompted]
    assert [act.text for act in acts if isinstance(act, Say)] == [
        "Of course,", "I will look.", "It is here.",
    ]  # fmt: skip
    [used] = [act for act in acts if isinstance(act, Prompted)]
    assert (used.provider, used.model, used.tokens_in, used.tokens_out) == ("main", "m-1", 5, 2)
    assert len(used.prompt) == 8


def test_a_tool_is_run_and_its_result_told_to_the_model():
    chat = FakeChat(["Let me look that up for you. ", FIND], ["It is a lamp."])
    acts = answers(chat)
    assert acts[0] == Say("Let me look that up for you.")
    assert isinstance(acts[1], Looked)
    assert (acts[1].name, acts[1].result) == ("look_up", {"item": "a lamp"})
    assert acts[2:] == [Say("It is a lamp.")]
    messages, _ = chat.requests[1]
    assert [m["role"] for m in messages] == ["system", "user", "assistant", "tool"]
    assert messages[2]["content"] == "Let me look that up for you."
    assert messages[3]["content"] == '{"item": "a lamp"}'


def test_a_transfer_is_announced_and_named_by_its_entry():
    acts = answers(FakeChat([HUMAN]))
    assert isinstance(acts[0], Looked)
    assert acts[1] == Meant("transfer", 1.0, "complaint")
    assert acts[2] == Say("One moment please, I am connecting you to the front desk.")
    assert acts[3] == Transfer("human", "complaint", 1.0, "the model asked", "The lamp broke.")
    said = answers(FakeChat(["I connect you to a colleague now. ", HUMAN]))
    assert [act.text for act in said if isinstance(act, Say)] == [
        "I connect you to a colleague now."
    ]


def test_a_transfer_to_whom_the_directory_does_not_name_is_told_to_the_model():
    wrong = Call("1", "transfer", '{"entry": "911", "intent": "x", "summary": "y"}')
    chat = FakeChat([wrong], ["I cannot do that."])
    acts = answers(chat)
    assert "entry is '911', not one of human" in acts[0].error
    assert acts[1:] == [Say("I cannot do that.")]
    assert not [act for act in acts if isinstance(act, Transfer)]


def test_it_hangs_up_after_a_farewell():
    bye = Call("1", "hang_up", '{"reason": "all is said"}')
    assert answers(FakeChat([bye]))[1:] == [Say("Goodbye."), HangUp("all is said")]
    assert answers(FakeChat(["Thank you for calling us. ", bye]))[-1] == HangUp("all is said")


def test_keys_are_pressed_where_the_agent_may():
    press = Call("1", "press_keys", '{"keys": "12#"}')
    may = dataclasses.replace(AGENT, press_keys=True)
    acts = answers(FakeChat(["To accounting. ", press], ["Done."]), agent=may)
    assert [act for act in acts if not isinstance(act, Looked)] == [
        Say("To accounting."), Press("12#"), Say("Done."),
    ]  # fmt: skip
    refused = answers(FakeChat([press], ["I cannot."]))
    assert not [act for act in refused if isinstance(act, Press)]


def test_the_recording_is_paused_where_the_agent_may():
    pause, resume = Call("1", "pause_recording", "{}"), Call("2", "resume_recording", "{}")
    may = dataclasses.replace(AGENT, pause_recording=True)
    acts = answers(FakeChat([pause], ["Your card, please. ", resume], ["Thanks."]), agent=may)
    assert [act for act in acts if not isinstance(act, Looked)] == [
        Record(False), Say("Your card, please."), Record(True), Say("Thanks."),
    ]  # fmt: skip
    refused = answers(FakeChat([pause], ["I cannot."]))
    assert not [act for act in refused if isinstance(act, Record)]


def test_an_outcome_is_noted_and_the_talk_goes_on():
    note = Call("1", "note_outcome", '{"outcome": "resolved", "details": "found it"}')
    acts = answers(FakeChat([note], ["Anything else?"]))
    assert acts[1:] == [Noted("resolved", "found it"), Say("Anything else?")]


def test_a_model_that_only_calls_tools_is_stopped():
    chat = FakeChat(*[[FIND]] * (MOST_ROUNDS - 1), ["I give up."])
    acts = answers(chat)
    assert [act.text for act in acts if isinstance(act, Say)] == ["I give up."]
    assert [bool(tools) for _, tools in chat.requests] == [True] * (MOST_ROUNDS - 1) + [False]


def test_a_model_that_says_nothing_has_failed():
    with pytest.raises(ProviderError, match="the model said nothing"):
        answers(FakeChat([""]))


def test_a_model_that_never_stops_is_stopped():
    chat = FakeChat(["This goes on and on; "] * 1000)
    said = answers(chat)
    assert sum(len(act.text) for act in said) < LONGEST_ANSWER + 300
    assert chat.closed == 1


def test_nothing_understood_twice_leads_to_a_person():
    async def main():
        talk = dialogue(FakeChat())
        assert await taken(talk.answer(Understood(""))) == [
            Say("Sorry, I did not understand that.")
        ]
        acts = await taken(talk.answer(Understood(" ")))
        assert acts[-1] == Transfer("human", "", 0.0, "2 failures in a row")
        lonely = dialogue(FakeChat(), dataclasses.replace(AGENT, directory={}))
        for _ in range(3):
            acts = await taken(lonely.answer(Understood("")))
        assert acts == [Say("Sorry, I did not understand that.")]

    run(main)


def test_keys_are_told_as_keys():
    chat = FakeChat(["Thanks."])
    answers(chat, Understood("42", 1.0, "dtmf"))
    assert chat.requests[0][0][-1]["content"] == "(The caller pressed the keys 4 2.)"


def test_idle_callers_are_asked_and_then_left():
    async def main():
        talk = dialogue(FakeChat(), dataclasses.replace(AGENT, idle_prompts=("Hm?", "Hello?")))
        assert await taken(talk.idle()) == [Say("Hm?")]
        assert await taken(talk.idle()) == [Say("Hello?")]
        assert (await taken(talk.idle()))[-1] == HangUp("the caller was silent")

    run(main)


def test_after_a_failed_transfer_it_says_so_without_a_model():
    async def main():
        chat = FakeChat(["Of course."])
        talk = dialogue(chat)
        acts = await taken(talk.transfer_failed(""))
        assert acts[0] == Say("I am sorry, I could not reach the front desk.")
        talk.heard(acts[0].text, interrupted=False)
        await taken(talk.answer(ORDER))
        assert "Nobody took the call" in chat.requests[0][0][1]["content"]
        assert [m["role"] for m in chat.requests[0][0]] == ["system", "user", "assistant", "user"]

    run(main)


def test_another_dialogue_goes_on_where_this_one_broke_off_and_repeats_nothing():
    async def main():
        first = FakeChat(["One moment, please. I will look", ProviderError("gone")])
        second = FakeChat(["One moment, please. It is a lamp."], name="backup")
        brief = Brief(AGENT, "main")
        talk, other = dialogue(first, brief=brief), dialogue(second, brief=brief)
        with pytest.raises(ProviderError):
            await taken(talk.answer(ORDER))
        said = await taken(other.answer(ORDER))
        assert said == [Say("please. It is a lamp.")]
        assert [m["content"] for m in second.requests[0][0]][1:3] == [
            "Where is order 4217?", "One moment,",
        ]  # fmt: skip

    run(main)


def _tool(agent, function, **more):
    """Give the agent a tool that is this function."""
    from opensip.agent import toolbox
    from opensip.agent.definition import ToolTable
    from opensip.agent.tools.function import tool_of

    table = ToolTable(module="tests", **more)
    return (
        toolbox,
        tool_of("act", function, table),
        dataclasses.replace(agent, tools={"act": table}),
    )


@pytest.mark.parametrize("changes", [True, False])
def test_an_interruption_ends_what_looks_and_never_what_changes(monkeypatch, changes):
    done = []

    async def act():
        await asyncio.sleep(1)
        done.append(1)
        return "done"

    async def main():
        toolbox, tool, agent = _tool(AGENT, act, changes=changes)
        monkeypatch.setattr(toolbox, "load", lambda name, table: tool)
        chat = FakeChat([Call("1", "act", "{}")], ["It is done."])
        talk = dialogue(chat, agent)

        async def answering():
            async with aclosing(talk.answer(ORDER)) as acts:
                async for _ in acts:
                    pass

        task = asyncio.create_task(answering())
        await asyncio.sleep(0.5)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        acts = await taken(talk.answer(Understood("And now?")))
        await talk.close()
        return acts, chat.requests[-1][0]

    acts, messages = run(main)
    assert done == [1] * changes
    assert bool([act for act in acts if isinstance(act, Looked)]) is changes
    assert bool([m for m in messages if m["role"] == "tool"]) is changes


def test_what_changed_is_told_though_the_answer_after_it_is_unsaid(monkeypatch):
    async def act():
        await asyncio.sleep(1)
        return "done"

    async def main():
        toolbox, tool, agent = _tool(AGENT, act, changes=True)
        monkeypatch.setattr(toolbox, "load", lambda name, table: tool)
        chat = FakeChat([Call("1", "act", "{}")], ["It is"], ["It is done."])
        talk = dialogue(chat, agent)
        task = asyncio.create_task(taken(talk.answer(ORDER)))
        await asyncio.sleep(0.5)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await taken(talk.suppose(Understood("And"), asyncio.Event()))
        talk.unsay()
        return await taken(talk.answer(Understood("And now?"))), chat.requests[-1][0]

    acts, messages = run(main)
    assert [act.name for act in acts if isinstance(act, Looked)] == ["act"]
    assert [m["role"] for m in messages].count("tool") == 1


def test_it_makes_ready_when_told():
    async def main():
        chat = FakeChat()
        await dialogue(chat).prepare()
        assert chat.prepared == 1

    run(main)


def test_a_noise_that_cut_an_answer_off_lets_it_go_on():
    async def main():
        chat = FakeChat(["We are open from nine to six."], ["As I said, from nine to six."])
        talk = dialogue(chat)
        await taken(talk.answer(Understood("When are you open?")))
        talk.heard("We are open", interrupted=True)
        assert await taken(talk.answer(Understood(""))) == [
            Say("As I said, from nine to six."),
        ]
        shown = [m["content"] for m in chat.requests[1][0]][1:]
        assert shown[:2] == ["When are you open?", "We are open …"]
        assert "Go on where you were interrupted" in shown[2]
        talk.heard("As I said, from nine to six.", interrupted=False)
        assert await taken(talk.answer(Understood(""))) == [
            Say("Sorry, I did not understand that.")
        ]

    run(main)


@pytest.mark.parametrize(
    ("asked", "silence"),
    [
        ("What is the number of your order?", 0.9),
        ("Please spell your name.", 0.9),
        ("Could you spell that for me?", 0.9),
        ("Your number is on its way. Anything else?", 0.55),
    ],
)
def test_numbers_and_spelled_things_are_given_longer(asked, silence):
    async def main():
        talk = dialogue(FakeChat([asked]))
        await taken(talk.answer(ORDER))
        return talk.expectation().end_silence

    assert run(main) == silence


def test_digits_that_are_asked_for_end_by_their_number():
    async def main():
        collect = Call("1", "collect_digits", '{"count": 4}')
        chat = FakeChat([collect], ["Please key it in."], ["Thanks."])
        talk = dialogue(chat)
        await taken(talk.answer(ORDER))
        assert talk.expectation() == Expectation(keys=4, end_silence=0.9)
        await taken(talk.answer(Understood("4217", 1.0, "dtmf")))
        assert talk.expectation() == Expectation()

    run(main)


@given(st.one_of(st.text(max_size=20), st.sampled_from(["911", "human ", "sip:x@y", "tel:112"])))
def test_whatever_a_model_is_talked_into_it_reaches_nobody_off_the_directory(entry):
    told = {"entry": entry, "intent": "x", "summary": "y"}
    acts = answers(FakeChat([Call("1", "transfer", json.dumps(told))], ["I cannot do that."]))
    assert [act.target for act in acts if isinstance(act, Transfer)] == (
        [entry] if entry in AGENT.directory else []
    )
