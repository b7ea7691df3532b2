"""What every event is, and who takes note of it."""

import re
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class CallEvent:
    """Something that happened in a call at the monotonic time `at`, in seconds."""

    at: float

    @property
    def kind(self) -> str:
        """Name of the event in journals: the class name in snake case."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()


class Observer(Protocol):
    """Takes note of what happened; must not block and must not raise."""

    def note(self, event: CallEvent) -> None:
        """Take note of `event`."""


class Silent:
    """An observer that takes no note."""

    def note(self, event: CallEvent) -> None:
        """Let the event go by."""
