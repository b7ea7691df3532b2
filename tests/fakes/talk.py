"""A session of an agent on a line, under virtual time."""

import asyncio

from opensip.agent.definition import Agent, Entry
from opensip.agent.providers import (
    HangUp,
    Providers,
    Say,
)
from opensip.agent.providers.scripted import (
    ScriptedDialogue,
    ScriptedRecognizer,
    ScriptedSynthesizer,
)
from opensip.agent.seat import Seat
from opensip.agent.session import AgentSession
from opensip.audio.tones import tone
from tests.fakes.line import Line, Noted
from tests.fakes.virtual_time_loop import VirtualTimeLoop

AGENT = Agent("test", directory={"human": Entry("sip:desk@example.com")}, idle_seconds=8.0)
BYE = [Say("Goodbye."), HangUp("said goodbye")]
LONG = "This is a rather long answer, which goes on and on, until somebody stops it."


def run(main):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)


def voice(seconds):
    return tone(300, seconds, 8000, level_dbfs=-20)


class Talk:
    """A session on a line, with what it noted."""

    def __init__(self, answers, turns=(), *, recognizers=None, synthesizers=None, dialogues=None,
                 expectation=None, agent=AGENT, line_type=Line):  # fmt: skip
        loop = asyncio.get_running_loop()
        self.line, self.noted = line_type(), Noted()
        self.dialogue = ScriptedDialogue(answers, expectation=expectation)
        self.session = AgentSession(
            agent,
            Seat(source=self.line, sink=self.line, observer=self.noted, now=loop.time),
            providers=Providers(
                recognizers or (ScriptedRecognizer(turns),),
                dialogues or (self.dialogue,),
                synthesizers or (ScriptedSynthesizer(),),
            ),
        )

    def at(self, seconds, what, *arguments):
        asyncio.get_running_loop().call_later(seconds, what, *arguments)

    async def run(self):
        outcome = await self.session.run()
        await asyncio.sleep(0)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert left == set(), "tasks outlive the conversation"
        return outcome
