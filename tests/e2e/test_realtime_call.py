"""A caller talks with a realtime agent over SIP and RTP, through the official client."""

import asyncio

import pytest

from opensip.agent.definition import Account, Agent, Entry, ToolTable
from tests.e2e.test_model_call import PITCH, STORY, TOOLS, brain, call, ears, voice
from tests.fakes.exchanges import journal, records
from tests.fakes.realtime_server import RealtimeServer

pytestmark = pytest.mark.e2e


def talks(messages, tools):
    """Answer as the model does; its greeting is asked for as a message."""
    if messages[-1]["content"].startswith("(The call begins"):
        return ["Hello."]
    return brain(messages, tools)


def test_five_turns_with_a_tool_an_interruption_and_a_transfer(tmp_path):
    (tmp_path / "tools.py").write_text(TOOLS)
    reports = []

    async def main():
        async with RealtimeServer(talks, ears, voice, delay=0.05) as server:
            account = Account(
                provider="openai_realtime", base_url=server.base_url, api_key="sk-test",
                realtime_model="voice-1", recognizer_model="ears-1", voice="ada",
            )  # fmt: skip

            def agent(desk):
                return Agent(
                    "shop", kind="realtime", persona="You are Ada of Harbor Lamps.",
                    greeting="Hello.", providers={"main": account}, realtime=("main",),
                    synthesizer=("scripted",),
                    directory={"human": Entry(desk, "the desk")},
                    tools={"find_order": ToolTable(file=tmp_path / "tools.py")},
                )  # fmt: skip

            result = await call(agent, tmp_path / "data", reports)
            return result, server

    result, server = asyncio.run(main())
    assert result.transferred_to.startswith("sip:desk@127.0.0.1")
    [record] = records(tmp_path / "data")
    assert (record["outcome"], record["intent"]) == ("transferred", "complaint")
    said = [turn["text"] for turn in record["turns"] if turn["speaker"] == "caller"]
    assert said == list(PITCH)
    answers = [turn for turn in record["turns"] if turn["speaker"] == "agent"]
    heard = [turn["heard"] for turn in answers]
    assert heard[:2] == ["Hello.", "This is Harbor Lamps."]
    assert "Your one brass lamp is on its way." in heard
    [story] = [turn for turn in answers if turn["interrupted"]]
    assert STORY.startswith(story["heard"])
    assert 10 < len(story["heard"]) < 200
    assert heard[-1] == "I connect you to the desk."
    assert record["tools"][0]["result"] == {
        "item": "one brass lamp", "for": "alice", "number": "4217",
    }  # fmt: skip
    [(_, ms)] = server.truncated
    seconds = 0.03 * len(STORY)  # of the whole story
    assert 500 < ms < seconds * 1000 / 2
    assert abs(len(story["heard"]) / len(STORY) - ms / 1000 / seconds) < 0.03
    assert server.session["audio"]["input"]["format"] == {"type": "audio/pcmu"}
    assert server.session["audio"]["input"]["transcription"] == {"model": "ears-1"}
    assert server.paths == ["/v1/realtime?model=voice-1"]
    assert server.headers[0]["Authorization"] == "Bearer sk-test"
    [called] = [more for what, more in reports if what == "desk called"]
    assert (called["intent"], called["summary"]) == ("complaint", "Order 4217 came broken.")
    kinds = {event["kind"] for event in journal(tmp_path / "data")}
    assert {"barged_in", "model_answered", "turn_taken", "tool_called"} <= kinds
