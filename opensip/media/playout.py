"""Samples on their way out: written ahead of time, encoded when their turn comes."""

from collections import deque
from collections.abc import Callable

import numpy as np

from opensip.audio.codecs import Codec, FramedCodec, TableCodec
from opensip.audio.frame import Samples
from opensip.audio.resample import resample

PIECE = 4000  # samples encoded at once: 0.2 ms of work, so a long prompt delays no tick


class Playout:
    """A queue of samples that is read in payloads. Counts samples; does no I/O.

    A position counts what was or will be played: flushed samples leave the count, so that a
    write has been heard as far as `played` is beyond the position it returned. `frame` is what
    the last payload of a framed codec holds.
    """

    def __init__(self, codec: TableCodec) -> None:
        self.codec: Codec = codec
        self.frame: Samples = np.zeros(0, np.int16)
        self.paused = False
        self.played = 0
        self.on_empty: Callable[[], None] = lambda: None
        self._pieces: deque[Samples] = deque()
        self._encoded = b""  # of the piece whose turn it is
        self._start = 0  # where in `_encoded` the next payload starts
        self._waiting = 0  # samples in `_pieces`
        self._table = codec
        self._encode: Callable[[Samples], bytes] | None = None  # of a framed codec

    @property
    def queued(self) -> int:
        """Samples that have not been played yet."""
        return self._waiting + len(self._encoded) - self._start

    def write(self, samples: Samples) -> int:
        """Queue a copy of `samples`; returns the position at which they start."""
        position = self.played + self.queued
        self._queue(np.array(samples, np.int16))
        return position

    def flush(self) -> int:
        """Forget what is queued; returns how many samples that was."""
        forgotten = self.queued
        self._pieces.clear()
        self._encoded, self._start, self._waiting = b"", 0, 0
        self.on_empty()
        return forgotten

    def take(self, count: int) -> bytes | None:
        """Take the payload of the next `count` samples; None when paused or empty.

        The last payload is filled up with silence.
        """
        if self.paused:
            return None
        if self._encode is not None:
            return self._take_frame(count, self._encode) if self._waiting else None
        start, end = self._start, self._start + count
        if start == len(self._encoded) and self._pieces:
            self._encode_next()
            start, end = 0, count
        if end > len(self._encoded):
            return self._take_across(count)
        self._start = end
        payload = self._encoded[start:end]
        self._count(count)
        return payload

    def silence(self, count: int) -> bytes:
        """Make a payload of `count` samples of silence."""
        if self._encode is None:
            return bytes((self._table.silence,)) * count
        self.frame = np.zeros(count, np.int16)
        return self._encode(self.frame)

    def change_codec(self, codec: Codec, count: int, fmtp: str = "") -> None:
        """Encode with another codec from the next payload on, `count` samples in each.

        Where its rate is another one, positions count by it from now on.
        """
        old, self.codec = self.codec, codec
        if self._encoded:
            rest = self._table.decode(self._encoded[self._start :])
            self._pieces.appendleft(rest)
            self._waiting += len(rest)
            self._encoded, self._start = b"", 0
        if codec.rate != old.rate:
            self._change_rate(old.rate, codec.rate)
        if isinstance(codec, FramedCodec):
            self._encode = codec.encoder(count, fmtp)
        else:
            self._table, self._encode = codec, None

    def _change_rate(self, old: int, new: int) -> None:
        self.played = self.played * new // old
        waiting, self._pieces, self._waiting = self._pieces, deque(), 0
        if waiting:
            self._queue(resample(np.concatenate(waiting), old, new))

    def _queue(self, own: Samples) -> None:
        self._waiting += len(own)
        while len(own) > PIECE:
            self._pieces.append(own[:PIECE])
            own = own[PIECE:]
        if len(own):
            self._pieces.append(own)

    def _take_frame(self, count: int, encode: Callable[[Samples], bytes]) -> bytes:
        """Encode the next `count` samples as one packet."""
        self.frame = np.zeros(count, np.int16)
        filled = 0
        while filled < count and self._pieces:
            piece = self._pieces.popleft()
            taken, rest = piece[: count - filled], piece[count - filled :]
            self.frame[filled : filled + len(taken)] = taken
            filled += len(taken)
            if len(rest):
                self._pieces.appendleft(rest)
        self._waiting -= filled
        self._count(filled)
        return encode(self.frame)

    def _take_across(self, count: int) -> bytes | None:
        """Take a payload that does not lie within one piece."""
        if not self.queued:
            return None
        payload = self._encoded[self._start :]
        while len(payload) < count and self._pieces:
            self._encode_next()
            self._start = min(count - len(payload), len(self._encoded))
            payload += self._encoded[: self._start]
        if len(payload) < count:  # the last one: nothing is left behind it
            self._encoded, self._start = b"", 0
        self._count(len(payload))
        return payload.ljust(count, bytes((self._table.silence,)))

    def _encode_next(self) -> None:
        piece = self._pieces.popleft()
        self._waiting -= len(piece)
        self._encoded, self._start = self._table.encode(piece), 0

    def _count(self, samples: int) -> None:
        self.played += samples
        if not self._waiting and self._start == len(self._encoded):
            self.on_empty()
