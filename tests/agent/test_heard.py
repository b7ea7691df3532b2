"""Whatever a caller does: nothing that was not heard is ever in the history of a model."""

import asyncio
import dataclasses
import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from opensip.agent.memory import Call
from opensip.agent.providers import Brief, Providers, Understood
from opensip.agent.providers.scripted import ScriptedRecognizer, ScriptedSynthesizer
from opensip.agent.seat import Seat
from opensip.agent.session import AgentSession
from opensip.audio.tones import tone
from opensip.errors import ProviderError
from opensip.events import AgentSaid
from tests.fakes.chat_model import FakeChat
from tests.fakes.line import Line, Noted
from tests.fakes.model_agent import AGENT, FIND, dialogue
from tests.fakes.virtual_time_loop import VirtualTimeLoop

ANSWERS = (
    ["One is short."],
    ["Two is a longer answer, which has clauses, and goes on for a while. And on. And on it goes."],
    ["Three looks something up for you. ", FIND],
    ["It found what you wanted to know, and tells all of it at some length."],
    [1.5, "Four comes late, but it comes after all."],
    ["Five breaks off, in the middle of ", ProviderError("gone", retryable=True)],
    [Call("9", "note_outcome", '{"outcome": "fine"}'), "Six notes something."],
)
VOICE = tone(300, 0.6, 8000, level_dbfs=-20)


@given(
    st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=6),
    st.lists(st.floats(0.3, 5.0), min_size=1, max_size=5),
)
@settings(max_examples=12, deadline=None)
def test_the_history_holds_what_was_heard_and_nothing_else(answers, pauses):
    async def main():
        loop = asyncio.get_running_loop()
        line, noted = Line(), Noted()
        brief = Brief(dataclasses.replace(AGENT, directory={}), "main")
        talk = dialogue(FakeChat(*answers, delay=0.1), brief=brief)
        session = AgentSession(
            brief.agent, Seat(source=line, sink=line, observer=noted, now=loop.time),
            providers=Providers(
                (ScriptedRecognizer([Understood(f"turn {n}") for n in range(9)]),),
                (talk,), (ScriptedSynthesizer(),),
            ),
        )  # fmt: skip
        at = 0.0
        for pause in pauses:
            at += pause
            loop.call_later(at, line.speak, VOICE)
        loop.call_later(at + 12, line.hang_up)
        await session.run()
        await session.close()
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return brief.memory, noted, session.conversation

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        memory, noted, conversation = runner.run(main())
    heard = " ".join(event.heard for event in noted.of(AgentSaid) if event.heard)
    told = [m["content"] for m in memory.messages if m["role"] == "assistant" and m["content"]]
    assert " ".join(told).replace(" …", "") == heard
    for event in noted.of(AgentSaid):
        assert event.text.startswith(event.heard)
    callers = [turn.text for turn in conversation.turns if turn.speaker == "caller"]
    assert len(callers) == len(set(callers))  # each turn once
    roles = [m["role"] for m in memory.messages]
    assert not [1 for a, b in itertools.pairwise(roles) if a == b == "user"]
