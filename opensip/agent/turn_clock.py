"""Where the time of one answer went, from the caller's last sound to the agent's first."""

import itertools
from dataclasses import dataclass

from opensip.events import TurnTaken


@dataclass(slots=True)
class TurnClock:
    """When what happened of one turn, and the sample at which its answer starts."""

    voiced_until: float
    decided: float
    recognized: float = 0.0
    worded: float | None = None
    voiced: float = 0.0
    start: int | None = None

    def said(self, at: float, start: int | None) -> None:
        """Take the position of the answer's first sample, once it is queued."""
        if self.start is None:
            self.voiced, self.start = at, start

    def taken(self, at: float, first_played: float) -> TurnTaken:
        """Tell where the time went; the answer's first sample was played at `first_played`."""
        worded = self.recognized if self.worded is None else self.worded
        marks = (
            self.voiced_until, self.decided, self.recognized, worded, self.voiced, first_played,
        )  # fmt: skip
        total = (first_played - self.voiced_until) * 1000
        spent = (max(0.0, (b - a) * 1000) for a, b in itertools.pairwise(marks))
        endpointing, recognizer, dialogue, synthesizer, playout = spent
        return TurnTaken(at, endpointing, recognizer, dialogue, synthesizer, playout, total)
