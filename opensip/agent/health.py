"""Which services are better left alone for a while: all calls of a process learn from each."""

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

_AFTER_A_FAULT = 5.0  # seconds; a caller pays for each try of a service that is down
_LONGEST = 60.0  # between two tries of a service that goes on failing
_ONE_AT_A_TIME = 10.0  # seconds that a call has to find out for all others


@dataclass(slots=True)
class Health:
    """How one stage of one service does. A new call asks a resting one last.

    After its rest one new call tries it, while others still ask it last: only that call waits
    where it is still ill. Once it has worked, every new call asks it in its place again.
    """

    clock: Callable[[], float] = time.monotonic
    _rests_until: float = 0.0
    _faults: int = 0  # in a row

    @property
    def resting(self) -> bool:
        """Whether it is to be asked only where nothing else is left."""
        return self.clock() < self._rests_until

    def tried(self) -> bool:
        """A new call lines up its services: tell whether it is to ask this one in its place."""
        if self.resting:
            return False
        if self._faults:
            self._rests_until = self.clock() + _ONE_AT_A_TIME
        return True

    def failed(self, rest: float = 0.0) -> None:
        """It failed, and asks for so many seconds of rest; each fault in a row doubles ours."""
        self._faults += 1
        ours = min(_AFTER_A_FAULT * 2 ** (self._faults - 1), _LONGEST)
        self._rests_until = self.clock() + max(rest, ours)

    def worked(self) -> None:
        """It does its work again."""
        self._faults, self._rests_until = 0, 0.0


@dataclass(slots=True)
class Healths:
    """The health of every service by its key, made as it is asked for."""

    _of: dict[Hashable, Health] = field(default_factory=dict)

    def of(self, key: Hashable) -> Health:
        """Give the one of `key`."""
        return self._of.setdefault(key, Health())
