"""Digits found in sound: the two tones of ITU-T Q.23, received as Q.24 asks.

Goertzel's sums for each tone are one product of matrices: a stretch of sound in overlapping
windows by the waves that are looked for.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from opensip.audio.frame import Samples
from opensip.audio.tones import DTMF_COLUMNS, DTMF_KEYS, DTMF_ROWS

WINDOW = 0.0256  # seconds: 39 Hz tell 697 from 770, and 40 ms of tone fill it at some time
HOP = 0.005  # seconds from one window to the next
LEAST_HITS = 3  # windows in a row that make a digit: some 33 ms of tone, Q.24 wants 40 taken
LEAST_MISSES = 9  # windows without it that end it: some 30 ms of pause; a lost packet is no pause
PURITY = 0.75  # of the power, in the two tones: 15 dB of noise leave 0.97, a voice far less
LEAST_DBFS = -42.0  # of a window: 0 to -25 dBm0 are taken by Q.24, and the line may eat 10 dB
LOUDER_ROW_DB, LOUDER_COLUMN_DB = 6.0, 9.0  # how far apart the tones may be (twist)
_DETUNED = (-0.016, -0.008, 0.0, 0.008, 0.016)  # Q.24: off by 1.5 % is taken
_LEAST_POWER = 32768.0**2 * 10 ** (LEAST_DBFS / 10)
_LEAST_PEAK = _LEAST_POWER**0.5  # what stays below it has less power


@dataclass(frozen=True, slots=True)
class Tone:
    """A digit that sounded. `began` is a sample, counted from the first that was pushed."""

    digit: str
    began: int


class DtmfDetector:
    """Finds digits in one stream of sound, each once, when it has sounded for some 40 ms."""

    def __init__(self, rate: int = 8000) -> None:
        self._window, self._hop = round(WINDOW * rate), round(HOP * rate)
        self._waves = _waves(rate, self._window)
        self._rest: Samples = np.zeros(0, np.int16)  # what the next window begins with
        self._at = 0  # the sample at which `_rest` begins
        self._candidate, self._hits = "", 0
        self._sounding, self._misses = "", 0

    def push(self, samples: Samples) -> list[Tone]:
        """Take the next sound, of any length; returns the digits that were recognised in it."""
        heard = np.concatenate((self._rest, samples))
        count = max(0, (len(heard) - self._window) // self._hop + 1)
        self._rest = heard[count * self._hop :].copy()
        began, self._at = self._at, self._at + count * self._hop
        found = []
        for number, digit in enumerate(self._digits(heard, count)):
            if self._follow(digit):
                first = number - LEAST_HITS + 1
                found.append(Tone(digit, max(0, began + first * self._hop)))
        return found

    def _digits(self, heard: Samples, count: int) -> Iterator[str]:
        """Tell the digit in each window, "" for none."""
        if not count:
            return
        if max(int(heard.max()), -int(heard.min())) < _LEAST_PEAK:  # nearly always: nobody speaks
            yield from [""] * count
            return
        windows = np.lib.stride_tricks.sliding_window_view(heard, self._window)[:: self._hop]
        wide = windows[:count].astype(np.float32)
        powers = np.einsum("ij,ij->i", wide, wide) / self._window
        loud = powers > _LEAST_POWER
        tones = _strongest(wide @ self._waves, self._window)
        for is_loud, power, each in zip(loud, powers, tones, strict=True):
            yield _digit(each, power) if is_loud else ""

    def _follow(self, digit: str) -> bool:
        """Take the digit of the next window; tells whether a new one was recognised."""
        if self._sounding:
            self._misses = 0 if digit == self._sounding else self._misses + 1
            if self._misses >= LEAST_MISSES:
                self._sounding = ""
        self._hits = self._hits + 1 if digit and digit == self._candidate else bool(digit)
        self._candidate = digit
        if self._hits < LEAST_HITS or digit == self._sounding:
            return False
        self._sounding, self._misses = digit, 0
        return True


def _strongest(sums: NDArray[np.float32], window: int) -> NDArray[np.float32]:
    """Tell the power of each of the eight tones in each window, at its best tuning."""
    cosines, sines = np.split(sums, 2, axis=1)
    powers = 2 * (cosines**2 + sines**2) / window**2
    return np.asarray(powers.reshape(len(sums), 8, len(_DETUNED)).max(axis=2))


def _digit(tones: NDArray[np.float32], power: float) -> str:
    rows, columns = tones[:4], tones[4:]
    row, column = int(rows.argmax()), int(columns.argmax())
    low, high = float(rows[row]), float(columns[column])
    if low + high < PURITY * power:
        return ""
    if low > high * 10 ** (LOUDER_ROW_DB / 10) or high > low * 10 ** (LOUDER_COLUMN_DB / 10):
        return ""
    return DTMF_KEYS[row][column]


@lru_cache(maxsize=4)
def _waves(rate: int, window: int) -> NDArray[np.float32]:
    """Tabulate cosine and sine of each tone in each tuning: a column each."""
    tones = [f * (1 + off) for f in (*DTMF_ROWS, *DTMF_COLUMNS) for off in _DETUNED]
    turns = 2 * np.pi / rate * np.outer(np.arange(window), tones)
    return np.concatenate((np.cos(turns), np.sin(turns)), axis=1).astype(np.float32)
