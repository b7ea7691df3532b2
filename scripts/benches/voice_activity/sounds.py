"""The sounds of the bench: flite voices with pauses between, noises, all through G.711 at 8 kHz."""

import io
import subprocess
import tempfile
import wave
from pathlib import Path
from typing import NamedTuple

import numpy as np

from opensip.audio.codecs import CODECS
from opensip.audio.resample import resample

RATE = 8000
VOICES = ("rms", "slt", "kal16")
SENTENCES = (
    "Where is my order?", "I would like to speak to a person.", "What are your opening hours?",
    "My number is four two one seven.", "Yes.", "No, that is wrong.", "Thank you, goodbye.",
    "Can you say that again, please?", "I ordered a lamp last week and it has not come.",
    "Four.", "Hello?", "Five past eight in the evening.", "How much does it cost?", "Stop.",
    "Please send me an invoice.", "I am calling about the other day.",
)  # fmt: skip
SPEECH_RMS = 2600.0  # of 32768: -22 dBFS while words are said
_LINE_RMS = 10.0  # a clean line is not digital silence
_EDGE_DB = 35.0  # below the loudest 10 ms: there a voice begins and ends


class Scene(NamedTuple):
    """What a call sounds like, and from when to when somebody speaks, in seconds."""

    samples: np.ndarray
    spans: list[tuple[float, float]]


def flite(voice: str, text: str) -> np.ndarray:
    """Speak, as floats at 8 kHz, at the level of all speech here."""
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "spoken.wav"
        subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(out)], check=True)
        with wave.open(io.BytesIO(out.read_bytes())) as file:
            rate, data = file.getframerate(), file.readframes(file.getnframes())
    spoken = resample(np.frombuffer(data, np.int16), rate, RATE).astype(float)
    frames = spoken[: len(spoken) // 80 * 80].reshape(-1, 80)
    power = (frames**2).mean(axis=1)
    active = power[power > power.max() * 10 ** (-_EDGE_DB / 10)]
    return spoken * SPEECH_RMS / np.sqrt(active.mean())


def speech(rng: np.random.Generator) -> Scene:
    """Let each voice say each sentence, with pauses of a second and more."""
    parts, spans, at = [np.zeros(RATE)], [], 1.0
    for voice in VOICES:
        for sentence in SENTENCES:
            spoken = flite(voice, sentence)
            frames = spoken[: len(spoken) // 80 * 80].reshape(-1, 80)
            power = (frames**2).mean(axis=1)
            loud = np.flatnonzero(power > power.max() * 10 ** (-_EDGE_DB / 10))
            spans.append((at + loud[0] * 0.01, at + (loud[-1] + 1) * 0.01))
            pause = np.zeros(int(rng.uniform(1.0, 1.8) * RATE))
            parts += [spoken, pause]
            at += (len(spoken) + len(pause)) / RATE
    return Scene(np.concatenate(parts), spans)


def pink(length: int, rng: np.random.Generator) -> np.ndarray:
    """Make noise whose power falls with frequency, of power 1."""
    spectrum = np.fft.rfft(rng.normal(size=length))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), length * 50 / RATE))
    noise = np.fft.irfft(spectrum, length)
    return noise / noise.std()


def babble(length: int, rng: np.random.Generator) -> np.ndarray:
    """Let eight voices speak at once, of power 1."""
    words = [flite(voice, " ".join(SENTENCES)) for voice in (*VOICES, "awb")]
    mixed = np.zeros(length)
    for number in range(8):
        one = np.tile(words[number % 4], length // len(words[number % 4]) + 2)
        mixed += one[(start := int(rng.integers(len(one) - length))) : start + length]
    return mixed / mixed.std()


def coughs(length: int, rng: np.random.Generator) -> np.ndarray:
    """Cough every two seconds: a burst of noise of a third of a second, as loud as speech."""
    heard = np.zeros(length)
    burst = int(0.35 * RATE)
    for start in range(RATE, length - burst, 2 * RATE):
        shape = np.exp(-np.arange(burst) / (0.1 * RATE)) * SPEECH_RMS * 2
        heard[start : start + burst] = pink(burst, rng) * shape
    return heard


def music(length: int, rng: np.random.Generator) -> np.ndarray:
    """Play chords, half a second each, as loud as speech."""
    heard, at = np.zeros(length), np.arange(RATE // 2) / RATE
    for start in range(0, length - len(at), len(at)):
        root = 220 * 2 ** (rng.integers(0, 12) / 12)
        chord = sum(
            np.sin(2 * np.pi * root * step * harmonic * at) / harmonic
            for step in (1, 1.26, 1.5)
            for harmonic in (1, 2, 3, 4)
        )
        heard[start : start + len(at)] = chord * np.exp(-at * 3)
    return heard / heard.std() * SPEECH_RMS


def scenes(seed: int) -> dict[str, Scene]:
    """Make every scene: one of speech, clean and in noise at 15 dB, and noises without speech."""
    rng = np.random.default_rng(seed)
    spoken, spans = speech(rng)
    level, minute = SPEECH_RMS / 10 ** (15 / 20), 60 * RATE
    talk = babble(len(spoken), rng)
    mixed = {
        "clean": spoken,
        "pink": spoken + level * pink(len(spoken), rng),
        "babble": spoken + level * talk,
    }
    alone = {
        "pink alone": level * pink(minute, rng),
        "babble alone": level * talk[:minute],
        "coughs": coughs(minute, rng),
        "music": music(minute, rng),
    }
    return {
        name: Scene(_phone(samples, rng), spans if name in mixed else [])
        for name, samples in {**mixed, **alone}.items()
    }


def _phone(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    line = samples + rng.normal(0, _LINE_RMS, len(samples))
    codec = CODECS["PCMU"]
    return codec.decode(codec.encode(np.clip(np.rint(line), -32768, 32767).astype(np.int16)))
