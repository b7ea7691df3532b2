"""What is said, understood and done in a call."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opensip.events.call_event import CallEvent


@dataclass(frozen=True, slots=True)
class SpeechStarted(CallEvent):
    """The caller began to speak."""


@dataclass(frozen=True, slots=True)
class SpeechEnded(CallEvent):
    """The caller's last voiced audio was at `voiced_until`."""

    voiced_until: float


@dataclass(frozen=True, slots=True)
class CallerSaid(CallEvent):
    """What was understood of one turn of the caller.

    `intent` is of this turn alone; `wish` what the caller wants by all that was said so far.
    """

    text: str
    confidence: float
    intent: str = ""
    slots: Mapping[str, str] | None = None
    way: str = "voice"  # "voice" | "dtmf"
    wish: str = ""


@dataclass(frozen=True, slots=True)
class AgentSaid(CallEvent):
    """What the agent said: `text` as meant, `heard` as far as it was played."""

    text: str
    heard: str
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class BargedIn(CallEvent):
    """The caller spoke over the agent, whose voice was stopped `stopped_ms` later."""

    stopped_ms: float


@dataclass(frozen=True, slots=True)
class TurnTaken(CallEvent):
    """Where the time of one answer went, in milliseconds from the caller's last voiced audio.

    The five stages add up to `total_ms`, which ends with the answer's first sample sent. When
    things were there, by themselves: the words (`final_ms`), the decision that the turn was over
    (`commit_ms`, for the reason `why`), the answer's first word and its first sound. Those of a
    `supposed` answer may have come before the decision, which saved it `saved_ms`. `added_ms` is
    ours alone: from when both decision and sound were there.
    """

    endpointing_ms: float
    recognizer_ms: float
    dialogue_ms: float
    synthesizer_ms: float
    playout_ms: float
    total_ms: float
    final_ms: float = 0.0
    commit_ms: float = 0.0
    token_ms: float = 0.0
    voice_ms: float = 0.0
    why: str = ""
    supposed: bool = False
    added_ms: float = 0.0
    saved_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class TurnDecided(CallEvent):
    """What was decided of who speaks, and why.

    `decision` is "speculated", "discarded", "committed", "paused", "resumed", "interrupted",
    "ignored" or "asked". `after_ms` counts from what it undoes: from the pause to the voice that
    resumes, from the commit to the caller's next words over the agent's.
    """

    decision: str
    why: str
    after_ms: float | None = None


@dataclass(frozen=True, slots=True)
class ProviderFailed(CallEvent):
    """A provider failed at `stage` ("recognizer", "dialogue", "synthesizer")."""

    stage: str
    provider: str
    error: str


@dataclass(frozen=True, slots=True)
class ProviderRecovered(CallEvent):
    """A provider that had failed, in this call or another, does its work again."""

    stage: str
    provider: str


@dataclass(frozen=True, slots=True)
class ToolCalled(CallEvent):
    """A tool ran, with what it was given and what it gave."""

    name: str
    arguments: Mapping[str, Any]
    result: Any
    duration_ms: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class ConfirmationAsked(CallEvent):
    """The caller is asked whether a tool may run, in the words `text`; `again`: once more."""

    name: str
    arguments: Mapping[str, Any]
    text: str
    again: bool = False


@dataclass(frozen=True, slots=True)
class ConfirmationEnded(CallEvent):
    """What came of that question; the tool runs only after "confirmed".

    `outcome` may be "declined" (a no), "passed_over" (something else was said), "unclear" (twice),
    "unheard" (the caller did not hear the question) or "replaced" (the model has other arguments).
    """

    name: str
    arguments: Mapping[str, Any]
    outcome: str


@dataclass(frozen=True, slots=True)
class ToolRefused(CallEvent):
    """A tool did not run: `why` names the limit of the call, reached so many `times`."""

    name: str
    arguments: Mapping[str, Any]
    why: str
    times: int


@dataclass(frozen=True, slots=True)
class ModelAnswered(CallEvent):
    """A model answered, under the version `prompt` of its instructions, for so many tokens."""

    provider: str
    model: str
    prompt: str
    tokens_in: int
    tokens_out: int


@dataclass(frozen=True, slots=True)
class OutcomeNoted(CallEvent):
    """What came of the call, in the agent's view."""

    outcome: str
    details: str


@dataclass(frozen=True, slots=True)
class FillerSaid(CallEvent):
    """Something was said to bridge a wait of `waited_ms`; it is no answer."""

    text: str
    waited_ms: float


@dataclass(frozen=True, slots=True)
class Escalated(CallEvent):
    """The agent asks for a human."""

    target: str
    intent: str
    confidence: float
    why: str
