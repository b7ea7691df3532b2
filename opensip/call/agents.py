"""Which agent answers: one seat for every kind."""

from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

from opensip.agent.conversation import Conversation
from opensip.agent.definition import Agent
from opensip.agent.echo import EchoAgent
from opensip.agent.outcome import Outcome
from opensip.agent.realtime import RealtimeSession
from opensip.agent.seat import Seat
from opensip.agent.session import AgentSession
from opensip.agent.tone import ToneAgent
from opensip.audio.frame import AudioSink, AudioSource


class Talker(Protocol):
    """An agent in a call. After a failed transfer, `run` is called again and talks on.

    `press` is what it presses keys with, `record` what pauses the recording and lets it go on.
    """

    press: Callable[[str], None]
    record: Callable[[bool], None]

    @property
    def conversation(self) -> Conversation:
        """What was said so far."""

    async def prepare(self) -> None:
        """Get ready while the phone rings; takes little time and raises nothing."""

    async def run(self) -> Outcome:
        """Talk until there is something that the call must do."""

    def digit(self, digit: str) -> None:
        """Take a digit of the caller."""

    def hold(self, on: bool) -> None:
        """Learn that the caller holds us: nobody hears or speaks until it ends."""

    async def say(self, text: str) -> str:
        """Say something, and tell what was heard of it."""

    def transfer_failed(self, words: str = "") -> None:
        """Learn why nobody took the call; the next `run` says so."""

    async def close(self) -> None:
        """Let go of what it holds."""


class Sounding(Protocol):
    """Where an agent hears and speaks; it may sit there before the call is answered."""

    @property
    def source(self) -> AudioSource:
        """What the peer says."""

    @property
    def sink(self) -> AudioSink:
        """What the peer hears."""


def make_agent(definition: Agent, seat: Seat) -> Talker:
    """Seat an agent of the definition's kind; raises ConfigError where it cannot be made."""
    return _KINDS[definition.kind](definition, seat)


MakeAgent: TypeAlias = Callable[[Agent, Seat], Talker]
_KINDS: Mapping[str, MakeAgent] = {
    "model": AgentSession,
    "scripted": AgentSession,
    "realtime": RealtimeSession,
    "stream": RealtimeSession,
    "echo": EchoAgent,
    "tone": ToneAgent,
}
