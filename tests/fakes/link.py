"""Two cores joined by a link that loses, doubles, delays and reorders, in virtual time."""

import heapq
import random
from collections.abc import Callable, Sequence
from itertools import count
from typing import Protocol


class Core(Protocol):
    """What stands at each end: a core that does no I/O, one datagram at a time."""

    def receive(self, data: bytes, *, now: float) -> None: ...
    def messages_to_send(self) -> list[bytes]: ...
    def get_timer(self) -> float | None: ...
    def handle_timer(self, *, now: float) -> None: ...


# Says what becomes of the n-th datagram of one direction: the delay of each copy that arrives.
Fate = Callable[[int, bytes], Sequence[float]]


def perfect(delay: float = 0.01) -> Fate:
    """Deliver everything, in order."""
    return lambda n, data: (delay,)


def pattern(marks: str, *, delay: float = 0.01) -> Fate:
    """Deliver by marks, one a datagram: "." arrives, "x" is lost, "2" comes twice, "s" slow.

    What comes after the last mark arrives.
    """
    fates = {".": (delay,), "x": (), "2": (delay, delay), "s": (delay + 0.3,)}
    return lambda n, data: fates[marks[n] if n < len(marks) else "."]


def lossy(
    seed: int, *, drop: float = 0.0, double: float = 0.0, delay: tuple[float, float] = (0.01, 0.03)
) -> Fate:
    """Lose and double at random; delays between two bounds, so that datagrams overtake."""
    dice = random.Random(seed)

    def fate(n: int, data: bytes) -> Sequence[float]:
        if dice.random() < drop:
            return ()
        copies = 2 if dice.random() < double else 1
        return [dice.uniform(*delay) for _ in range(copies)]

    return fate


class Link:
    """Runs the cores `a` and `b`. `journal` holds (time, sender's index, data, arrives)."""

    def __init__(self, a: Core, b: Core, *, a_to_b: Fate, b_to_a: Fate) -> None:
        self.now = 0.0
        self.journal: list[tuple[float, int, bytes, bool]] = []
        self._cores = (a, b)
        self._fates = (a_to_b, b_to_a)
        self._sent = [0, 0]
        self._flying: list[tuple[float, int, int, bytes]] = []
        self._serial = count()

    def run(self, until: float) -> None:
        """Let everything happen up to the time `until`."""
        self._send()
        while (at := self._next()) is not None and at <= until:
            self.now = at
            while self._flying and self._flying[0][0] <= at:
                _, _, to, data = heapq.heappop(self._flying)
                self._cores[to].receive(data, now=at)
            for core in self._cores:
                if (due := core.get_timer()) is not None and due <= at:
                    core.handle_timer(now=at)
            self._send()
        self.now = until

    @property
    def lost(self) -> int:
        """How many datagrams did not arrive."""
        return sum(not arrives for _, _, _, arrives in self.journal)

    def _next(self) -> float | None:
        times = [core.get_timer() for core in self._cores]
        if self._flying:
            times.append(self._flying[0][0])
        return min((t for t in times if t is not None), default=None)

    def _send(self) -> None:
        for index, core in enumerate(self._cores):
            for data in core.messages_to_send():
                delays = self._fates[index](self._sent[index], data)
                self._sent[index] += 1
                self.journal.append((self.now, index, data, bool(delays)))
                for delay in delays:
                    item = (self.now + delay, next(self._serial), 1 - index, data)
                    heapq.heappush(self._flying, item)
