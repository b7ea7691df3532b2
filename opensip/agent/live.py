"""What hears and speaks by itself: a speech-to-speech model, or a bot of one's own.

It is given the caller's sound, and tells what is to be played, said, run and marked.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from opensip.agent.conversation import Turn
from opensip.agent.memory import Call
from opensip.audio.frame import Samples


@dataclass(frozen=True, slots=True)
class Opening:
    """How a talk begins: what was said before, as far as it was heard, and why it begins anew.

    `cause` is "" at the beginning of a call, "transfer_failed" where nobody took it (`words` say
    why), "fallback" where another provider was there before. `notes` tell what tools did.
    """

    turns: Sequence[Turn] = ()
    cause: str = ""
    words: str = ""
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Sound:
    """Sound for the caller, of `rate` Hz, to be played after what is queued.

    `item` names the utterance that it is a part of, where there are such.
    """

    samples: Samples
    rate: int
    item: str = ""


@dataclass(frozen=True, slots=True)
class Spoken:
    """The next words of an utterance, as a text."""

    item: str
    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """There is no more sound of an utterance."""

    item: str


@dataclass(frozen=True, slots=True)
class Marked:
    """`reached` is to be told this name, once all that came before is played or cut."""

    name: str


@dataclass(frozen=True, slots=True)
class Cut:
    """What is queued is to be forgotten, at once."""


@dataclass(frozen=True, slots=True)
class Began:
    """The caller began to speak, and wants no more of what is being said."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The caller's turn is over: an answer will come. `item` names the turn, or is ""."""

    item: str = ""


@dataclass(frozen=True, slots=True)
class Understood:
    """What the caller said in a turn, that of `item`."""

    text: str
    item: str = ""


@dataclass(frozen=True, slots=True)
class Answering:
    """An answer has been begun."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer is all there: which model gave it, for how many tokens."""

    model: str = ""
    tokens_in: int = 0
    tokens_out: int = 0


Told: TypeAlias = (
    Sound | Spoken | Finished | Marked | Cut | Began | Ended | Understood | Answering | Answered
    | Call
)  # fmt: skip


class Realtime(Protocol):
    """One call's line to a service; `connect`, `begin` and `told` raise ProviderError.

    `rate` is of the sound that it wants, in Hz. `patience` is how many seconds an answer may
    take; None where nobody knows when one is due. `first_sound` is how many seconds all may be
    silent at the beginning of a talk, or None. `ends_call` says what its goodbye means: the
    call is over, or somebody else goes on. `single_keys`: it wants each key as it is pressed.
    """

    name: str
    rate: int
    patience: float | None
    first_sound: float | None
    ends_call: bool
    single_keys: bool

    async def connect(self) -> None:
        """Open the line, ahead of the talk; does nothing where it is open."""

    async def begin(self, opening: Opening) -> None:
        """Begin to talk."""

    def hear(self, samples: Samples) -> None:
        """Take what the caller says."""

    def press(self, keys: str) -> None:
        """Take keys that the caller pressed: one, or a whole number, which ends an answer begun."""

    def reached(self, name: str) -> None:
        """Learn that a mark has been played, or was cut."""

    def cut(self, item: str, heard: float) -> None:
        """Learn that the caller heard no more than `heard` seconds of an utterance."""

    def give(self, call: Call, result: str) -> None:
        """Give the result of a tool."""

    def note(self, text: str) -> None:
        """Tell what no caller said; a provider of no `patience` is told nothing."""

    def go_on(self) -> None:
        """Want an answer to what was given, keyed or noted; none is being made."""

    def told(self) -> AsyncIterator[Told]:
        """Tell what comes, until it says goodbye."""

    async def close(self) -> None:
        """Hang up; `connect` may open the line again."""
