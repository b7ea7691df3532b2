"""What is said over a media stream, whatever its format: events of the call, commands of the bot.

Audio is bytes: G.711 µ-law of 8000 Hz, or linear 16-bit little-endian PCM where a command says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Connected:
    """The socket is up; the stream has not begun."""


@dataclass(frozen=True, slots=True)
class Start:
    """The stream begins: its ids, and `parameters` that were configured for the bot."""

    stream: str
    call: str
    account: str
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Heard:
    """Sound of the caller: µ-law, `at` milliseconds after the beginning of the stream."""

    payload: bytes
    at: int = 0


@dataclass(frozen=True, slots=True)
class Key:
    """The caller pressed a key: 0-9, *, #, A-D."""

    digit: str


@dataclass(frozen=True, slots=True)
class Reached:
    """All that came before the bot's mark of this name has been played, or was cleared."""

    name: str


@dataclass(frozen=True, slots=True)
class Stop:
    """The stream is over."""

    stream: str
    call: str
    account: str


Event: TypeAlias = Connected | Start | Heard | Key | Reached | Stop


@dataclass(frozen=True, slots=True)
class Play:
    """Sound for the caller, played after what is queued. `rate` 0: µ-law; else of linear PCM."""

    payload: bytes
    rate: int = 0


@dataclass(frozen=True, slots=True)
class Mark:
    """Tell with this name when all that was queued so far has been played."""

    name: str


@dataclass(frozen=True, slots=True)
class Clear:
    """Forget what is queued, at once."""


Command: TypeAlias = Play | Mark | Clear
