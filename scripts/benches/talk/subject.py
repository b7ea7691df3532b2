"""Our side of the conversation benches: agents on SRTP streams of our own engine, one process.

usage: subject.py PLAN RESULT SECONDS
PLAN is a JSON file: {"ports": [...], "calls": [{"told": [[sample, text, final, over], ...],
"ends_turns": bool}, ...], "answer": str, "patience": float, "voice_activity": str}. Prints its
ports; RESULT gets the events of each call, as a list of [kind, fields].
"""

import asyncio
import dataclasses
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from opensip.agent.definition import Agent, Entry
from opensip.agent.model import ModelDialogue
from opensip.agent.providers import Brief, Heard, Providers
from opensip.agent.seat import Seat
from opensip.agent.session import AgentSession
from opensip.events import CallEvent
from opensip.media.engine import SrtpKeys, Stream, StreamConfig
from opensip.media.engine_choice import open_engine
from opensip.media.hearing import Hearing
from opensip.media.ports import PortPool
from scripts.benches.talk.caller import KEY, SUITE
from scripts.benches.talk.fakes import ChatFake, LiveFake, Told, VoiceFake

RATE = 8000


class Kept:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def note(self, event: CallEvent) -> None:
        """Keep an event."""
        self.events.append((event.kind, dataclasses.asdict(event)))


def agent_of(plan: dict[str, Any]) -> Agent:
    """Make the agent that holds all the calls."""
    return Agent(
        "bench", kind="model", persona="You are a bench.", greeting="Hello.", fillers=(),
        directory={"human": Entry("sip:desk@example.com")}, idle_seconds=60.0,
        patience=plan["patience"], voice_activity=plan["voice_activity"],
    )  # fmt: skip


def session_of(
    agent: Agent, call: dict[str, Any], answer: str, stream: Stream, noted: Kept
) -> AgentSession:
    """Seat the agent at a stream, with providers that know what is said there."""
    now = asyncio.get_running_loop().time
    hearing = Hearing(RATE, lambda digit: None)
    stream.listener = lambda batch: hearing.take(batch, said_rate=RATE, held=False)
    told = [Told(at, Heard(text, final, over)) for at, text, final, over in call["told"]]
    dialogue = ModelDialogue(
        Brief(agent, "fake"), ChatFake(answer), now=now, today=datetime.now()  # noqa: DTZ005
    )  # fmt: skip
    return AgentSession(
        agent, Seat(source=hearing.source, sink=stream, observer=noted, now=now),
        providers=Providers(
            (LiveFake(told, ends_turns=call["ends_turns"]),), (dialogue,), (VoiceFake(),)
        ),
    )  # fmt: skip


async def talk(plan: dict[str, Any], seconds: float) -> list[list[tuple[str, dict[str, Any]]]]:
    """Open the calls, let them talk, and give what they noted."""
    loop = asyncio.get_running_loop()
    engine, agent = open_engine("auto", loop), agent_of(plan)
    pool = PortPool("127.0.0.1", 0, 0, clock=loop.time)
    sessions, kept, ports = [], [], []
    for port, call in zip(plan["ports"], plan["calls"], strict=True):
        pair = pool.take()
        ports.append(pair.address[1])
        config = StreamConfig(remote=("127.0.0.1", port), keys=SrtpKeys(SUITE, KEY, KEY))
        kept.append(Kept())
        stream = engine.open(pair, config)
        session = session_of(agent, call, plan["answer"], stream, kept[-1])
        await session.prepare()
        sessions.append(asyncio.create_task(session.run()))
    print(*ports, flush=True)
    await asyncio.sleep(seconds)
    for running in sessions:
        if running.done():
            running.result()
        running.cancel()
    await asyncio.gather(*sessions, return_exceptions=True)
    engine.close()
    return [noted.events for noted in kept]


def main() -> None:
    """Read the plan, let the calls talk, and write what they noted."""
    plan = json.loads(Path(sys.argv[1]).read_text())
    events = asyncio.run(talk(plan, float(sys.argv[3])))
    Path(sys.argv[2]).write_text(json.dumps(events, default=str))


if __name__ == "__main__":
    main()
