"""Sound that is played on, a frame each tick: the playout buffer, and what stands for losses."""

from typing import Literal, TypeAlias

import numpy as np

from opensip.audio.codecs import TableCodec
from opensip.audio.concealment import Concealment
from opensip.audio.frame import Samples
from opensip.rtp.jitter_buffer import Counts, JitterBuffer, Play, Wait

Decision: TypeAlias = Literal["play", "conceal", "wait"]
FRAME = 160  # samples of a tick


class Playback:
    """One source of G.711 made even. Does no I/O."""

    def __init__(self, codec: TableCodec) -> None:
        self._codec = codec
        self._buffer = JitterBuffer(codec.rate)
        self._concealment = Concealment()
        self._heard = False  # until then there is only silence

    @property
    def depth(self) -> float:
        """Seconds by which what is played is behind what came without delay."""
        return self._buffer.depth

    @property
    def counts(self) -> Counts:
        """What became of the packets and the ticks."""
        return self._buffer.counts

    def change_source(self) -> None:
        """Go on with a source of other sequence numbers and timestamps."""
        self._buffer.forget()

    def change_codec(self, codec: TableCodec) -> None:
        """Go on with the other law; what waits is brought to it."""
        if codec is not self._codec:
            old, self._codec = self._codec, codec
            self._buffer.recode(lambda payload: codec.encode(old.decode(payload)))

    def set_noise(self, level: float) -> None:
        """Take the root mean square of the background where nothing is sent."""
        self._concealment.set_noise(level)

    def put(self, sequence: int, timestamp: int, payload: bytes, *, now: float) -> None:
        """Take a packet that came `now`."""
        self._buffer.put(sequence, timestamp, payload, now=now)

    def tick(self, *, now: float) -> tuple[Decision, Samples]:
        """Make the samples of the 20 ms that begin `now`, and tell what they are.

        Where nothing was sent, the background goes on: a line gone dead sounds like a fault.
        """
        decision = self._buffer.tick(now=now)
        if isinstance(decision, Play):
            self._heard = True
            return "play", self._concealment.hear(self._codec.decode(decision.payload))
        told: Decision = "wait" if isinstance(decision, Wait) else "conceal"
        if not self._heard:
            return told, np.zeros(FRAME, np.int16)
        return told, self._concealment.make(FRAME)
