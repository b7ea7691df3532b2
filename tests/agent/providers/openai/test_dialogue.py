import asyncio
import json

import pytest

from opensip.agent.chat import Used, Words
from opensip.agent.definition import Account, Agent
from opensip.agent.memory import Call
from opensip.agent.providers import Began, Brief, Say
from opensip.agent.providers.openai.client import close_shared
from opensip.agent.providers.openai.dialogue import OpenAiChat, make
from opensip.agent.tools.builtin import built_in
from opensip.errors import ProviderError
from tests.fakes.openai_server import Ask, Fault, OpenAiServer

ASKED = [{"role": "user", "content": "Where is my order?"}]
TOOLS = built_in(Agent("test"))


def account(server, **more):
    return Account(base_url=server.base_url, dialogue_model="fake-1", api_key="sk-1", **more)


def chat(brain=None, *, fault=None, tools=TOOLS, **more):
    """Ask once; give the deltas and the server."""

    async def main():
        async with OpenAiServer(brain) as server:
            server.faults["completions"] = [fault] if fault else []
            model = OpenAiChat(Brief(Agent("test"), "main", account(server, **more)))
            try:
                return [delta async for delta in model.stream(ASKED, tools)], server
            finally:
                await close_shared()

    return asyncio.run(main())


def test_words_come_as_they_are_made_then_what_they_took():
    deltas, server = chat(lambda messages, tools: ["It is on its way."])
    assert [delta.text for delta in deltas[:-1]] == ["It ", "is ", "on ", "its ", "way. "]
    assert deltas[-1] == Used("fake-1", 7, 3)
    [request] = server.asked("completions")
    assert (request["model"], request["messages"], request["stream"]) == ("fake-1", ASKED, True)
    assert {tool["function"]["name"] for tool in request["tools"]} == {
        "hang_up", "note_outcome", "collect_digits",
    }  # fmt: skip
    assert server.requests[0][1]["authorization"] == "Bearer sk-1"


def test_calls_of_tools_come_whole():
    asks = [Ask("find_order", {"number": "4217"}), Ask("hang_up", "{")]
    deltas, _ = chat(lambda messages, tools: ["Wait.", *asks])
    calls = [delta for delta in deltas if isinstance(delta, Call)]
    assert [(call.name, call.arguments) for call in calls] == [
        ("find_order", '{"number": "4217"}'),
        ("hang_up", "{"),
    ]
    assert calls[0].id != calls[1].id


def streamed(*choices):
    """A server that streams these choices, as servers do that are not OpenAI's."""
    told = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    events = [f"data: {json.dumps(told | {'choices': one})}\n\n" for one in choices]
    return Fault(status=200, body="".join([*events, "data: [DONE]\n\n"]))


def part(delta, finish=None):
    return [{"index": 0, "delta": delta, "finish_reason": finish}]


def piece(name="", arguments="", **more):
    return part({"tool_calls": [{"function": {"name": name, "arguments": arguments}, **more}]})


@pytest.mark.parametrize(
    "pieces",
    [
        [piece("a", '{"n": 1}', index=0, id="1"), piece("b", '{"n": 2}', index=0, id="2")],
        [piece("a", '{"n": 1}', id="1"), piece("b", '{"n": 2}', id="2")],
        [piece("a", '{"n": 1}', index=0), piece("b", '{"n": 2}', index=0)],
        [piece("a", {"n": 1}, index=0, id="1"), piece("b", {"n": 2}, index=1, id="2")],
        [
            piece("a", '{"n"', index=0, id="1"), piece("a", ": 1}", index=0, id="1"),
            piece("b", '{"n"', index=0, id="2"), piece("", ": 2}", index=0, id=""),
        ],
    ],
)  # fmt: skip
def test_two_tools_of_a_server_that_counts_them_its_own_way_are_two(pieces):
    deltas, _ = chat(fault=streamed(*pieces, part({}, "tool_calls")))
    calls = [delta for delta in deltas if isinstance(delta, Call)]
    assert [(call.name, call.arguments) for call in calls] == [("a", '{"n": 1}'), ("b", '{"n": 2}')]
    assert calls[0].id != calls[1].id


@pytest.mark.parametrize("last", [part(None, "stop"), [{"index": 0, "finish_reason": "stop"}]])
def test_an_end_without_a_delta_is_one(last):
    deltas, _ = chat(fault=streamed(part({"content": "Hi."}), last))
    assert deltas[0] == Words("Hi.")


def test_words_that_are_no_text_are_an_error():
    with pytest.raises(ProviderError, match="main: a text is wanted, not list"):
        chat(fault=streamed(part({"content": [{"text": "Hi."}]}, "stop")))


def test_the_call_that_was_cut_off_is_none():
    asks = [Ask("find_order", {"number": "4217"}), Ask("hang_up", "{}", status="incomplete")]
    deltas, _ = chat(lambda messages, tools: ["Wait.", *asks])
    assert [delta.name for delta in deltas if isinstance(delta, Call)] == ["find_order"]


def test_without_tools_none_are_named_and_options_go_along():
    _, server = chat(tools=[], options={"temperature": 0.2})
    [request] = server.asked("completions")
    assert "tools" not in request
    assert request["temperature"] == 0.2


@pytest.mark.parametrize(
    ("fault", "text", "retryable"),
    [
        (Fault(status=401), r"main: refused our key \(401\): see api_key", False),
        (Fault(status=404), "main: knows no such model or path", False),
        (Fault(status=429, headers=(("Retry-After", "7"),)), "429.* for 7 s", False),
        (Fault(status=500), r"main: failed \(500\)", True),
        (Fault(status=400), "main: refused the request .400.", False),
        (Fault("half"), "main: ", True),
        (Fault("drop"), "main: ", True),
        (Fault("hang"), "main: no word within 0.05 s", False),
        (Fault("thinks"), "main: no word within 0.05 s", False),  # for ever
    ],
)
def test_each_fault_says_what_happened(fault, text, retryable):
    with pytest.raises(ProviderError, match=text) as caught:
        chat(fault=fault, dialogue_seconds=0.05 if fault.kind in ("hang", "thinks") else 5.0)
    assert (caught.value.provider, caught.value.retryable) == ("main", retryable)
    assert "sk-1" not in str(caught.value)
    assert caught.value.rest == {429: 7, 401: 60}.get(fault.status, 0)


def test_a_server_that_is_not_there():
    async def main():
        model = OpenAiChat(Brief(Agent("t"), "main", Account(base_url="http://127.0.0.1:9/v1",
                                                             dialogue_model="x")))  # fmt: skip
        await model.prepare()
        try:
            return [delta async for delta in model.stream(ASKED, ())]
        finally:
            await close_shared()

    with pytest.raises(ProviderError, match=r"connection failed \(http://127\.0\.0\.1:9\): "):
        asyncio.run(main())


def test_an_answer_that_is_broken_off_ends_its_request_and_the_connection_serves_on():
    async def main():
        async with OpenAiServer(lambda messages, tools: ["one two three. " * 200]) as server:
            model = OpenAiChat(Brief(Agent("test"), "main", account(server)))
            await model.prepare()
            stream = model.stream(ASKED, ())
            first = await anext(stream)
            await stream.aclose()
            again = [delta async for delta in model.stream(ASKED, ())]
            await close_shared()
            return first, again

    first, again = asyncio.run(main())
    assert first == Words("one ")
    assert isinstance(again[-1], Used)


def test_the_provider_makes_a_dialogue_that_speaks_by_clause():
    async def main():
        async with OpenAiServer(lambda messages, tools: ["Hello there, how are you?"]) as server:
            agent = Agent("test", kind="model", persona="You are Ada.")
            dialogue = make(Brief(agent, "main", account(server)))
            acts = [act async for act in dialogue.open() if not isinstance(act, Began)]
            await dialogue.close()
            await close_shared()
            return acts, server.asked("completions")[0]["messages"]

    acts, messages = asyncio.run(main())
    assert acts[:2] == [Say("Hello there,"), Say("how are you?")]
    assert messages[0]["content"].startswith("You are Ada.")
