"""Resampling: live without delay, and whole prompts at once. The one door to soxr.

Live, soxr withholds 100 ms and then gives it in bursts, so `Resampler` is a filter of our own
(a polyphase FIR): what goes in comes out at once, about one millisecond late.
"""

import math
from functools import lru_cache
from typing import cast

import numpy as np
import soxr
from numpy.typing import NDArray

from opensip.audio.frame import Samples
from opensip.errors import LocalProtocolError

TAPS = 16  # per phase: 85 dB below the image, 3 dB down at 3.4 kHz of an 8 kHz stream
MAX_FACTOR = 12  # 8 kHz to 96 kHz; odd ratios need longer filters than a live path may have
CUTOFF = 0.92  # of the lower Nyquist frequency
BETA = 8.0  # of the Kaiser window: 80 dB


class Resampler:
    """Converts one live stream by a whole factor up, down, or both (as 16 to 24 kHz).

    Chunks may have any length; all together give len * dst / src samples, rounded up to whole
    ones. Raises LocalProtocolError for rates without a common small factor.
    """

    def __init__(self, src: int, dst: int) -> None:
        common = math.gcd(src, dst) if src > 0 and dst > 0 else 0
        if not common or max(src, dst) // common > MAX_FACTOR:
            raise LocalProtocolError(f"cannot resample live from {src} to {dst} Hz")
        self.src, self.dst = src, dst
        self._up, self._down = dst // common, src // common
        self._phases = _phases(self._up, self._down)
        self._history = np.zeros(self._phases.shape[1] - 1, np.float32)
        self._position = 0  # of the next output, in steps of 1/up from the next input sample

    def push(self, samples: Samples) -> Samples:
        """Convert the next chunk."""
        if self._up == self._down or not len(samples):
            return samples
        heard = np.concatenate([self._history, samples.astype(np.float32)])
        self._history = heard[len(heard) - len(self._history) :]
        raised = np.empty(len(samples) * self._up, np.float32)
        for phase, taps in enumerate(self._phases):
            raised[phase :: self._up] = np.correlate(heard, taps, "valid")
        made = raised[self._position :: self._down]
        self._position += len(made) * self._down - len(raised)
        return np.clip(np.rint(made), -32768, 32767).astype(np.int16)

    def flush(self) -> Samples:
        """Nothing was kept back but a millisecond that is not worth the wait."""
        return np.empty(0, np.int16)


class OddResampler:
    """Converts one live stream by any ratio (as 22.05 to 8 kHz), with soxr and its delay."""

    def __init__(self, src: int, dst: int) -> None:
        self._stream = soxr.ResampleStream(src, dst, 1, dtype="int16", quality="HQ")

    def push(self, samples: Samples) -> Samples:
        """Convert the next chunk; what soxr keeps back comes later."""
        return cast(Samples, self._stream.resample_chunk(samples))

    def flush(self) -> Samples:
        """Give what soxr kept back: the stream is over."""
        return cast(Samples, self._stream.resample_chunk(np.empty(0, np.int16), last=True))


def live_resampler(src: int, dst: int) -> Resampler | OddResampler:
    """Make what converts a live stream: without delay where the rates allow it."""
    try:
        return Resampler(src, dst)
    except LocalProtocolError:
        return OddResampler(src, dst)


def resample(samples: Samples, src: int, dst: int) -> Samples:
    """Convert a whole prompt or recording at once, at soxr's high quality. Rates in Hz."""
    if src == dst or not len(samples):
        return samples
    return cast(Samples, soxr.resample(samples, src, dst, quality="HQ"))


@lru_cache(maxsize=32)
def _phases(up: int, down: int) -> NDArray[np.float32]:
    """Design the low-pass and deal it out: row p makes the output p/up after an input.

    Each row is turned round, to be multiplied with samples in order of time, and its sum is 1.
    """
    span = TAPS * max(up, down) // up  # inputs that one output depends on
    length = span * up
    centre = (length - 1) / 2
    at = np.arange(length) - centre
    cutoff = CUTOFF / max(up, down)
    taps = np.sinc(cutoff * at) * np.kaiser(length, BETA)
    rows = taps.reshape(span, up).T[:, ::-1]
    return np.asarray(rows / rows.sum(axis=1, keepdims=True), np.float32)
