"""Which agent answers: one seat for every kind."""

from collections.abc import Callable, Mapping
from typing import Protocol

from opensip.agent.conversation import Conversation
from opensip.agent.definition import Agent
from opensip.agent.echo import EchoAgent
from opensip.agent.session import AgentSession, Outcome
from opensip.agent.tone import ToneAgent
from opensip.call.leg import Leg
from opensip.events import Observer


class Talker(Protocol):
    """An agent in a call. After a failed transfer, `run` is called again and talks on."""

    @property
    def conversation(self) -> Conversation:
        """What was said so far."""

    async def run(self) -> Outcome:
        """Talk until there is something that the call must do."""

    def digit(self, digit: str) -> None:
        """Take a digit of the caller."""

    async def say(self, text: str) -> None:
        """Say something, and wait until it was heard."""

    async def transfer_failed(self, words: str) -> None:
        """Learn why nobody took the call; the next `run` says so."""


def make_agent(
    definition: Agent,
    leg: Leg,
    *,
    observer: Observer,
    now: Callable[[], float],
    variables: Mapping[str, str],
) -> Talker:
    """Seat an agent of the definition's kind at a leg."""
    match definition.kind:
        case "echo":
            return EchoAgent(leg.source, leg.sink)
        case "tone":
            return ToneAgent(leg.source, leg.sink)
        case _:
            return AgentSession(
                definition,
                source=leg.source,
                sink=leg.sink,
                observer=observer,
                now=now,
                variables=variables,
            )
