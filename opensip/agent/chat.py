"""What a language model is to us: messages and tools in, words and calls of tools out."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from opensip.agent.health import Health
from opensip.agent.memory import Call, Message
from opensip.agent.tools import Tool


@dataclass(frozen=True, slots=True)
class Words:
    """The next words of an answer, as they came."""

    text: str


@dataclass(frozen=True, slots=True)
class Used:
    """Which model answered, and what it took in tokens, where the server says so."""

    model: str
    tokens_in: int = 0
    tokens_out: int = 0


Delta = Words | Call | Used


class ChatModel(Protocol):
    """A model of one vendor; one for a call."""

    @property
    def name(self) -> str:
        """The provider's name in the agent's file."""

    @property
    def health(self) -> Health:
        """How the service does; all calls share it."""

    def stream(self, messages: Sequence[Message], tools: Sequence[Tool]) -> AsyncGenerator[Delta]:
        """Answer, piece by piece; a call of a tool comes whole. Raises ProviderError.

        Closing the iterator ends the request.
        """

    async def prepare(self) -> None:
        """Open the connection ahead of the first request; must not raise."""


def tool_specs(tools: Sequence[Tool]) -> list[dict[str, Any]]:
    """Write tools as chat completions want them."""
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": dict(tool.parameters),
            },
        }
        for tool in tools
    ]
