"""What is in a sound: loudness, gaps, tones. Imports nothing from opensip."""

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]  # full scale is 1

FRAME = 160  # samples: 20 ms at 8 kHz
QUIET = -50.0  # dBFS; below that there is neither voice nor tone
LOUD = -35.0  # dBFS
HOLD_NOTES = (440.0, 554.4)  # Hz: what a caller on hold hears


def _ulaw_table() -> Samples:
    """Expand all 256 octets (ITU-T G.711)."""
    octets = ~np.arange(256) & 0xFF
    magnitude = (((octets & 0x0F) << 3) + 0x84 << ((octets & 0x70) >> 4)) - 0x84
    return np.where(octets & 0x80, -magnitude, magnitude) / 32768


_TABLE = _ulaw_table()


def from_ulaw(data: bytes) -> Samples:
    """Decode PCMU."""
    return _TABLE[np.frombuffer(data, np.uint8)]


def to_ulaw(samples: Samples) -> bytes:
    """Encode PCMU: the octet whose value is nearest."""
    order = np.argsort(_TABLE)
    between = (_TABLE[order][1:] + _TABLE[order][:-1]) / 2
    return order[np.searchsorted(between, samples)].astype(np.uint8).tobytes()


def read_wav(path: Path) -> tuple[Samples, Samples]:
    """Read both channels of a 16-bit recording at 8 kHz: what was heard, what was said."""
    with wave.open(str(path)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (2, 2, 8000)
        data = np.frombuffer(sound.readframes(sound.getnframes()), "<i2") / 32768
    return data[0::2], data[1::2]


def read_channels(path: Path) -> list[Samples]:
    """Read a 16-bit recording of any rate and number of channels, at 8 kHz: for tones below 4."""
    with wave.open(str(path)) as sound:
        count, step = sound.getnchannels(), sound.getframerate() // 8000
        assert (sound.getsampwidth(), sound.getframerate() % 8000) == (2, 0)
        data = np.frombuffer(sound.readframes(sound.getnframes()), "<i2") / 32768
    return [data[channel::count][::step] for channel in range(count)]


def read_mono(path: Path, rate: int = 8000) -> Samples:
    """Read a 16-bit recording of one channel."""
    with wave.open(str(path)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, rate)
        return np.frombuffer(sound.readframes(sound.getnframes()), "<i2") / 32768


def loudness(samples: Samples) -> Samples:
    """Tell the mean power of each 20 ms in dBFS."""
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    return 10 * np.log10(np.mean(frames**2, axis=1) + 1e-12)


def longest_gap(samples: Samples) -> float:
    """Tell the most seconds on end, edges included, without voice or tone."""
    heard = np.flatnonzero(loudness(samples) > QUIET)
    edges = np.concatenate(([-1], heard, [len(samples) // FRAME]))
    return float(np.max(np.diff(edges) - 1)) * FRAME / 8000


def share_of(samples: Samples, *frequencies: float) -> float:
    """Tell which part of the power lies within 60 Hz of one of the frequencies, 0 to 1."""
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    at = np.fft.rfftfreq(len(samples), 1 / 8000)
    near = np.any([np.abs(at - frequency) <= 60 for frequency in frequencies], axis=0)
    return float(power[near].sum() / (power.sum() + 1e-12))


def is_voice(ulaw: bytes) -> bool:
    """Tell whether some PCMU is loud, and not the tone of holding."""
    samples = from_ulaw(ulaw)
    return _is_loud(samples) and share_of(samples, *HOLD_NOTES) < 0.5


def is_hold_tone(ulaw: bytes) -> bool:
    """Tell whether some PCMU is the tone of holding."""
    samples = from_ulaw(ulaw)
    return _is_loud(samples) and share_of(samples, *HOLD_NOTES) > 0.9


def _is_loud(samples: Samples) -> bool:
    return 10 * np.log10(np.mean(samples**2) + 1e-12) > LOUD
