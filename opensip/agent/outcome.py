"""How a conversation ends."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hangup:
    """The agent ends the call; all it had to say was heard."""

    why: str


@dataclass(frozen=True, slots=True)
class Escalate:
    """A human is to take over. `target` names an entry of the agent's directory."""

    target: str
    intent: str
    confidence: float
    summary: str
    why: str


@dataclass(frozen=True, slots=True)
class CallerLeft:
    """The audio of the caller ended."""


Outcome = Hangup | Escalate | CallerLeft
