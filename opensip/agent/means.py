"""What the talks of one realtime call share, one provider after the other."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from opensip.agent.caller_voice import CallerVoice
from opensip.agent.definition import Agent
from opensip.agent.fillers import Fillers
from opensip.agent.idle import Idle
from opensip.agent.memory import Call, Memory
from opensip.agent.minutes import Minutes
from opensip.agent.playout import Playout
from opensip.agent.toolbox import Toolbox
from opensip.audio.frame import AudioSink
from opensip.events import Observer


@dataclass(frozen=True, slots=True)
class Means:
    """What the talks of one call share."""

    agent: Agent
    sink: AudioSink
    voice: CallerVoice
    playout: Playout
    minutes: Minutes
    memory: Memory
    tools: Toolbox
    fillers: Fillers
    idle: Idle
    observer: Observer
    now: Callable[[], float]
    running: set[asyncio.Task[None]] = field(default_factory=set)  # tools at work
    calls: dict[Call, str] = field(default_factory=dict)  # of tools: what each gave, "" before

    def noted(self) -> tuple[str, ...]:
        """Write down for a provider what tools were run already, that it runs none twice."""
        return tuple(
            f"(The tool {call.name} was run already, with {call.arguments}. "
            + (f"It gave: {shown})" if shown else "It is still at work.)")
            for call, shown in self.calls.items()
        )
