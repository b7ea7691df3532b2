"""The line to a speech-to-speech model, through the official client to a server of ours."""

import asyncio

import numpy as np
import pytest

from opensip.agent import live
from opensip.agent.conversation import Turn
from opensip.agent.definition import Account, Agent, Entry
from opensip.agent.live import Opening
from opensip.agent.memory import Call
from opensip.agent.providers import Brief
from opensip.agent.providers.openai.client import WRONG_KEY
from opensip.agent.providers.openai.realtime import make
from opensip.agent.providers.openai.realtime_line import MOST_WRONG
from opensip.agent.providers.shared import close_shared
from opensip.errors import ProviderError
from tests.fakes.openai_server import Ask
from tests.fakes.realtime_server import RealtimeServer

AGENT = Agent("test", kind="realtime", persona="You are Ada.",
              directory={"human": Entry("sip:desk@example.com")})  # fmt: skip


def run(work, brain=None, *, agent=AGENT, account=None, **more):
    async def main():
        async with RealtimeServer(brain, **more) as server:
            given = Account(
                provider="openai_realtime", base_url=server.base_url, realtime_model="m",
                **(account or {}),
            )  # fmt: skip
            line = make(Brief(agent, "main", given, {"caller": "alice"}))
            try:
                return await asyncio.wait_for(work(line, server), 10)
            finally:
                await line.close()
                await close_shared()

    return asyncio.run(main())


async def until(line, last):
    found = []
    async for one in line.told():
        found.append(one)
        if isinstance(one, last):
            return found
    return found


@pytest.mark.parametrize("form", ["pcmu", "pcma", "pcm"])
def test_greets_and_its_sound_comes_in_pieces(form):
    async def work(line, server):
        await line.connect()
        await line.connect()
        await line.begin(Opening())
        return await until(line, live.Answered), line.rate, len(server.paths), server.messages

    told, rate, paths, messages = run(work, account={"realtime_format": form})
    sounds = [one for one in told if isinstance(one, live.Sound)]
    assert paths == 1
    assert {sound.rate for sound in sounds} == {rate}
    assert sum(len(sound.samples) for sound in sounds) == pytest.approx(rate / 2, rel=0.01)
    assert np.median(np.concatenate([s.samples for s in sounds])) == pytest.approx(3000, abs=100)
    item = sounds[0].item
    assert [one for one in told if not isinstance(one, live.Sound)] == [
        live.Answering(), live.Spoken(item, "I see."), live.Finished(item),
        live.Answered("m", 7, 3),
    ]  # fmt: skip
    assert messages[0]["content"].startswith("(The call begins")


def test_a_turn_with_a_tool_and_its_result():
    def brain(messages, tools):
        last = messages[-1]
        if last["role"] == "tool":
            return [last["content"]]
        return [Ask("hang_up", {"reason": "x"})] if last["content"] == "hello" else ["Hi."]

    async def work(line, server):
        await line.begin(Opening())
        first = await until(line, live.Answered)
        voice = np.full(800, 3000, np.int16)
        line.hear(voice)
        line.hear(np.zeros(4000, np.int16))
        second = await until(line, live.Answered)
        [call] = [one for one in second if isinstance(one, Call)]
        line.give(call, "It is done.")
        line.go_on()
        third = await until(line, live.Answered)
        line.cut("i9", 1.5)
        line.reached("m")
        line.press("42")
        line.go_on()
        await until(line, live.Answered)
        return first, second, call, third, server

    _, second, call, third, server = run(work, brain)
    assert second[:3] == [live.Began(), live.Ended("u"), live.Understood("hello", "u")]
    assert (call.name, call.arguments) == ("hang_up", '{"reason": "x"}')
    assert "It is done." in [one.text for one in third if isinstance(one, live.Spoken)]
    assert server.truncated == [("i9", 1500)]
    assert {"role": "user", "content": "(The caller pressed the keys 4 2.)"} in server.messages


@pytest.mark.parametrize(
    ("opening", "last"),
    [
        (Opening((), "transfer_failed", "They are busy."), "(Nobody took the call: They are busy."),
        (Opening((Turn("caller", "Help.", 0.0), Turn("agent", "Yes.", 1.0)), "fallback"),
         "(The line was down"),
    ],
)  # fmt: skip
def test_tells_what_was_before(opening, last):
    async def work(line, server):
        await line.begin(opening)
        await until(line, live.Answered)
        return server.messages

    messages = run(work)
    turns = len(opening.turns)
    assert [m["content"] for m in messages[:turns]] == [turn.text for turn in opening.turns]
    assert messages[turns]["content"].startswith(last)


def test_who_begins_while_the_session_is_set_up_waits_for_that_one():
    async def work(line, server):
        opening = asyncio.create_task(line.connect())
        await asyncio.sleep(0)
        await line.begin(Opening())
        await opening
        return len(server.paths)

    assert run(work) == 1


def test_of_a_long_call_the_last_is_told_and_what_tools_did():
    async def work(line, server):
        turns = [Turn("caller", f"turn {n}", 0.0) for n in range(300)]
        notes = ("(The tool order was run already.)",)
        await line.begin(Opening(turns, "fallback", notes=notes))
        await until(line, live.Answered)
        return [m["content"] for m in server.messages]

    told = run(work)
    assert told[0] == "turn 200"
    assert told[99:101] == ["turn 299", "(The tool order was run already.)"]
    assert told[101].startswith("(The line was down")


def test_says_the_greeting_of_the_file():
    async def work(line, server):
        await line.begin(Opening())
        await until(line, live.Answered)
        return server.messages[0]["content"]

    agent = Agent("test", kind="realtime", persona="x", greeting="Hello {caller}.")
    assert "exactly these words: Hello alice." in run(work, agent=agent)


def test_a_wrong_key_is_told_with_its_remedy():
    async def work(line, server):
        with pytest.raises(
            ProviderError,
            match=r"main: ws://127.0.0.1:\d+/v1/realtime: .*status 401: see api_key of",
        ) as error:
            await line.connect()
        return error.value.rest

    assert run(work, refuse=401) == WRONG_KEY


def test_a_server_that_is_silent_or_refuses_the_session_is_a_failure():
    async def silent(server):
        await server.socket.wait_closed()

    async def refusing(server):
        await server.error("invalid_model", "no such voice")
        await server.socket.wait_closed()

    async def late(line, server):
        with pytest.raises(
            ProviderError, match=r"main: ws://127.0.0.1:\d+/v1/realtime: no session within 0\.1 s"
        ):
            await line.connect()

    async def refused(line, server):
        with pytest.raises(
            ProviderError, match=r"main: ws://.*/v1/realtime: refused the session: no such voice"
        ):
            await line.connect()

    async def strange(server):
        await server.send("error", error=None)
        await server.socket.wait_closed()

    async def odd(line, server):
        with pytest.raises(
            ProviderError, match=r"main: ws://.*/v1/realtime: refused the session: no reason"
        ):
            await line.connect()

    run(late, fault=silent, account={"realtime_seconds": 0.1})
    run(odd, fault=strange)
    run(refused, fault=refusing)


def test_what_goes_wrong_in_a_talk_is_a_failure_or_is_left_out():
    async def work(line, server):
        await line.connect()
        await line.begin(Opening())
        await until(line, live.Answered)
        await server.error("response_cancel_not_active", "nothing to cancel")
        await server.error("strange", "what is this")
        await server.send("response.done", response=failed("completed", None))
        assert await until(line, live.Answered) == [live.Answered("m")]
        await server.send("response.done", response=failed("failed", {"code": "overloaded"}))
        with pytest.raises(ProviderError, match="main: the answer failed: overloaded") as one:
            await until(line, live.Answered)
        await server.socket.close()
        with pytest.raises(
            ProviderError, match=r"main: ws://.*/v1/realtime: the WebSocket was lost"
        ) as two:
            await until(line, live.Answered)
        return one.value.retryable, two.value.retryable

    def failed(status, error):
        details = {"type": status, "error": error} if error else None
        return {"object": "realtime.response", "id": "r", "status": status, "output": [],
                "status_details": details, "usage": None}  # fmt: skip

    assert run(work) == (True, True)


def test_sound_that_is_none_is_a_failure():
    async def work(line, server):
        await line.connect()
        place = {"response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}
        await server.send("response.output_audio.delta", delta="?", **place)
        with pytest.raises(ProviderError, match="main: sound that is no base64"):
            await until(line, live.Answered)

    run(work)


def test_events_of_a_strange_shape_are_left_out_until_they_are_too_many():
    async def work(line, server):
        await line.begin(Opening())
        await until(line, live.Answered)
        await server.send("response.done", response=None)
        await server.send("response.output_audio.delta", item_id="i", delta=5)
        await server.send("input_audio_buffer.speech_started")
        assert await until(line, live.Began) == [live.Began()]
        for _ in range(MOST_WRONG):
            await server.send("response.output_item.done", item=None)
        with pytest.raises(ProviderError, match="main: too many events of a strange shape"):
            await until(line, live.Answered)

    run(work)


def test_without_a_connection_there_is_nothing_to_hear():
    async def work(line, server):
        line.hear(np.zeros(160, np.int16))
        with pytest.raises(ProviderError, match="main: is not connected"):
            await until(line, live.Answered)

    run(work)
