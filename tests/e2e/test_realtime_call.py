"""A caller talks with a realtime agent over SIP and RTP, through the official client."""

import asyncio

import pytest

from opensip.agent.definition import Account
from tests.fakes.lamp_shop import STORY, answers_of, brain, ears, ring, voice
from tests.fakes.realtime_server import RealtimeServer

pytestmark = pytest.mark.e2e


def talks(messages, tools):
    """Answer as the model does; its greeting is asked for as a message."""
    if messages[-1]["content"].startswith("(The call begins"):
        return ["Hello."]
    return brain(messages, tools)


def test_five_turns_with_a_tool_an_interruption_and_a_transfer(tmp_path):
    reports = []

    async def main():
        async with RealtimeServer(talks, ears, voice, delay=0.05) as server:
            account = Account(
                provider="openai_realtime", base_url=server.base_url, api_key="sk-test",
                realtime_model="voice-1", recognizer_model="ears-1", voice="ada",
            )  # fmt: skip
            result = await ring(
                tmp_path, account, reports,
                kind="realtime", realtime=("main",), synthesizer=("scripted",),
            )  # fmt: skip
            return result, server

    result, server = asyncio.run(main())
    answers = answers_of(result, reports, tmp_path / "data")
    heard = [turn["heard"] for turn in answers]
    assert heard[:2] == ["Hello.", "This is Harbor Lamps."]
    assert "Your one brass lamp is on its way." in heard
    assert heard[-1] == "I connect you to the desk."
    [story] = [turn["heard"] for turn in answers if turn["interrupted"]]
    [(_, ms)] = server.truncated
    seconds = 0.03 * len(STORY)  # of the whole story
    assert 500 < ms < seconds * 1000 / 2
    assert abs(len(story) / len(STORY) - ms / 1000 / seconds) < 0.03
    assert server.session["audio"]["input"]["format"] == {"type": "audio/pcmu"}
    assert server.session["audio"]["input"]["transcription"] == {"model": "ears-1"}
    assert server.paths == ["/v1/realtime?model=voice-1"]
    assert server.headers[0]["Authorization"] == "Bearer sk-test"
