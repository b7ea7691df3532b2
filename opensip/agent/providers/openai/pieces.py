"""A caller's audio in pieces worth sending, and what may have to be sent again. Pure."""

from collections import deque

import numpy as np

from opensip.audio.frame import Samples

PIECE_SECONDS = 0.1  # ten messages a second: each costs both ends more than its octets
_PRE_ROLL = 0.3  # seconds kept from before a voice was noticed: weak first sounds
_MOST_KEPT = 20.0  # seconds: as long as the longest turn; an outbox takes 250 pieces


class Pieces:
    """Cuts what it is fed. `gated`: only what is fed while it is `open`, and the moment before.

    What was sent is `kept` by who sends it, for as long as that may be needed again.
    """

    def __init__(self, rate: int, *, gated: bool) -> None:
        self.open = not gated
        self.kept: deque[Samples] = deque(maxlen=int(_MOST_KEPT / PIECE_SECONDS))
        self._piece = int(rate * PIECE_SECONDS)
        self._before = int(rate * _PRE_ROLL)
        self._waiting: deque[Samples] = deque()
        self._size = 0
        self._committed = 0  # of what is kept

    def feed(self, samples: Samples) -> Samples | None:
        """Take audio; gives a piece to be sent, once there is one."""
        self._waiting.append(samples)
        self._size += len(samples)
        if self.open:
            return self.rest() if self._size >= self._piece else None
        while self._size - len(self._waiting[0]) >= self._before:
            self._size -= len(self._waiting.popleft())
        return None

    def rest(self) -> Samples | None:
        """Give what waits to be a piece, if anything does."""
        if not self._waiting:
            return None
        piece = np.concatenate(self._waiting)
        self._waiting.clear()
        self._size = 0
        return piece

    def commit(self) -> None:
        """All that is kept is to be understood."""
        self._committed = len(self.kept)

    def understood(self) -> None:
        """It was: it need not be sent again."""
        for _ in range(min(self._committed, len(self.kept))):
            self.kept.popleft()
        self._committed = 0

    def forget(self) -> None:
        """Close, and forget what was fed since it was opened."""
        self.open = False
        self.kept.clear()
        self._waiting.clear()
        self._size = 0
