"""What a scripted caller does, one step a turn of the other side."""

import re
from dataclasses import dataclass

from opensip.errors import ConfigError

KEYS = "0123456789*#ABCD"
LOWEST, HIGHEST = 50.0, 3800.0  # Hz: a telephone carries no other tones


@dataclass(frozen=True, slots=True)
class Say:
    """Speak `text`; where it was not understood, each of `again`, one after the other."""

    text: str
    again: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Keys:
    """Press `digits` as telephone events."""

    digits: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Stay silent for `seconds`, whatever is heard."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Tone:
    """Send a sine of `frequency` Hz for `seconds`."""

    frequency: float
    seconds: float


Step = Say | Keys | Wait | Tone


def written(step: Step) -> str:
    """Write a step as on a command line."""
    match step:
        case Say(text, again):
            return " | ".join((text, *again))
        case Keys(digits):
            return f"keys:{digits}"
        case Wait(seconds):
            return f"wait:{seconds:g}"
        case Tone(frequency, seconds):
            return f"tone:{frequency:g}/{seconds:g}"


def parse_step(text: str) -> Step:
    """Read a step as written on a command line.

    `keys:1234`, `wait:2.5`, `tone:440` or `tone:440/3` (Hz, seconds), `say:…`; anything else is
    spoken: `one wording | another`, the others where the first was not understood. Raises
    ConfigError.
    """
    kind, _, rest = text.partition(":")
    match kind:
        case "keys" if rest and set(rest) <= set(KEYS):
            return Keys(rest)
        case "wait" if _is_number(rest):
            return Wait(float(rest))
        case "tone" if all(map(_is_number, rest.split("/"))) and rest.count("/") <= 1:
            return _tone(text, *rest.split("/"))
        case "keys":
            raise ConfigError(
                f"{text!r} is no step: keys:1234, of 0 to 9, *, # and A to D; say:{text} speaks it"
            )
        case "wait" | "tone":
            raise ConfigError(
                f"{text!r} is no step: wait:2.5, tone:440 or tone:440/3 (Hz, seconds); "
                f"say:{text} speaks it"
            )
        case "say":
            return _say(rest)
        case _:
            return _say(text)


def _tone(text: str, frequency: str, seconds: str = "2") -> Tone:
    if not LOWEST <= float(frequency) <= HIGHEST or not float(seconds):
        raise ConfigError(
            f"{text!r} is no step: a telephone carries {LOWEST:g} to {HIGHEST:g} Hz, and a tone "
            "lasts more than 0 seconds, as in tone:440/3"
        )
    return Tone(float(frequency), float(seconds))


def _say(text: str) -> Say:
    first, *again = (wording.strip() for wording in text.split("|"))
    if not all((first, *again)):
        raise ConfigError(f"{text!r} is no step: there are no words to say on a side of |")
    return Say(first, tuple(again))


def _is_number(text: str) -> bool:
    return re.fullmatch(r"\d+(\.\d+)?", text) is not None
