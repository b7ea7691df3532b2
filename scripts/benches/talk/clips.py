"""Speech of the conversation benches: flite's words one after the other, so that each word's end
is known to the sample; pauses, pink noise and babble. 8 kHz, linear 16 bit.
"""

import functools
import io
import subprocess
import tempfile
import wave
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from opensip.audio.frame import Samples
from opensip.audio.resample import resample

RATE = 8000
VOICES = ("slt", "rms", "awb", "kal16")
OPENINGS = ("please tell me", "i want to know", "can you say", "i have to ask", "do you know")
MIDDLES = ("when the lamp", "why the parcel", "how the order", "where the letter", "if my box")
ENDS = ("will be there", "came back today", "went to london", "is so late now", "was sent home")
BACKGROUND = "the people at the other table talk about the weather and their summer garden"
_LEVEL = 2500.0  # root mean square of speech: about -22 dB
_SILENT = 200  # of 32768: below this is the silence that flite puts around words
_GAP = int(0.02 * RATE)  # between two words


@dataclass(frozen=True)
class Clip:
    """Speech, and its words with the samples at which each begins and ends.

    `true` holds the index of words after which a sentence ends, of which the last is one.
    """

    samples: Samples
    words: tuple[tuple[str, int, int], ...]
    pauses: tuple[int, ...] = field(default=())  # words after which there is a pause


@functools.cache
def word(voice: str, text: str) -> Samples:
    """Speak a word, without the silence around it."""
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        command = ["flite", "-voice", voice, "-t", text, "-o", file.name]
        subprocess.run(command, check=True, capture_output=True)
        with wave.open(io.BytesIO(file.read())) as reader:
            rate, frames = reader.getframerate(), reader.readframes(reader.getnframes())
    samples = resample(np.frombuffer(frames, np.int16), rate, RATE)
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > _SILENT)
    samples = samples[loud[0] : loud[-1] + 1].astype(np.float64)
    return (samples * _LEVEL / np.sqrt((samples**2).mean())).clip(-30000, 30000).astype(np.int16)


def clip(voice: str, text: str, pauses: dict[int, float] | None = None) -> Clip:
    """Speak words; after the word of each index in `pauses` there are so many seconds."""
    parts: list[Samples] = []
    words, at = [], 0
    for number, each in enumerate(text.split()):
        sound = word(voice, each)
        words.append((each, at, at + len(sound)))
        silence = round((pauses or {}).get(number, 0.0) * RATE) or _GAP
        parts += [sound, np.zeros(silence, np.int16)]
        at += len(sound) + silence
    return Clip(np.concatenate(parts[:-1]), tuple(words), tuple(pauses or ()))


def pink(samples: int, seed: int) -> NDArray[np.float64]:
    """Make pink noise between 100 and 3400 Hz, of root mean square 1."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(samples))
    pitch = np.fft.rfftfreq(samples, 1 / RATE)
    shape = np.where((pitch > 100) & (pitch < 3400), 1 / np.sqrt(np.maximum(pitch, 1)), 0)
    noise = np.fft.irfft(spectrum * shape, samples)
    return noise / np.sqrt((noise**2).mean())


def babble(samples: int, seed: int) -> NDArray[np.float64]:
    """Make five people who talk at once, of root mean square 1."""
    random = np.random.default_rng(seed)
    total = np.zeros(samples)
    for number in range(5):
        said = clip(VOICES[number % len(VOICES)], BACKGROUND).samples.astype(np.float64)
        total += np.roll(np.resize(said, samples), random.integers(len(said)))
    return total / np.sqrt((total**2).mean())


def at_15_db(noise: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale noise to 15 dB below speech."""
    return noise * _LEVEL * 10 ** (-15 / 20)


def cough(seed: int, seconds: float) -> Samples:
    """Make a burst of noise that dies away."""
    count = round(seconds * RATE)
    burst = pink(count, seed) * np.linspace(1.4, 0.6, count) * _LEVEL
    return burst.clip(-30000, 30000).astype(np.int16)
