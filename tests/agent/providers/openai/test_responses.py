import asyncio
import json

import pytest

from opensip.agent.chat import Used
from opensip.agent.definition import Account, Agent
from opensip.agent.memory import Call
from opensip.agent.providers import Brief, Say
from opensip.agent.providers.openai.client import close_shared
from opensip.agent.providers.openai.dialogue import make
from opensip.agent.providers.openai.responses import OpenAiResponses, items_of
from opensip.agent.tools.builtin import built_in
from opensip.errors import ProviderError
from tests.fakes.openai_server import Ask, Fault, OpenAiServer

ASKED = [{"role": "system", "content": "You are Ada."}, {"role": "user", "content": "Hello."}]


def account(server, **more):
    return Account(base_url=server.base_url, dialogue_model="m-1", dialogue_api="responses", **more)


def ask(brain=None, *, fault=None, **more):
    async def main():
        async with OpenAiServer(brain) as server:
            server.faults["responses"] = [fault] if fault else []
            model = OpenAiResponses(Brief(Agent("test"), "main", account(server, **more)))
            await model.prepare()
            try:
                tools = built_in(Agent("test"))
                return [delta async for delta in model.stream(ASKED, tools)], server
            finally:
                await close_shared()

    return asyncio.run(main())


def test_words_and_tools_come_as_they_are_made():
    deltas, server = ask(lambda items, tools: ["Good day.", Ask("hang_up", {"reason": "x"})])
    assert "".join(delta.text for delta in deltas[:2]) == "Good day. "
    assert deltas[2:] == [Call("call_1", "hang_up", '{"reason": "x"}'), Used("fake-1", 7, 3)]
    [request] = server.asked("responses")
    assert request["instructions"] == "You are Ada."
    assert request["input"] == [{"role": "user", "content": "Hello."}]
    assert request["store"] is False
    assert {tool["name"] for tool in request["tools"]} == {
        "hang_up", "note_outcome", "collect_digits",
    }  # fmt: skip


def streamed(*events):
    """A server that streams these events, as servers do that are not OpenAI's."""
    response = {"id": "r", "object": "response", "model": "m", "output": [], "usage": {}}
    done = {"type": "response.completed", "response": response | {"status": "completed"}}
    body = "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in (*events, done))
    return Fault(status=200, body=body)


def call(**more):
    item = {"type": "function_call", "id": None, "call_id": None, "name": "a", "arguments": "{}"}
    return {"type": "response.output_item.done", "output_index": 0, "item": item | more}


def test_what_a_server_leaves_out_of_a_call_does_not_end_the_answer():
    deltas, _ = ask(
        fault=streamed(call(), call(id="f"), call(arguments={"n": 1}), call(arguments=None))
    )
    assert [(one.id, one.arguments) for one in deltas[:-1]] == [
        ("call_2_1", "{}"), ("f", "{}"), ("call_2_3", '{"n": 1}'), ("call_2_4", ""),
    ]  # fmt: skip
    assert deltas[-1] == Used("m", 0, 0)


def test_words_that_are_no_text_are_an_error():
    words = {"type": "response.output_text.delta", "delta": None}
    with pytest.raises(ProviderError, match="main: a text is wanted"):
        ask(fault=streamed(words))


def test_a_call_that_was_cut_off_is_none():
    cut = Ask("hang_up", {"reason": "x"}, status="incomplete")
    deltas, _ = ask(lambda items, tools: [Ask("hang_up", "{}"), cut])
    assert deltas == [Call("call_0", "hang_up", "{}"), Used("fake-1", 7, 3)]


def test_messages_become_items():
    asked = {"id": "1", "type": "function", "function": {"name": "find", "arguments": "{}"}}
    instructions, items = items_of([
        {"role": "user", "content": "Where is it?"},
        {"role": "assistant", "content": "I look.", "tool_calls": [asked]},
        {"role": "tool", "tool_call_id": "1", "content": "here"},
        {"role": "assistant", "content": None, "tool_calls": [asked]},
    ])  # fmt: skip
    assert instructions == ""
    call = {"type": "function_call", "call_id": "1", "name": "find", "arguments": "{}"}
    assert items == [
        {"role": "user", "content": "Where is it?"},
        {"role": "assistant", "content": "I look."},
        call,
        {"type": "function_call_output", "call_id": "1", "output": "here"},
        call,
    ]


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Fault(status=401), "refused our key"),
        (Fault(status=503), "failed .503."),
        (Fault("half"), "main: "),
        (Fault("drop"), "main: the connection failed"),
        (Fault("unfinished"), "main: the answer broke off"),
        (Fault("failed"), "main: the model fell over"),
        (Fault("hang"), "no word within 0.05 s"),
        (Fault("thinks"), "no word within 0.05 s"),  # for ever
    ],
)
def test_each_fault_says_what_happened(fault, text):
    seconds = 0.05 if fault.kind in ("hang", "thinks") else 5.0
    with pytest.raises(ProviderError, match=text):
        ask(fault=fault, dialogue_seconds=seconds)


def test_an_agent_talks_by_responses_where_its_account_says_so():
    async def main():
        async with OpenAiServer(lambda items, tools: ["Hello there."]) as server:
            agent = Agent("test", kind="model", persona="You are Ada.")
            dialogue = make(Brief(agent, "main", account(server)))
            acts = [act async for act in dialogue.open()]
            await close_shared()
            return acts, server.asked("responses")

    acts, [request] = asyncio.run(main())
    assert Say("Hello there.") in acts
    assert request["instructions"].startswith("You are Ada.")
