"""Real speech: flite speaks through G.711 to the embedded recognizer. Needs both installed."""

import asyncio
import random
import shutil

import numpy as np
import pytest

from opensip.agent import grammar
from opensip.agent.outcome import Escalate, Hangup
from opensip.agent.providers.embedded_recognizer import EmbeddedRecognizer
from opensip.agent.providers.embedded_synthesizer import VOICES, EmbeddedSynthesizer
from opensip.agent.providers.shared import close_shared
from opensip.agent.script import Script
from opensip.agent.seat import Seat
from opensip.agent.session import AgentSession
from opensip.agent.tongues import digits
from opensip.audio.codecs import CODECS
from opensip.events import AgentSaid, BargedIn, CallerSaid, ToolCalled
from tests.fakes.fast_loop import FastLoop
from tests.fakes.line import Line, Noted
from tests.fakes.shop import shop

pytest.importorskip("pocketsphinx", reason="the extra speech is not installed")
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not shutil.which("flite"), reason="flite is not installed"),
]

CALLERS = ["kal16", "awb", "slt"]
PHRASES = {
    "order_status": ["where is my order", "order status please", "track my order"],
    "hours": ["what are your opening hours", "when are you open"],
    "address": ["what is your address", "where are you located"],
    "human": ["can I speak to a person please", "I want a human", "representative"],
    "emergency": ["this is an emergency", "emergency"],
    "goodbye": ["goodbye", "thank you goodbye", "that is all thank you"],
    "repeat": ["can you repeat that please", "say that again please"],
}
NONSENSE = ["blah blah blah", "the weather in paris is lovely today", "do you sell blue elephants"]


def phone(samples):
    codec, quiet = CODECS["PCMU"], np.zeros(1600, np.int16)
    return codec.decode(codec.encode(np.concatenate([quiet, samples, quiet])))


async def spoken(voice, text):
    return phone(np.concatenate([x async for x in EmbeddedSynthesizer(voice).speak(text)]))


async def hear(recognizer, script, voice, text):
    recognizer.begin(script.expectation())
    recognizer.feed(await spoken(voice, text))
    return await recognizer.finish()


@pytest.mark.parametrize("voice", CALLERS)
def test_the_demo_is_understood(voice):
    async def main():
        recognizer, script = EmbeddedRecognizer(), Script(shop())
        right: list[bool] = []
        for intent, texts in PHRASES.items():
            for text in texts:
                turn = await hear(recognizer, script, voice, text)
                right.append(script.intent_of(turn.text) == intent)
        script.state = "order"
        rng = random.Random(7)
        for _ in range(20):
            number = f"{rng.randrange(10_000):04}"
            turn = await hear(recognizer, script, voice, digits(number))
            right.append(grammar.digits_in(turn.text) == number)
        await close_shared()
        return right

    right = asyncio.run(main())
    assert sum(right) / len(right) >= 0.95


@pytest.mark.parametrize("voice", VOICES)
def test_what_the_help_offers_is_understood_as_it_stands(voice):
    async def main():
        recognizer, script = EmbeddedRecognizer(), Script(shop())
        heard = [
            script.intent_of((await hear(recognizer, script, voice, text)).text)
            for text in ("a person", "an agent please")
        ]
        await close_shared()
        return heard

    assert asyncio.run(main()) == ["human", "human"]


def test_nonsense_and_noise_are_not_understood():
    async def main():
        recognizer, script = EmbeddedRecognizer(), Script(shop())
        turns = [await hear(recognizer, script, "kal16", text) for text in NONSENSE]
        for level in (30, 1000):
            noise = np.random.default_rng(1).normal(0, level, 16000).astype(np.int16)
            recognizer.begin(script.expectation())
            recognizer.feed(noise)
            turns.append(await recognizer.finish())
        await close_shared()
        return [script.intent_of(turn.text) for turn in turns]

    assert asyncio.run(main()) == [""] * 5


def call(voice, *steps):
    """Let a caller take a step after each answer; returns outcome, events and session."""

    async def main():
        loop = asyncio.get_running_loop()
        line, noted = Line(), Noted()
        session = AgentSession(shop(), Seat(source=line, sink=line, observer=noted, now=loop.time))
        async with asyncio.timeout(240), asyncio.TaskGroup() as tasks:
            calling = tasks.create_task(_caller(session, line, noted, voice, steps))
            outcome = await session.run()
            calling.cancel()
        await session.close()
        await close_shared()
        return outcome, noted, session

    with asyncio.Runner(loop_factory=FastLoop) as runner:
        return runner.run(main())


async def _caller(session, line, noted, voice, steps):
    audio = {text: await spoken(voice, text) for text in steps if not text.startswith("keys:")}
    for number, text in enumerate(steps, 1):
        while len(noted.of(AgentSaid)) < number:  # noqa: ASYNC110  observers cannot be awaited
            await asyncio.sleep(0.1)  # the caller lets the agent finish
        await asyncio.sleep(0.3)
        if text.startswith("keys:"):
            for key in text.removeprefix("keys:"):
                session.digit(key)
        else:
            line.speak(audio[text])


def test_a_whole_call_asks_looks_up_and_is_handed_over():
    outcome, noted, session = call(
        "kal16", "where is my order please", "four two one seven", "that's right",
        "what are your opening hours", "can I speak to a person please",
    )  # fmt: skip
    assert isinstance(outcome, Escalate)
    assert (outcome.target, outcome.intent) == ("human", "hours")
    assert outcome.summary.startswith("Wants: hours. order: 4217.")
    assert noted.of(ToolCalled)[0].arguments == {"table": "orders", "key": "4217"}
    said = [event.heard for event in noted.of(AgentSaid)]
    assert said[2] == "I heard four two one seven. Is that right?"
    assert "brass table lamp" in said[3]
    assert "9 o'clock in the morning" in said[4]
    assert "connecting you to a colleague" in said[5]
    assert session.conversation.fields == {"order": "4217"}


def test_keys_do_as_well_as_voice_and_goodbye_hangs_up():
    outcome, noted, _ = call("awb", "track my order", "keys:9503", "that is all thank you")
    assert isinstance(outcome, Hangup)
    assert [event.way for event in noted.of(CallerSaid)] == ["voice", "dtmf", "voice"]
    assert "chandelier" in noted.of(AgentSaid)[2].heard


def test_two_failures_in_a_row_bring_a_human():
    outcome, noted, _ = call("kal16", "blah blah blah", "blah blah blah")
    assert isinstance(outcome, Escalate)
    assert outcome.why == "2 failures in a row"
    said = [event.heard for event in noted.of(AgentSaid)]
    assert said[1].startswith("Sorry, I did not understand. You can ask for")
    assert said[2].endswith("I am connecting you to a colleague.")


def test_an_emergency_goes_where_it_must():
    outcome, _, _ = call("awb", "this is an emergency")
    assert (outcome.target, outcome.intent) == ("emergency", "emergency")


def test_no_one_is_interrupted_by_an_agent_that_goes_on_talking():
    async def main():
        loop = asyncio.get_running_loop()
        line, noted = Line(), Noted()
        session = AgentSession(shop(), Seat(source=line, sink=line, observer=noted, now=loop.time))
        audio = await spoken("kal16", "representative")
        loop.call_later(1.5, line.speak, audio)
        outcome = await session.run()
        await session.close()
        await close_shared()
        return outcome, noted

    with asyncio.Runner(loop_factory=FastLoop) as runner:
        outcome, noted = runner.run(main())
    greeting = noted.of(AgentSaid)[0]
    assert greeting.interrupted
    assert greeting.text.startswith(greeting.heard)
    assert len(noted.of(BargedIn)) == 1
    assert outcome.target == "human"
