"""Recogniser by transcription: each turn as one WAV file (POST /audio/transcriptions)."""

import io
import wave
from typing import Any

import numpy as np
from openai import omit

from opensip.agent.providers import Brief, Expectation, Understood
from opensip.agent.providers.openai.client import client_of, errors_of, health_of, in_time, prepare
from opensip.agent.providers.openai.live_recognizer import OpenAiLiveRecognizer
from opensip.audio.frame import Samples
from opensip.errors import ProviderError

_SHORTEST = 0.1  # seconds; servers refuse less, and no word is shorter


class OpenAiRecognizer:
    """Transcribes one caller's turns."""

    def __init__(self, brief: Brief) -> None:
        self.rate = brief.account.recognizer_rate
        self.name = brief.name
        self.health = health_of("recognizer", brief.account)
        self._account = brief.account
        self._language = brief.agent.language.partition("-")[0]
        self._vocabulary = ", ".join(brief.agent.vocabulary)
        self._pieces: list[Samples] = []

    async def prepare(self) -> None:
        """Open a connection."""
        await prepare("recognizer", self._account)

    def begin(self, expectation: Expectation) -> None:
        """Begin a new turn; anything may be said, whatever is expected."""
        self._pieces = []

    def feed(self, samples: Samples) -> None:
        """Keep audio of the turn."""
        self._pieces.append(samples)

    async def finish(self) -> Understood:
        """Send the turn so far and wait for its words."""
        samples = np.concatenate(self._pieces) if self._pieces else np.empty(0, np.int16)
        if len(samples) < _SHORTEST * self.rate:
            return Understood("", 0.0)
        with errors_of(self.name):
            text = await in_time(
                self._ask(wav(samples, self.rate)),
                self._account.recognizer_seconds,
                name=self.name,
                what="transcript",
            )
        return Understood(" ".join(text.split()), 1.0 if text.strip() else 0.0)

    async def close(self) -> None:
        """The connection is shared: there is nothing to let go."""
        self._pieces = []

    async def _ask(self, data: bytes) -> str:
        account = self._account
        request: dict[str, Any] = {
            "file": ("turn.wav", data, "audio/wav"),
            "model": account.recognizer_model,
            "language": self._language or omit,
            "prompt": self._vocabulary or omit,
        }
        transcriptions = client_of(account).audio.transcriptions
        if account.recognizer_stream:
            return await self._streamed(await transcriptions.create(**request, stream=True))
        given = await transcriptions.create(**request)
        text = getattr(given, "text", None)
        if not isinstance(text, str):
            raise ProviderError(f"{self.name}: gave no transcript", provider=self.name)
        return text

    async def _streamed(self, stream: Any) -> str:
        text = ""
        async with stream:
            async for event in stream:
                if event.type == "transcript.text.done":
                    return str(event.text)
                if event.type == "transcript.text.delta":
                    text += event.delta
        raise ProviderError(f"{self.name}: the transcript broke off after {len(text)} characters",
                            provider=self.name, retryable=True)  # fmt: skip


def wav(samples: Samples, rate: int) -> bytes:
    """Write samples as a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, rate, 0, "NONE", ""))
        writer.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()


def make(brief: Brief) -> OpenAiRecognizer | OpenAiLiveRecognizer:
    """Make the recognizer of one call: by files, or by a session of transcription."""
    by_session = brief.account.recognizer_api == "realtime"
    return OpenAiLiveRecognizer(brief) if by_session else OpenAiRecognizer(brief)
