"""What a spoken number may be: the likeliest is read back, then the next, and no number twice."""

from collections.abc import Iterable
from dataclasses import dataclass, field

_ANOTHER = 1  # reading offered after a no; who says no again would rather say the number again


@dataclass(slots=True)
class Readings:
    """The readings of one number until it is agreed on, and those that it is not."""

    _others: list[str] = field(default_factory=list)
    _refused: set[str] = field(default_factory=set)

    def heard(self, readings: Iterable[str]) -> str:
        """Take what the number was heard as, likeliest first; give what is to be read back.

        Who repeats a number after a no is told the same again only if it sounds like no other.
        """
        distinct = [*dict.fromkeys(readings)]
        likely = [digits for digits in distinct if digits not in self._refused]
        self._others = likely[1 : 1 + _ANOTHER]
        return (likely or distinct)[0]

    def refuse(self, digits: str) -> str:
        """Take a no; give what else it may have been, or ""."""
        self._refused.add(digits)
        return self._others.pop(0) if self._others else ""

    def clear(self) -> None:
        """Forget them: the number is agreed on, or the talk has gone elsewhere."""
        self._others.clear()
        self._refused.clear()
