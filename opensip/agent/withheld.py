"""What becomes of a tool that a model asks for and that is not simply run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Asked:
    """The caller is asked whether a tool may run, in these words; `again`: it was unclear."""

    name: str
    arguments: Mapping[str, Any]
    text: str
    again: bool = False


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of the question whether a tool may run.

    `outcome` is "confirmed", "declined" (a no), "passed_over" (something else was said),
    "unclear" (twice), "unheard" (the question was not heard) or "replaced" (the model wants it
    with other arguments). It runs after the first alone.
    """

    name: str
    arguments: Mapping[str, Any]
    outcome: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A tool did not run: a limit of the call is reached, for the so manieth time.

    The first time the model is told; one that goes on all the same is left.
    """

    name: str
    arguments: Mapping[str, Any]
    why: str
    times: int = 1


Withheld = Asked | Settled | Refused
