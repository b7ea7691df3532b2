"""What the rooms above know of sound: a frame, where it comes from and where it goes."""

import enum
from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]  # one channel of linear 16-bit PCM


class AudioFrame(NamedTuple):
    """A run of samples. A tuple, since fifty a second are made of every call.

    `at` is when its first sample came, in seconds of the loop's clock; `rate` is in Hz;
    `level_dbfs` the power relative to a full-scale square wave, at most 0. `levels` is that of each
    20 ms of a longer frame, where it is known already.
    """

    at: float
    samples: Samples
    rate: int
    level_dbfs: float
    levels: tuple[float, ...] = ()

    @property
    def seconds(self) -> float:
        """How long the frame lasts."""
        return len(self.samples) / self.rate


class Steady(enum.IntEnum):
    """What may come in longer frames while it goes on; its end comes at once."""

    NOTHING = 0
    VOICE = 1  # louder than -48 dBFS: in frames of 60 ms, with the first tick that is none
    SILENCE = 2  # softer: in frames of 100 ms even where a voice has just been, with the next one


class AudioSource(Protocol):
    """Where heard audio comes from."""

    steady: Steady  # as who listens to it wishes

    @property
    def rate(self) -> int:
        """Sample rate in Hz of every frame."""

    async def read(self) -> AudioFrame | None:
        """Wait for the next frame; None once the source has ended, and ever after.

        Who gives up waiting loses no frame.
        A frame holds 20 ms while a voice is near (the level gate is open), else 100 ms; see Steady.
        """

    async def each(self, take: Callable[[AudioFrame], None]) -> None:
        """Let `take` have every frame as soon as it comes, until the source ends.

        Cheaper than to read: nobody is woken for a frame. What `take` raises is raised here. Who
        gives up loses no frame.
        """


class AudioSink(Protocol):
    """Where spoken audio goes.

    Positions count samples from 0; what is flushed leaves the count. So a write has been heard
    as far as `played` is beyond the position it returned.
    """

    @property
    def rate(self) -> int:
        """Sample rate in Hz of what is written."""

    def write(self, samples: Samples) -> int:
        """Queue samples; returns the position at which they start."""

    def flush(self) -> int:
        """Forget what is queued; returns how many samples were never played."""

    def pause(self) -> None:
        """Stop playing at once, and keep what is queued."""

    def resume(self) -> None:
        """Play on from where `pause` stopped."""

    def played(self) -> int:
        """How many of the written samples have been sent so far."""

    def queued(self) -> int:
        """How many of the written samples have not been sent yet."""

    async def drained(self) -> None:
        """Wait until all that was written is sent or flushed."""
