"""What a conversation needs of its providers, and the table in which an agent finds them by name.

A provider is one file or folder here and one line in PROVIDERS. Audio is linear 16-bit, one
channel, at `rate` Hz of the provider.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, NamedTuple, Protocol, TypeAlias, cast, runtime_checkable

from opensip.agent.definition import Account, Agent
from opensip.agent.memory import Memory
from opensip.agent.withheld import Withheld
from opensip.audio.frame import Samples
from opensip.errors import ConfigError, ProviderError


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the caller may say next: a grammar, digits to be keyed, and how long a pause ends it.

    `complete` tells whether words are a whole sentence of the grammar; None: all are.
    """

    jsgf: str = ""
    complete: Callable[[str], bool] | None = None
    keys: int = 0  # digits that complete a keyed number; 0: none is waited for
    end_silence: float = 0.55


@dataclass(frozen=True, slots=True)
class Understood:
    """What a recognizer made of one turn. `text` is empty where nothing was understood.

    `others` are what else may have been said, likeliest first.
    """

    text: str
    confidence: float = 1.0
    way: str = "voice"  # "voice" | "dtmf"
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """Words that a live recognizer tells unasked: all since the last final ones.

    `final`: they will not change any more; `over`: the caller's turn is over, it judges.
    """

    text: str
    final: bool = False
    over: bool = False


@dataclass(frozen=True, slots=True)
class Began:
    """The first word of an answer has come, before there is a clause to be spoken."""


@dataclass(frozen=True, slots=True)
class Say:
    """A clause or more to be spoken."""

    text: str


@dataclass(frozen=True, slots=True)
class Meant:
    """How the caller's turn was taken: its intent and slots, and the wish behind it.

    "yes" is an intent; the wish is what the yes is about, as "order_status".
    """

    intent: str
    confidence: float
    wish: str = ""
    slots: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Looked:
    """A tool ran."""

    name: str
    arguments: Mapping[str, Any]
    result: Any
    seconds: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Prompted:
    """A model answered: which, under which version of its prompt, for how many tokens."""

    provider: str
    model: str
    prompt: str
    tokens_in: int = 0
    tokens_out: int = 0


@dataclass(frozen=True, slots=True)
class Noted:
    """What came of the call, in the agent's view."""

    outcome: str
    details: str = ""


@dataclass(frozen=True, slots=True)
class Press:
    """Keys are to be pressed once all that was said is heard: 0-9, *, #, A-D."""

    digits: str


@dataclass(frozen=True, slots=True)
class Record:
    """The recording, where there is one, is to go on from here, or to pause."""

    on: bool


@dataclass(frozen=True, slots=True)
class HangUp:
    """The call is to end once all is said."""

    why: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """A human is to take over, named by an entry of the agent's directory.

    Without a `summary` the conversation makes one.
    """

    target: str
    intent: str
    confidence: float
    why: str
    summary: str = ""


Act: TypeAlias = (
    Began | Say | Meant | Looked | Prompted | Noted | Press | Record | HangUp | Transfer | Withheld
)  # fmt: skip


class Recognizer(Protocol):
    """Turns one caller's speech into words; one for a call.

    One whose words end sentences with signs may say so: `punctuates = True`. Recognizers and voices
    may have a `prepare` as dialogues have (agent/preparing.py).
    """

    rate: int

    def begin(self, expectation: Expectation) -> None:
        """Begin a new turn, forgetting the last."""

    def feed(self, samples: Samples) -> None:
        """Take audio of the turn as it comes. Must not block."""

    async def finish(self) -> Understood:
        """Tell what was said so far; may be called again after more was fed. ProviderError."""

    async def close(self) -> None:
        """Let everything go."""


@runtime_checkable
class LiveRecognizer(Recognizer, Protocol):
    """A recognizer that is fed all of a call, and tells words as they come.

    `finish` is asked only where a voice was heard and no words came. `ends_turns` says that it
    tells when a turn is over.
    """

    ends_turns: bool

    def listen(
        self, tell: Callable[[Heard], None], failed: Callable[[ProviderError], None]
    ) -> None:
        """Tell words from now on; and once if nothing more will be told."""


class Dialogue(Protocol):
    """Decides what to say and do; one for a call."""

    def expectation(self) -> Expectation:
        """Tell what may be said next."""

    def open(self) -> AsyncIterator[Act]:
        """Begin the call."""

    def answer(self, turn: Understood) -> AsyncIterator[Act]:
        """Answer a turn of the caller."""

    def idle(self) -> AsyncIterator[Act]:
        """Nobody has spoken for a while."""

    def transfer_failed(self, words: str) -> AsyncIterator[Act]:
        """Nobody took the call: tell the caller, and go on."""

    def heard(self, text: str, *, interrupted: bool) -> None:
        """Learn how much of the last answer the caller heard."""

    async def prepare(self) -> None:
        """Get ready while the phone rings; what fails then is not told."""

    async def close(self) -> Sequence[Act]:
        """End what still runs; tells what has come of it, such as tools that ran to their end."""


@runtime_checkable
class SupposingDialogue(Dialogue, Protocol):
    """A dialogue that can be asked before it is sure that the caller's turn is over."""

    def suppose(self, turn: Understood, committed: asyncio.Event) -> AsyncIterator[Act]:
        """Answer a turn; what changes anything waits until it is `committed`."""

    def unsay(self) -> None:
        """The turn was not over: forget it, and the answer."""


class Spoken(NamedTuple):
    """Speech whose words are marked: samples, and where words end, counted from the text's begin.

    Marks are in samples of the synthesizer, in order, one a word of the text.
    """

    samples: Samples
    marks: tuple[int, ...] = ()


def sound_of(piece: Samples | Spoken) -> Samples:
    """Give the samples of a piece of speech."""
    return piece.samples if isinstance(piece, Spoken) else piece


class Synthesizer(Protocol):
    """Speaks text. One with a `voice_key` (hashable) has standing words kept for all calls.

    Any provider may have a `name`, and a `health` (agent/health.py) that all calls share.
    """

    rate: int

    def speak(self, text: str) -> AsyncIterator[Samples | Spoken]:
        """Give the audio of a clause, piece by piece. ProviderError."""


@dataclass(frozen=True, slots=True)
class Brief:
    """What a provider is made from: the agent, its account with the provider, the call.

    `name` is how the agent's file calls the provider; `memory` is one for all of a call.
    """

    agent: Agent
    name: str = ""
    account: Account = field(default_factory=Account)
    variables: Mapping[str, str] = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory)


# stage -> name -> "module:attribute" of a factory that takes a Brief; imported when asked for,
# so that an extra is needed only by the agent that uses it.
PROVIDERS: dict[str, dict[str, str]] = {
    "recognizer": {
        "embedded": "opensip.agent.providers.embedded_recognizer:make",
        "openai": "opensip.agent.providers.openai.recognizer:make",
        "scripted": "opensip.agent.providers.scripted:make_recognizer",
    },
    "dialogue": {
        "openai": "opensip.agent.providers.openai.dialogue:make",
        "script": "opensip.agent.script:make",
        "scripted": "opensip.agent.providers.scripted:make_dialogue",
    },
    "synthesizer": {
        "embedded": "opensip.agent.providers.embedded_synthesizer:make",
        "openai": "opensip.agent.providers.openai.synthesizer:make",
        "scripted": "opensip.agent.providers.scripted:make_synthesizer",
    },
    "realtime": {
        "openai_realtime": "opensip.agent.providers.openai.realtime:make",
        "stream": "opensip.agent.providers.stream:make",
    },
}
NEEDS_MODEL = ("openai", "openai_realtime")  # providers whose models the account must name

Factory = Callable[[Brief], Any]


def factory(stage: str, name: str) -> Factory:
    """Find a provider's factory. Raises ConfigError naming what is known."""
    known = PROVIDERS[stage]
    if name not in known:
        raise ConfigError(f"no {stage} {name!r}; known are {', '.join(sorted(known))}")
    module, _, attribute = known[name].partition(":")
    return cast(Factory, getattr(import_module(module), attribute))


@dataclass(frozen=True, slots=True)
class Providers:
    """The providers of one call, each list in the order in which they are tried."""

    recognizers: tuple[Recognizer, ...]
    dialogues: tuple[Dialogue, ...]
    synthesizers: tuple[Synthesizer, ...]


def make_dialogues(agent: Agent, variables: Mapping[str, str]) -> tuple[Dialogue, ...]:
    """Make the dialogues alone, for a talk without sound. Raises ConfigError, MissingExtra."""
    return make_stage("dialogue", agent, variables, Memory())


def make_stage(
    stage: str, agent: Agent, variables: Mapping[str, str], memory: Memory
) -> tuple[Any, ...]:
    """Make the providers of one stage, for one call. Raises ConfigError, MissingExtra."""
    return tuple(made(stage, name, agent, variables, memory) for name in getattr(agent, stage))


def make(agent: Agent, variables: Mapping[str, str] | None = None) -> Providers:
    """Make the providers that the agent names, for one call. Raises ConfigError, MissingExtra."""
    known, memory = variables or {}, Memory()
    return Providers(
        make_stage("recognizer", agent, known, memory),
        make_stage("dialogue", agent, known, memory),
        make_stage("synthesizer", agent, known, memory),
    )


def made(stage: str, name: str, agent: Agent, variables: Mapping[str, str], memory: Memory) -> Any:
    """Make one provider of a stage, for one call. Raises ConfigError, MissingExtra."""
    account = agent.providers.get(name, Account(provider=name))
    brief = Brief(agent, name, account, variables, memory)
    return factory(stage, account.provider)(brief)
