"""Which services are better left alone for a while: all calls of a process learn from each."""

import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field

_AFTER_A_FAULT = 5.0  # seconds; a caller pays for each try of a service that is down
LONGEST = 60.0  # between two tries of a service that goes on failing
_ONE_AT_A_TIME = 10.0  # seconds that a call has to find out for all others

Probe = Callable[[], Awaitable[None]]  # raises OpenSipError or OSError where nobody is there


@dataclass(slots=True)
class Health:
    """How one stage of one service does. A new call asks a resting one last.

    One with a `probe` rests until that gets through (agent/probing.py, which sets `watched`), and
    then every new call asks it in its place again. Where there is none, or the probe got through
    and the service failed all the same, one new call tries it after its rest, while others still
    ask it last; once it has worked, every new call asks it in its place again.
    """

    clock: Callable[[], float] = time.monotonic
    probe: Probe | None = None
    watched: bool = False
    _rests_until: float = 0.0
    _faults: int = 0  # in a row
    _back: bool = False  # a probe got through since the last fault
    _misled: bool = False  # it failed after that

    @property
    def resting(self) -> bool:
        """Whether it is to be asked only where nothing else is left."""
        return self.watched or self.rest > 0

    @property
    def rest(self) -> float:
        """How many seconds it is to be left alone, even by a probe."""
        return max(0.0, self._rests_until - self.clock())

    @property
    def ill(self) -> bool:
        """Whether it has failed, and neither worked nor answered a probe since."""
        return self._faults > 0 and not self._back

    def tried(self) -> bool:
        """A new call lines up its services: tell whether it is to ask this one in its place."""
        if self.resting:
            return False
        if self._faults and (self._misled or not self._back):
            self._rests_until = self.clock() + _ONE_AT_A_TIME
        return True

    def failed(self, rest: float = 0.0) -> None:
        """It failed, and asks for so many seconds of rest; each fault in a row doubles ours."""
        self._faults += 1
        self._misled, self._back = self._misled or self._back, False
        ours = min(_AFTER_A_FAULT * 2 ** (self._faults - 1), LONGEST)
        self._rests_until = self.clock() + max(rest, ours)

    def worked(self) -> bool:
        """It does its work; tell whether that is news."""
        is_news = self._faults > 0
        self._faults, self._rests_until = 0, 0.0
        self._back = self._misled = False
        return is_news

    def answered(self) -> None:
        """A probe got through: it may do its work again."""
        self.watched, self._rests_until, self._back = False, 0.0, True


@dataclass(slots=True)
class Healths:
    """The health of every service by its key, made as it is asked for."""

    _of: dict[Hashable, Health] = field(default_factory=dict)

    def of(self, key: Hashable, probe: Probe | None = None) -> Health:
        """Give the one of `key`, and the `probe` that tells whether it is there."""
        health = self._of.setdefault(key, Health())
        health.probe = health.probe or probe
        return health
