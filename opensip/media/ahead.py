"""Samples of a codec with state on their way out: encoded ahead of their turn.

The thread that sends has packets for a while, so that it does not wait for Python. The rest waits
here, to be encoded bit by bit: a long prompt at once would keep the loop.
"""

import math
from collections import deque
from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np

from opensip.audio.codecs import Codec
from opensip.audio.frame import Samples

AHEAD = 2.0  # seconds that the thread has: Python may stand still for one
REFILL = 0.1  # seconds of them that are gone before there are more: as often as audio is handed on
AT_ONCE = 0.5  # seconds that are encoded in one go, some milliseconds of work
WARM = 5  # packets by which a coder comes close enough to where the peer's is
LIVE = 0.06  # seconds within which who wrote writes on: the rest of a packet waits for that


class Ahead:
    """Encodes what is written in packets of `count` samples. Does no I/O.

    A coder follows what the peer's decoder has heard. Where packets of it were never sent, or
    silence went between them, another one is brought to where that is.
    """

    def __init__(self, codec: Codec, count: int, fmtp: str) -> None:
        self.waiting = 0  # samples that are not encoded yet
        self._make: Callable[[], Callable[[Samples], bytes]] = lambda: codec.encoder(count, fmtp)
        self._encode: Callable[[Samples], bytes] | None = None  # None: to be made
        self._count = count
        self._most = round(AHEAD * codec.rate)
        self._refill = round((AHEAD - REFILL) * codec.rate)
        self._go = round(AT_ONCE * codec.rate)
        self._pieces: deque[Samples] = deque()
        # what was encoded last, and how many samples of it are no filling
        self._encoded: deque[tuple[Samples, int]] = deque(maxlen=self._most // count + 1 + WARM)
        self._quiet = 0  # packets of silence that went after that
        self._written_at = -math.inf

    def write(self, samples: Samples, *, now: float) -> None:
        """Take a copy of samples."""
        self._pieces.append(np.array(samples, np.int16))
        self.waiting += len(samples)
        self._written_at = now

    def packets(self, queued: int, quiet: int, *, now: float) -> Iterator[tuple[Samples, bytes]]:
        """Give the next packets, with the samples in each, to who has `queued` samples of them.

        `quiet` packets of silence went out since the last of ours. The last packet is filled up
        with silence once nobody writes on.
        """
        self._quiet = 0 if queued else quiet
        upto = min(self._most, queued + self._go)
        while self.waiting >= self._count and queued < upto:
            yield self._packet(self._count)
            queued += self._count
        over = queued <= self._count and now - self._written_at >= LIVE
        if over and 0 < self.waiting < self._count:
            yield self._packet(self.waiting)

    def wanted_at(self) -> int:
        """Tell at how many samples that are left to it the thread needs more."""
        return self._refill if self.waiting >= self._count else self._count

    def flush(self, unsent: int) -> None:
        """Forget what waits; of what was encoded the last samples were not sent."""
        self._pieces.clear()
        self.waiting = 0
        if unsent:
            self._encode = None
        while unsent > 0:
            unsent -= self._encoded.pop()[1]

    def rest(self) -> Samples:
        """Take what waits."""
        return self._take(self.waiting)

    def _packet(self, filled: int) -> tuple[Samples, bytes]:
        self._hear_silence()
        encode = self._coder()
        samples = self._take(filled)
        frame = np.concatenate([samples, np.zeros(self._count - filled, np.int16)])
        self._encoded.append((frame, filled))
        return samples, encode(frame)

    def _coder(self) -> Callable[[Samples], bytes]:
        """Give the coder; a new one is brought to where the peer's is."""
        if self._encode is None:
            self._encode = self._make()
            for frame, _ in tuple(self._encoded)[-WARM:]:
                self._encode(frame)
        return self._encode

    def _hear_silence(self) -> None:
        """The peer has heard silence after what was encoded last."""
        silence = np.zeros(self._count, np.int16)
        for _ in range(min(self._quiet, WARM)):
            self._encoded.append((silence, 0))
            if self._encode is not None:
                self._encode(silence)
        self._quiet = 0

    def _take(self, count: int) -> Samples:
        taken: list[Samples] = [np.zeros(0, np.int16)]
        self.waiting -= count
        while count:
            piece = self._pieces.popleft()
            taken.append(piece[:count])
            if len(piece) > count:
                self._pieces.appendleft(piece[count:])
            count -= len(taken[-1])
        return np.concatenate(taken)


@lru_cache(maxsize=64)  # by what offers may ask for: a handful in one house
def quiet_payload(codec: Codec, count: int, fmtp: str) -> bytes:
    """Make a payload of silence that may be sent again and again."""
    encode, silence = codec.encoder(count, fmtp), np.zeros(count, np.int16)
    return [encode(silence) for _ in range(WARM + 1)][-1]
