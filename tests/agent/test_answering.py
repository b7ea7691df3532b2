"""Answers that are begun before a turn is over: heard after it, or never."""

import asyncio

import pytest

from opensip.agent.providers import Brief, Providers
from opensip.agent.providers.scripted import ScriptedSynthesizer
from opensip.agent.seat import Seat
from opensip.agent.session import AgentSession
from opensip.audio.tones import tone
from opensip.events import AgentSaid, CallerSaid, TurnTaken
from tests.agent.test_any_call import AGENT
from tests.fakes.chat_model import FakeChat
from tests.fakes.line import Line, Noted
from tests.fakes.live_recognizer import FakeLive
from tests.fakes.model_agent import dialogue
from tests.fakes.virtual_time_loop import VirtualTimeLoop


def talk(*steps, answers, ends_turns=False):
    """Let a caller speak, and its recognizer tell words at exact times."""

    async def main():
        loop = asyncio.get_running_loop()
        line, noted, live = Line(), Noted(), FakeLive(ends_turns=ends_turns)
        chat, brief = FakeChat(*answers, delay=0.15), Brief(AGENT, "main")
        session = AgentSession(
            AGENT, Seat(source=line, sink=line, observer=noted, now=loop.time),
            providers=Providers((live,), (dialogue(chat, brief=brief),), (ScriptedSynthesizer(),)),
        )  # fmt: skip
        for at, what, *more in steps:
            if what == "speak":
                loop.call_later(at, line.speak, tone(300, *more, 8000, level_dbfs=-20))
            elif what == "at once":
                loop.call_later(
                    at,
                    lambda more=more: [
                        live.tell(one[0], final=one[1], over=one[1]) for one in more
                    ],
                )
            else:
                loop.call_later(at, lambda more=more: live.tell(more[0], final=more[1]))
        loop.call_later(9.0, line.hang_up)
        await session.run()
        await session.close()
        return noted, chat, brief.memory

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


def test_an_answer_that_was_begun_early_is_heard_at_the_commit():
    noted, chat, _ = talk(
        (2.0, "speak", 1.0), (3.1, "words", "where is it", False),
        (3.4, "words", "Where is it?", True), answers=[["It is there."]],
    )  # fmt: skip
    [taken] = noted.of(TurnTaken)
    assert taken.supposed
    assert taken.why == "the end of a sentence"
    assert taken.token_ms < taken.voice_ms < taken.commit_ms < taken.total_ms
    assert taken.total_ms < 450
    assert taken.added_ms == pytest.approx(taken.total_ms - max(taken.commit_ms, taken.voice_ms))
    assert taken.saved_ms == pytest.approx(min(taken.commit_ms, taken.voice_ms) - taken.final_ms)
    assert taken.saved_ms > 0
    assert len(chat.requests) == 1
    assert [event.text for event in noted.of(CallerSaid)] == ["Where is it?"]


def test_of_an_answer_begun_too_early_nobody_ever_knows():
    noted, chat, memory = talk(
        (2.0, "speak", 1.0), (3.1, "words", "where is", False), (3.6, "speak", 0.8),
        (4.5, "words", "where is my order?", True),
        answers=[["Never heard."], ["It is there."]],
    )  # fmt: skip
    assert len(chat.requests) == 2
    said = [event.text for event in noted.of(AgentSaid)]
    assert said == ["Hello 1.", "It is there."]
    assert [m["content"] for m in memory.messages] == [
        "Hello 1.", "where is my order?", "It is there.",
    ]  # fmt: skip


def test_a_turn_is_answered_though_its_end_and_the_next_words_come_at_once():
    noted, chat, _ = talk(
        (2.0, "speak", 3.0),
        (2.9, "words", "My name is Ada", False),
        (3.1, "at once", ("My name is Ada.", True), ("and I", False)),
        (5.1, "at once", ("And I lost my lamp.", True)),
        answers=[["I see."]] * 3, ends_turns=True,
    )  # fmt: skip
    assert " ".join(event.text for event in noted.of(CallerSaid)).split() == [
        "My", "name", "is", "Ada.", "And", "I", "lost", "my", "lamp.",
    ]  # fmt: skip
    told = [m["content"] for m in chat.requests[-1][0] if m["role"] == "user"]
    assert "My name is Ada." in " ".join(told)
