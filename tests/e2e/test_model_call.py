"""A caller talks with a model agent over SIP and RTP; model, ears and voice are a local server."""

import asyncio

import pytest

from opensip.agent.definition import Account
from tests.fakes.lamp_shop import answers_of, brain, ears, ring, voice
from tests.fakes.openai_server import OpenAiServer

pytestmark = pytest.mark.e2e


def test_five_turns_with_a_tool_an_interruption_and_a_transfer(tmp_path):
    reports = []

    async def main():
        async with OpenAiServer(brain, ears, voice, delay=0.05) as server:
            account = Account(
                base_url=server.base_url, recognizer_model="ears-1", dialogue_model="brain-1",
                synthesizer_model="voice-1", voice="ada",
            )  # fmt: skip
            result = await ring(
                tmp_path, account, reports,
                kind="model", recognizer=("main",), dialogue=("main",), synthesizer=("main",),
            )  # fmt: skip
            return result, server

    result, server = asyncio.run(main())
    answers = answers_of(result, reports, tmp_path / "data")
    heard = [turn["heard"] for turn in answers]
    assert heard[:3] == [
        "Hello.", "This is Harbor Lamps.",
        "One moment, I will look. Your one brass lamp is on its way.",
    ]  # fmt: skip
    assert answers[3]["interrupted"]
    assert heard[4:6] == ["It costs twenty dollars.", "I connect you to the desk."]
    shown = server.asked("completions")[-1]["messages"]
    assert f"{heard[3]} …" in [message["content"] for message in shown]
    assert server.connections < 8
