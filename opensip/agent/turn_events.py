"""What the turn machine is told and what it decides: values only."""

import enum
from dataclasses import dataclass
from typing import NamedTuple


class Caller(enum.Enum):
    """What the caller does."""

    QUIET = enum.auto()
    MAYBE = enum.auto()
    SPEAKING = enum.auto()
    PAUSED = enum.auto()


class Speech(enum.Enum):
    """What the agent does."""

    IDLE = enum.auto()
    THINKING = enum.auto()
    SPEAKING = enum.auto()


# ---- events


class Frame(NamedTuple):
    """A stretch of audio that began at `at` and lasted `seconds`; `echo`: of the agent's voice.

    A tuple, since up to fifty a second are made of every call.
    """

    at: float
    seconds: float
    voiced: bool
    echo: bool = False

    @property
    def until(self) -> float:
        """When it ended."""
        return self.at + self.seconds


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed, perhaps without audio."""

    at: float

    @property
    def until(self) -> float:
        """When it is."""
        return self.at


@dataclass(frozen=True, slots=True)
class Words:
    """All that the recognizer has of the present turn; `over`: the turn has ended, it judges."""

    at: float
    text: str
    final: bool = False
    over: bool = False


@dataclass(frozen=True, slots=True)
class AgentIs:
    """The agent began to think or to speak, or fell silent; or what it says must be heard.

    `asked`: what was heard of it ends a question, or does in a moment.
    """

    at: float
    voice: Speech
    must_be_heard: bool = False
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """The caller pressed a key."""

    at: float


@dataclass(frozen=True, slots=True)
class Hold:
    """The caller put the agent on hold (`on`), or took it back."""

    at: float
    on: bool


@dataclass(frozen=True, slots=True)
class Hearing:
    """What the recognizer can: words by themselves, signs of sentences, ends of turns.

    `paced`: it hears only what we took for a voice, and its words may be late.
    """

    live: bool = False
    punctuates: bool = False
    ends_turns: bool = False
    paced: bool = False


PLAIN = Hearing()


@dataclass(frozen=True, slots=True)
class Expecting:
    """What comes next ends after this much silence; idle callers are asked after `idle`."""

    end_silence: float
    idle: float
    hearing: Hearing = PLAIN


Event = Frame | Tick | Words | AgentIs | Key | Hold | Expecting


# ---- decisions

A_KEY = "a key"  # the reason of what a key stops


class Do(enum.Enum):
    """What is to be done now."""

    BEGIN = enum.auto()  # speech may have begun: keep its audio, from a little before
    FORGET = enum.auto()  # it was nothing: let the audio and its words go
    CONFIRM = enum.auto()  # it is speech
    SPECULATE = enum.auto()  # recognise and answer what there is, unheard: the turn may be over
    RESUME = enum.auto()  # the caller went on: what was speculated is void
    COMMIT = enum.auto()  # the turn is over: answer it
    PAUSE_VOICE = enum.auto()  # a voice is over the agent's: be silent, and find out
    RESUME_VOICE = enum.auto()  # it wanted nothing: speak on from the same sample
    STOP_VOICE = enum.auto()  # the caller wants the floor
    IDLE = enum.auto()  # nobody has said anything for a long time


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done, and why."""

    do: Do
    why: str = ""


Decisions = tuple[Decision, ...]
