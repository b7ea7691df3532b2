import asyncio

import numpy as np
import pytest

from opensip.agent.definition import Account, Agent
from opensip.agent.providers import Brief, Expectation, Understood
from opensip.agent.providers.openai.client import close_shared
from opensip.agent.providers.openai.recognizer import make
from opensip.audio.tones import tone
from opensip.errors import ProviderError
from tests.fakes.openai_server import Fault, OpenAiServer


def hear(samples, *, fault=None, ears=None, **more):
    async def main():
        async with OpenAiServer(ears=ears) as server:
            server.faults["transcriptions"] = [fault] if fault else []
            account = Account(base_url=server.base_url, recognizer_model="hears-1", **more)
            recognizer = make(
                Brief(
                    Agent("test", language="de-AT", vocabulary=("Ada", "Harbor")), "main", account
                )
            )
            recognizer.begin(Expectation())
            for start in range(0, len(samples), 320):
                recognizer.feed(samples[start : start + 320])
            try:
                return await recognizer.finish(), server
            finally:
                await recognizer.close()
                await close_shared()

    return asyncio.run(main())


def test_a_turn_is_sent_as_it_was_heard():
    said, heard = tone(300, 0.5, 16000), []

    def ears(samples, rate):
        heard.append((samples, rate))
        return " where is\nmy order "

    turn, server = hear(said, ears=ears)
    assert turn == Understood("where is my order", 1.0)
    [(samples, rate)] = heard
    assert rate == 16000
    assert np.array_equal(samples, said)
    [form] = server.asked("transcriptions")
    assert (form["model"], form["language"], form["prompt"]) == (
        "hears-1", "de", "Ada, Harbor",
    )  # fmt: skip


def test_a_server_that_streams_is_read_to_the_end():
    turn, server = hear(tone(300, 0.5, 16000), recognizer_stream=True)
    assert turn.text == "hello"
    assert server.asked("transcriptions")[0]["stream"] == "true"


def test_what_is_too_short_for_a_word_is_not_sent():
    turn, server = hear(np.zeros(400, np.int16))
    assert turn == Understood("", 0.0)
    assert server.requests == []


def test_silence_is_understood_as_nothing():
    turn, _ = hear(tone(300, 0.5, 16000), ears=lambda samples, rate: "")
    assert turn == Understood("", 0.0)


@pytest.mark.parametrize(
    ("fault", "text", "stream"),
    [
        (Fault(status=401), "refused our key", False),
        (Fault(status=503), "failed .503.", False),
        (Fault("half"), "main: ", False),
        (Fault("drop"), "broke off after", True),
        (Fault("hang"), "no transcript within 0.05 s", False),
    ],
)
def test_each_fault_says_what_happened(fault, text, stream):
    with pytest.raises(ProviderError, match=text):
        hear(
            tone(300, 0.5, 16000),
            fault=fault,
            recognizer_seconds=0.05 if fault.kind == "hang" else 5.0,
            recognizer_stream=stream,
        )
