"""What a model does beside talking: look up, transfer, hang up, press keys, pause the recording."""

import asyncio
import dataclasses
import json
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.agent.memory import Call
from opensip.agent.model import MOST_ROUNDS
from opensip.agent.providers import (
    HangUp,
    Looked,
    Meant,
    Noted,
    Press,
    Record,
    Say,
    Transfer,
    Understood,
)
from tests.fakes.chat_model import FakeChat
from tests.fakes.model_agent import AGENT, FIND, HUMAN, ORDER, answers, dialogue, run, taken


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


async def broken_off(answer, after=0.5):
    """Take the acts of an answer that ends early, as where the caller speaks."""

    async def answering():
        async with aclosing(answer) as acts:
            await taken(acts)

    task = asyncio.create_task(answering())
    await asyncio.sleep(after)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


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

        await broken_off(talk.answer(ORDER))
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
        await broken_off(talk.answer(ORDER))
        await taken(talk.suppose(Understood("And"), asyncio.Event()))
        talk.unsay()
        return await taken(talk.answer(Understood("And now?"))), chat.requests[-1][0]

    acts, messages = run(main)
    assert [act.name for act in acts if isinstance(act, Looked)] == ["act"]
    assert [m["role"] for m in messages].count("tool") == 1


def test_who_speaks_before_the_recording_was_paused_has_it_asked_for_anew():
    pause = Call("1", "pause_recording", "{}")
    agent = dataclasses.replace(AGENT, pause_recording=True)

    async def main():
        chat = FakeChat(["One moment, ", pause], [pause], ["Your card, please."])
        talk = dialogue(chat, agent)
        async with aclosing(talk.answer(ORDER)) as acts:
            async for act in acts:
                if isinstance(act, Say):
                    await asyncio.sleep(1)  # the tool has run, and the caller speaks into this
                    break
        acts = await taken(talk.answer(Understood("And my card?")))
        return acts, [request for request, _ in chat.requests]

    acts, requests = run(main)
    assert not [message for message in requests[1] if message["role"] == "tool"]
    assert [act for act in acts if not isinstance(act, Looked)] == [
        Record(False), Say("Your card, please."),
    ]  # fmt: skip


def test_what_a_built_in_tool_was_to_do_beside_one_that_changes_is_done_with_the_next_answer(
    monkeypatch,
):
    async def act():
        await asyncio.sleep(1)

    async def main():
        toolbox, tool, agent = _tool(AGENT, act, changes=True)
        monkeypatch.setattr(toolbox, "load", lambda name, table: tool)
        agent = dataclasses.replace(agent, pause_recording=True)
        calls = [Call("1", "act", "{}"), Call("2", "pause_recording", "{}")]
        chat = FakeChat([*calls, Call("3", "hang_up", '{"reason": "x"}')], ["Your card, please."])
        talk = dialogue(chat, agent)
        await broken_off(talk.answer(ORDER))
        return await taken(talk.answer(Understood("And now?")))

    acts = run(main)
    assert [act for act in acts if not isinstance(act, Looked)] == [
        Record(False), Say("Your card, please."),
    ]  # fmt: skip


def test_what_changed_after_the_caller_had_left_is_told_at_the_close(monkeypatch):
    async def act():
        await asyncio.sleep(1)
        return "booked"

    async def main():
        toolbox, tool, agent = _tool(AGENT, act, changes=True)
        monkeypatch.setattr(toolbox, "load", lambda name, table: tool)
        talk = dialogue(FakeChat([Call("1", "act", "{}")]), agent)
        await broken_off(talk.answer(ORDER))
        return await talk.close()

    [looked] = run(main)
    assert (looked.name, looked.result) == ("act", "booked")


@given(st.one_of(st.text(max_size=20), st.sampled_from(["911", "human ", "sip:x@y", "tel:112"])))
def test_whatever_a_model_is_talked_into_it_reaches_nobody_off_the_directory(entry):
    told = {"entry": entry, "intent": "x", "summary": "y"}
    acts = answers(FakeChat([Call("1", "transfer", json.dumps(told))], ["I cannot do that."]))
    assert [act.target for act in acts if isinstance(act, Transfer)] == (
        [entry] if entry in AGENT.directory else []
    )
