"""Which agent answers: one seat for every kind."""

from collections.abc import Callable, Mapping
from typing import Protocol

from opensip.agent.conversation import Conversation
from opensip.agent.definition import Agent
from opensip.agent.echo import EchoAgent
from opensip.agent.outcome import Outcome
from opensip.agent.realtime import RealtimeSession
from opensip.agent.session import AgentSession
from opensip.agent.tone import ToneAgent
from opensip.audio.frame import AudioSink, AudioSource
from opensip.events import Observer


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


class Seat(Protocol):
    """What seats an agent at a line."""

    def __call__(
        self,
        definition: Agent,
        line: Sounding,
        *,
        observer: Observer,
        now: Callable[[], float],
        variables: Mapping[str, str],
    ) -> Talker:
        """Make the agent of a definition."""


def make_agent(
    definition: Agent,
    line: Sounding,
    *,
    observer: Observer,
    now: Callable[[], float],
    variables: Mapping[str, str],
) -> Talker:
    """Seat an agent of the definition's kind; raises ConfigError where it cannot be made."""
    kind = _KINDS[definition.kind]
    return kind(
        definition,
        source=line.source,
        sink=line.sink,
        observer=observer,
        now=now,
        variables=variables,
    )


_KINDS: Mapping[str, Callable[..., Talker]] = {
    "model": AgentSession,
    "scripted": AgentSession,
    "realtime": RealtimeSession,
    "stream": RealtimeSession,
    "echo": EchoAgent,
    "tone": ToneAgent,
}
