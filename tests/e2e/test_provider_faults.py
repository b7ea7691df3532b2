"""What a caller hears when a provider goes wrong: calls over real HTTP, a line in memory."""

import asyncio
import json
from dataclasses import dataclass, replace

import numpy as np
import pytest

from opensip.agent.definition import Account, Agent, Entry
from opensip.agent.outcome import Escalate, Hangup
from opensip.agent.providers.shared import close_shared
from opensip.agent.seat import Seat
from opensip.agent.session import AgentSession
from opensip.audio.tones import tone
from opensip.events import AgentSaid, ProviderFailed
from tests.fakes.line import Line, Noted
from tests.fakes.openai_server import RATE, Ask, Fault, OpenAiServer
from tests.fakes.transcription_server import TranscriptionServer

pytestmark = pytest.mark.e2e

STAGES = {"recognizer": "transcriptions", "dialogue": "completions", "synthesizer": "speech"}
FAULTS = {
    "wrong key": Fault(status=401),
    "too many": Fault(status=429, headers=(("Retry-After", "1"),)),
    "broken": Fault(status=500),
    "down": Fault(status=503),
    "refused": Fault(status=400),
    "no json": Fault("half"),
    "dropped": Fault("drop"),
    "reset": Fault("reset"),
    "hangs": Fault("hang"),
    "stalls": Fault("drip"),
    "empty": Fault("empty"),
    "a web page": Fault("html"),
    "silent": Fault("silence"),
}
LONGEST_SILENCE = 3.0  # seconds without a sound that a caller is ever left


@dataclass(frozen=True)
class Call:
    """One call: how it ended, what was noted, the longest silence, the second server."""

    outcome: object
    noted: Noted
    silence: float
    second: OpenAiServer


def brain(messages, tools):
    if "Goodbye" in messages[-1]["content"]:
        return ["Thank you for calling. ", Ask("hang_up", {"reason": "done"})]
    return ["Your order is on its way. It will arrive tomorrow."]


def account(server):
    return Account(
        base_url=server.base_url, recognizer_model="r", dialogue_model="d", synthesizer_model="s",
        voice="v", recognizer_seconds=1.5, dialogue_seconds=1.5, synthesizer_seconds=1.5,
    )  # fmt: skip


async def talk(faults, *, spare=True, live=None):
    """One call: a question, then a farewell; `faults` meet the first server after the greeting.

    A `live` server of transcription, where there is one, hears first.
    """

    def ears(samples, rate):  # the same turn is the same text, whoever is asked
        loud = np.flatnonzero(np.abs(samples) > 500)
        return "Where is my order?" if loud[-1] - loud[0] < 0.85 * rate else "Goodbye."

    def voice(text):
        return tone(400, 0.02 * len(text), RATE)

    async with (
        OpenAiServer(brain, ears, voice) as first,
        OpenAiServer(brain, ears, voice) as second,
    ):
        names = ("first", "second") if spare else ("first",)
        agent = Agent(
            "test", kind="model", persona="You are Ada.", greeting="Hello.",
            recognizer=(("live",) if live else ()) + names,
            dialogue=names, synthesizer=names, fillers=("One moment.",),
            providers={
                "first": account(first), "second": account(second),
                "live": replace(account(live or first), recognizer_api="realtime"),
            },
            directory={"human": Entry("sip:desk@x")},
        )  # fmt: skip
        line, noted = Line(), Noted()
        now = asyncio.get_running_loop().time
        session = AgentSession(agent, Seat(source=line, sink=line, observer=noted, now=now))
        await session.prepare()
        await session._readiness._task  # all standing words are spoken before anything fails
        first.faults |= {path: list(faults) for path, faults in faults.items()}
        line.answered()
        running = asyncio.create_task(session.run())
        watching = asyncio.create_task(longest_silence(line, running))
        for answers, seconds in enumerate((0.8, 0.9), start=1):  # turns of different length
            while len(noted.of(AgentSaid)) < answers and not running.done():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            line.speak(tone(300, seconds, 8000, level_dbfs=-20))
        async with asyncio.timeout(20):
            outcome = await running
        await session.close()
        return Call(outcome, noted, await watching, second)


async def longest_silence(line, running):
    """Measure for how long nobody is heard, at most, until the call is over."""
    now = asyncio.get_running_loop().time
    longest, since = 0.0, now()
    while not running.done():
        await asyncio.sleep(0.02)
        longest = max(longest, now() - since)
        if line.queued() or line.speaking():
            since = now()
    return longest


async def together(calls):
    """Hold calls at the same time, a few at once; fewer where there are many to measure."""
    room = asyncio.Semaphore(10 if len(calls) < 100 else 5)

    async def one(faults, spare):
        async with room:
            return await talk(faults, spare=spare)

    try:
        return await asyncio.gather(*(one(faults, spare) for faults, spare in calls))
    finally:
        await close_shared()


async def closes(server):
    """Agree to the session, and go away as soon as the caller has begun to speak."""
    async for message in server.socket:
        event = json.loads(message)
        if event["type"] == "session.update":
            await server.send("session.updated", session=event["session"])
        elif event["type"] == "input_audio_buffer.append":
            return


LIVE_FAULTS = {
    "wrong key": {"refuse": 401},
    "down": {"refuse": 503},
    "dropped": {"fault": closes},
    "fails": {"ears": lambda samples, rate: None},
}


def test_a_turn_that_a_session_did_not_hear_is_heard_by_the_next():
    async def one(fault):
        async with TranscriptionServer(**fault) as live:
            return await talk({}, live=live)

    async def main():
        try:
            return await asyncio.gather(*map(one, LIVE_FAULTS.values()))
        finally:
            await close_shared()

    for name, call in zip(LIVE_FAULTS, asyncio.run(main()), strict=True):
        assert call.outcome == Hangup("done"), name
        assert sentences(call) == [
            "Hello.", "Your order is on its way. It will arrive tomorrow.",
            "Thank you for calling.",
        ], name  # fmt: skip
        failed = [(event.stage, event.provider) for event in call.noted.of(ProviderFailed)]
        assert failed == [("recognizer", "live")], name
        assert call.silence < LONGEST_SILENCE, name


def sentences(call):
    return [event.heard for event in call.noted.of(AgentSaid)]


@pytest.mark.timeout(600)  # 370 calls of four seconds, five at once
@pytest.mark.parametrize("times", [1, pytest.param(10, marks=pytest.mark.long)])
def test_the_next_provider_takes_over_and_nothing_is_said_twice(times):
    kinds = [(stage, name) for stage in STAGES for name in FAULTS
             if name != "silent" or stage == "synthesizer"] * times  # fmt: skip
    calls = asyncio.run(
        together([({STAGES[stage]: [FAULTS[name]] * 4}, True) for stage, name in kinds])
    )
    for (stage, name), call in zip(kinds, calls, strict=True):
        assert call.outcome == Hangup("done"), (stage, name)
        assert sentences(call) == [
            "Hello.", "Your order is on its way. It will arrive tomorrow.",
            "Thank you for calling.",
        ], (stage, name)  # fmt: skip
        failed = {(event.stage, event.provider) for event in call.noted.of(ProviderFailed)}
        assert (stage, "first") in failed, (stage, name)
        assert len(call.second.asked(STAGES[stage])) >= 1, (stage, name)
    silences = sorted(call.silence for call in calls)
    assert silences[int(0.99 * len(silences))] < LONGEST_SILENCE


def test_without_another_provider_a_person_takes_over():
    calls = asyncio.run(
        together([({path: [FAULTS["down"]] * 9}, False) for path in STAGES.values()])
    )
    for stage, call in zip(STAGES, calls, strict=True):
        assert isinstance(call.outcome, Escalate), stage
        assert call.outcome.target == "human"
        if stage != "synthesizer":
            said = sentences(call)[-1]
            assert said.startswith("I am sorry, something went wrong on our side. One moment")
