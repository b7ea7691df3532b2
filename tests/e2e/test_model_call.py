"""A caller talks with a model agent over SIP and RTP; model, ears and voice are a local server."""

import asyncio

import pytest

from opensip.agent.definition import Account
from tests.fakes.exchanges import journal
from tests.fakes.lamp_shop import answers_of, brain, ears, ring, voice
from tests.fakes.openai_server import OpenAiServer
from tests.fakes.transcription_server import TranscriptionServer

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


@pytest.mark.parametrize(
    ("early", "turns"),
    [
        (True, "ours"),
        pytest.param(False, "ours", marks=pytest.mark.long),
        pytest.param(False, "server_vad", marks=pytest.mark.long),
    ],
)
def test_five_turns_by_a_recognizer_that_tells_words_as_they_are_said(tmp_path, early, turns):
    reports = []

    async def main():
        async with (
            OpenAiServer(brain, ears, voice, delay=0.05) as server,
            TranscriptionServer(ears, early=early, delay=0.05) as live,
        ):
            account = Account(
                base_url=server.base_url, dialogue_model="brain-1",
                synthesizer_model="voice-1", voice="ada",
            )  # fmt: skip
            hears = Account(
                base_url=live.base_url, recognizer_model="ears-1", recognizer_api="realtime",
                recognizer_turns=turns,
            )  # fmt: skip
            result = await ring(
                tmp_path, account, reports, others={"live": hears},
                kind="model", recognizer=("live",), dialogue=("main",), synthesizer=("main",),
            )  # fmt: skip
            return result, server, live

    result, server, live = asyncio.run(main())
    answers = answers_of(result, reports, tmp_path / "data")
    assert answers[-1]["heard"] == "I connect you to the desk."
    assert server.asked("transcriptions") == []
    assert live.paths == ["/v1/realtime?intent=transcription"]
    assert len(live.stretches) == 5
    assert (
        sum(len(samples) for samples, rate in live.stretches) / 8000 < 8
    )  # seconds of a long call
    kinds = {event["kind"] for event in journal(tmp_path / "data")}
    assert "provider_failed" not in kinds
