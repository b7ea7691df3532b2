"""The embedded voice: flite, run for each clause, what was spoken once kept in memory."""

import asyncio
import io
import shutil
import tempfile
import wave
from collections.abc import AsyncIterator

import numpy as np

from opensip.agent.providers import Brief
from opensip.agent.voice_cache import VoiceCache
from opensip.audio.frame import Samples
from opensip.audio.resample import resample
from opensip.errors import ConfigError, MissingProgram, ProviderError

VOICES = ("rms", "slt", "awb", "kal", "kal16")
RATE = 8000
_SECONDS = 10.0  # flite needs a hundredth of the time it speaks
_SILENT = 200  # of 32768: below this is the silence that flite puts around words
_LEAD, _TAIL = int(0.01 * RATE), int(0.12 * RATE)  # what of that silence is kept, in samples


_cache = VoiceCache()


class EmbeddedSynthesizer:
    """Speaks with one of flite's voices. Raises ConfigError, MissingProgram."""

    rate = RATE

    def __init__(self, voice: str = "rms") -> None:
        if voice not in VOICES:
            raise ConfigError(f"voice: flite has no {voice!r}; its voices are {', '.join(VOICES)}")
        self._voice = voice
        self.voice_key = ("flite", voice)
        self._flite = shutil.which("flite") or ""
        if not self._flite:
            raise MissingProgram("the embedded voice needs flite: install the system package flite")

    async def speak(self, text: str) -> AsyncIterator[Samples]:
        """Give the audio of `text` in one piece: flite needs a few ms for each second of it."""
        key = (self._voice, text)
        samples = _cache.get(key)
        if samples is None:
            samples = await self._speak(text)
            _cache.put(key, samples)
        yield samples

    async def _speak(self, clause: str) -> Samples:
        try:
            async with asyncio.timeout(_SECONDS):
                return _decode(await self._run(clause))
        except (OSError, TimeoutError, EOFError, wave.Error) as error:
            raise ProviderError(
                f"flite failed: {error or type(error).__name__}", provider="embedded"
            ) from error

    async def _run(self, clause: str) -> bytes:
        # Into a file: flite opens /dev/stdout anew, which fails on the socket that uvloop gives.
        with tempfile.NamedTemporaryFile(suffix=".wav") as file:
            process = await asyncio.create_subprocess_exec(
                self._flite, "-voice", self._voice, "-t", clause, "-o", file.name,
                stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
            try:
                await process.wait()
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
            return file.read()


def _decode(data: bytes) -> Samples:
    with wave.open(io.BytesIO(data)) as file:
        rate, frames = file.getframerate(), file.readframes(file.getnframes())
    samples = np.frombuffer(frames[: len(frames) // 2 * 2], np.int16)
    return _trimmed(samples if rate == RATE else resample(samples, rate, RATE))


def _trimmed(samples: Samples) -> Samples:
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > _SILENT)
    if not len(loud):
        return samples
    return samples[max(0, loud[0] - _LEAD) : loud[-1] + _TAIL]


def make(brief: Brief) -> EmbeddedSynthesizer:
    """Make the voice of one call. Raises ConfigError."""
    return EmbeddedSynthesizer(brief.agent.voice)
