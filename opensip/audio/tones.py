"""Tones to play, and to find again."""

import math

import numpy as np
from numpy.typing import NDArray

from opensip.audio.frame import Samples
from opensip.errors import LocalProtocolError

RAMP = 0.005  # seconds; a tone that begins or ends at once clicks
DTMF_ROWS, DTMF_COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)  # Hz, ITU-T Q.23
DTMF_KEYS = ("123A", "456B", "789C", "*0#D")


def tone(frequency: float, seconds: float, rate: int = 8000, *, level_dbfs: float = -16) -> Samples:
    """Make a sine of a frequency in Hz, with soft ends. `level_dbfs` is its mean power."""
    return _shaped(_sine(frequency, seconds, rate, level_dbfs), rate)


def dtmf_tone(
    digit: str, seconds: float = 0.1, rate: int = 8000, *, level_dbfs: float = -10
) -> Samples:
    """Make the two tones of a digit, of -10 dBFS together. Raises LocalProtocolError."""
    for row, keys in zip(DTMF_ROWS, DTMF_KEYS, strict=True):
        if len(digit) == 1 and digit.upper() in keys:
            column = DTMF_COLUMNS[keys.index(digit.upper())]
            each = level_dbfs - 10 * math.log10(2)
            low, high = (_sine(f, seconds, rate, each) for f in (row, column))
            return _shaped(low + high, rate)
    raise LocalProtocolError(f"{digit!r} is not a DTMF digit")


def dtmf_pulses(digits: str, rate: int = 8000) -> Samples:
    """Make the tones of several digits, 100 ms each with as much silence after it."""
    pause = np.zeros(round(0.1 * rate), np.int16)
    pieces = [piece for digit in digits for piece in (dtmf_tone(digit, 0.1, rate), pause)]
    return np.concatenate([np.zeros(0, np.int16), *pieces])


def hold_tone(rate: int = 8000) -> Samples:
    """Make three seconds to be played over and over while a caller waits: two soft notes."""
    notes = np.concatenate([tone(f, 0.25, rate, level_dbfs=-26) for f in (440, 554.4)])
    return np.concatenate([notes, np.zeros(3 * rate - len(notes), np.int16)])


def goertzel(samples: Samples, frequency: float, rate: int) -> float:
    """Tell the power of one frequency in Hz, in dBFS: a lone sine has its `dbfs`.

    Other frequencies leak in by less than -20 dB when a few hundred samples are given.
    """
    if not len(samples):
        return -100.0
    window = np.hanning(len(samples) + 2)[1:-1]
    turns = np.exp(-2j * np.pi * frequency / rate * np.arange(len(samples)))
    amplitude = 2 * abs(np.dot(samples * window, turns)) / window.sum() / 32768
    return max(10 * math.log10(amplitude**2 / 2), -100.0) if amplitude else -100.0


def _sine(frequency: float, seconds: float, rate: int, level_dbfs: float) -> NDArray[np.float64]:
    amplitude = 32768 * math.sqrt(2) * 10 ** (level_dbfs / 20)
    at = np.arange(round(seconds * rate)) / rate
    return np.asarray(amplitude * np.sin(2 * np.pi * frequency * at))


def _shaped(wave: NDArray[np.float64], rate: int) -> Samples:
    length = min(round(RAMP * rate), len(wave) // 2)
    ramp = np.sin(np.linspace(0, np.pi / 2, length, endpoint=False)) ** 2
    wave[:length] *= ramp
    wave[len(wave) - length :] *= ramp[::-1]
    return np.clip(np.round(wave), -32768, 32767).astype(np.int16)
