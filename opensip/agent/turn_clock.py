"""Where the time of one answer went, from the caller's last sound to the agent's first."""

import itertools
from dataclasses import dataclass

from opensip.events import TurnTaken


@dataclass(slots=True)
class TurnClock:
    """When what happened of one turn, in seconds; what has not happened yet is None.

    An answer that was begun before the turn was committed has some of it done by then.
    """

    voiced_until: float
    decided: float | None = None
    why: str = ""  # it was decided
    recognized: float | None = None
    token: float | None = None  # the first word of the answer
    worded: float | None = None  # its first clause
    supposed: bool = False

    def taken(self, at: float, *, voiced: float, first_played: float) -> TurnTaken:
        """Tell where the time went; the answer's first sample came `voiced`, and was sent then.

        The stages follow each other and add up to the whole: what was ready when the stage before
        it ended took no time.
        """
        decided = self.voiced_until if self.decided is None else self.decided
        recognized = decided if self.recognized is None else self.recognized
        token = recognized if self.token is None else self.token
        worded = token if self.worded is None else self.worded
        marks = (self.voiced_until, decided, recognized, worded, voiced, first_played)
        reached = itertools.accumulate(marks, max)
        spent = tuple((b - a) * 1000 for a, b in itertools.pairwise(reached))
        endpointing, recognizer, dialogue, synthesizer, playout = spent

        def since(mark: float) -> float:
            return (mark - self.voiced_until) * 1000

        return TurnTaken(
            at, endpointing, recognizer, dialogue, synthesizer, playout, since(first_played),
            since(recognized), since(decided), since(token), since(voiced), self.why, self.supposed,
            added_ms=(first_played - max(decided, voiced)) * 1000,
            saved_ms=max(0.0, min(decided, voiced) - recognized) * 1000 if self.supposed else 0.0,
        )  # fmt: skip
