"""Whole calls, under virtual time, in which a tool waits for a yes: who must say it, and when."""

import asyncio
import dataclasses

import numpy as np
import pytest

from opensip.agent import toolbox
from opensip.agent.definition import ToolTable
from opensip.agent.memory import Call
from opensip.agent.providers import Brief, Providers
from opensip.agent.seat import Seat
from opensip.agent.session import AgentSession
from opensip.agent.tools.function import tool_of
from opensip.audio.tones import tone
from opensip.events import AgentSaid, CallerSaid, ConfirmationAsked, ConfirmationEnded, ToolCalled
from tests.fakes.chat_model import FakeChat
from tests.fakes.line import Line, Noted
from tests.fakes.live_recognizer import FakeLive
from tests.fakes.model_agent import AGENT, dialogue, run

CANCEL = Call("1", "cancel", '{"number": "4217"}')
ASK_SECONDS = 5.0  # that the question takes: 81 characters


class Voice:
    rate = 8000

    async def speak(self, text):
        await asyncio.sleep(0.1)
        yield np.full(int(len(text) * 0.06 * self.rate), 500, np.int16)


class Talk:
    """A call; `say` has the caller say something, told live, as it takes its time."""

    def __init__(self, monkeypatch, *answers):
        self.cancelled = []

        def cancel(number: str):
            self.cancelled.append((number, asyncio.get_running_loop().time()))
            return "cancelled"

        async def awaited(number: str):
            return cancel(number)

        table = ToolTable(module="tests", confirm=True)
        tool = tool_of("cancel", awaited, table)
        monkeypatch.setattr(toolbox, "load", lambda name, table: tool)
        self.line, self.noted, self.live = Line(), Noted(), FakeLive()
        agent = dataclasses.replace(AGENT, tools={"cancel": table}, voice_activity="energy")
        loop, brief = asyncio.get_running_loop(), Brief(agent, "main")
        talk = dialogue(FakeChat(*answers, delay=0.15), agent, brief=brief)
        self.session = AgentSession(
            agent,
            Seat(source=self.line, sink=self.line, observer=self.noted, now=loop.time),
            providers=Providers((self.live,), (talk,), (Voice(),)),
        )

    async def say(self, text, seconds=0.4):
        self.line.speak(tone(300, seconds, 8000, level_dbfs=-16))
        await asyncio.sleep(seconds)
        self.live.tell(text.rstrip("."))
        await asyncio.sleep(0.1)
        self.live.tell(text, final=True)

    async def hold(self, script):
        running = asyncio.create_task(self.session.run())
        await asyncio.sleep(4)
        await script(self)
        self.line.hang_up()
        await running
        await self.session.close()
        return self

    def outcomes(self):
        return [event.outcome for event in self.noted.of(ConfirmationEnded)]


def held(monkeypatch, script, *answers):
    async def main():
        return await Talk(monkeypatch, *answers).hold(script)

    return run(main)


def test_a_yes_after_the_question_has_it_done(monkeypatch):
    async def script(call):
        await call.say("Cancel my order.")
        await asyncio.sleep(ASK_SECONDS + 2)
        assert call.cancelled == []
        await call.say("Yes, please.")
        await asyncio.sleep(4)

    call = held(monkeypatch, script, [CANCEL], ["It is cancelled."])
    assert [number for number, _ in call.cancelled] == ["4217"]
    assert call.outcomes() == ["confirmed"]
    [asked] = call.noted.of(ConfirmationAsked)
    said = [event.heard for event in call.noted.of(AgentSaid)]
    assert said[-2:] == [asked.text, "It is cancelled."]
    assert call.noted.of(CallerSaid)[-1].text == "Yes, please."
    order = [type(event) for event in call.noted.events][-9:]
    assert order.index(CallerSaid) < order.index(ConfirmationEnded) < order.index(ToolCalled)
    assert [event.error for event in call.noted.of(ToolCalled)] == [""]


@pytest.mark.parametrize("after", [0.8, 2.0])
def test_a_yes_before_it_is_known_what_to_does_nothing(monkeypatch, after):
    async def script(call):
        await call.say("Cancel my order.")
        await asyncio.sleep(0.4 + after)  # the question has begun
        await call.say("Yes yes, do it now, I want that.", 1.0)
        await asyncio.sleep(1.0)
        assert call.cancelled == []
        await asyncio.sleep(ASK_SECONDS + 2)
        assert call.cancelled == []
        await call.say("Yes.")
        await asyncio.sleep(3)

    call = held(monkeypatch, script, [CANCEL], [CANCEL], ["It is cancelled."])
    assert call.outcomes() == ["unheard", "confirmed"]
    assert len(call.cancelled) == 1


def test_who_goes_on_after_a_yes_has_not_agreed(monkeypatch):
    async def script(call):
        await call.say("Cancel my order.")
        await asyncio.sleep(ASK_SECONDS + 2)
        call.line.speak(tone(300, 0.4, 8000, level_dbfs=-16))
        await asyncio.sleep(0.4)
        call.live.tell("Yes")
        await asyncio.sleep(0.25)  # the turn is perhaps over
        call.line.speak(tone(300, 1.2, 8000, level_dbfs=-16))
        await asyncio.sleep(1.2)
        call.live.tell("Yes but only if it is not on its way already")
        await asyncio.sleep(0.1)
        call.live.tell("Yes, but only if it is not on its way already.", final=True)
        await asyncio.sleep(4)

    call = held(monkeypatch, script, [CANCEL], ["I look."])
    assert call.cancelled == []
    assert call.outcomes() == ["passed_over"]


def test_who_is_silent_is_asked_again_and_may_agree_then(monkeypatch):
    async def script(call):
        await call.say("Cancel my order.")
        await asyncio.sleep(ASK_SECONDS + 2 + 8 + 7)
        await call.say("Yes.")
        await asyncio.sleep(3)

    call = held(monkeypatch, script, [CANCEL], ["It is cancelled."])
    assert [event.again for event in call.noted.of(ConfirmationAsked)] == [False, True]
    assert len(call.cancelled) == 1
