"""Sounds for the detectors of voice, and what brings them."""

import numpy as np

from opensip.audio.frame import AudioFrame
from opensip.audio.level import dbfs


def frames(samples, rate=8000, size=160):
    """Cut samples as a call brings them."""
    parts = [samples[at : at + size] for at in range(0, len(samples), size)]
    return [AudioFrame(n * size / rate, part, rate, dbfs(part)) for n, part in enumerate(parts)]


def vowel(seconds, rate=8000):
    """Sing an "ah": pulses of 120 Hz, shaped by three formants."""
    at = np.arange(int(seconds * rate)) / rate
    heard = np.zeros(len(at))
    for harmonic in range(1, 28):
        frequency = 120 * (1 + 0.02 * np.sin(2 * np.pi * 5 * at)) * harmonic
        strength = sum(np.exp(-(((120 * harmonic - f) / 120) ** 2)) for f in (700, 1200, 2500))
        heard += (strength + 0.02) * np.sin(2 * np.pi * np.cumsum(frequency) / rate)
    return (heard / np.abs(heard).max() * 8000).astype(np.int16)
