"""Voice by speech: streamed PCM, 16 bits, one channel (POST /audio/speech)."""

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import numpy as np
from openai import omit

from opensip.agent.providers import Brief
from opensip.agent.providers.openai.client import client_of, errors_of, health_of, in_time, prepare
from opensip.audio.frame import Samples
from opensip.errors import ProviderError

_PIECE = 4800  # octets: 100 ms at 24 kHz
_SILENT = 64  # of 32768: what is below is no voice, whatever the status says
_NO_PCM = re.compile(
    r"application/json|text/|audio/(x-|vnd\.)?(mpeg|mp3|mp4|wave?|ogg|opus|flac|aac|webm)\b", re.I
)
_FILES = {b"RIFF": "a WAV file", b"ID3": "an MP3 file", b"OggS": "an Ogg file",
          b"fLaC": "a FLAC file"}  # by their first octets  # fmt: skip
_LEAD = 0.01  # seconds of the silence before the first sound that are kept


class OpenAiSynthesizer:
    """Speaks clauses with one voice."""

    def __init__(self, brief: Brief) -> None:
        self.rate = brief.account.synthesizer_rate
        account = brief.account
        self.name = brief.name
        self.health = health_of("synthesizer", account)
        self.voice_key = (account.base_url, account.synthesizer_model, account.voice,
                          account.voice_instructions)  # fmt: skip
        self._account = brief.account

    async def prepare(self) -> None:
        """Open a connection: words that are kept from other calls open none."""
        await prepare("synthesizer", self._account)

    async def speak(self, text: str) -> AsyncIterator[Samples]:
        """Give the audio of a clause as it comes, from its first sound on. ProviderError."""
        sounding = False
        waiting = np.empty(0, np.int16)  # silence so far: a clause that is all silence has failed
        async with aclosing(self._pieces(text)) as pieces:
            async for piece in pieces:
                if sounding:
                    yield piece
                    continue
                waiting = np.concatenate([waiting, piece])
                loud = np.flatnonzero(np.abs(waiting.astype(np.int32)) > _SILENT)
                if len(loud):
                    sounding = True
                    yield waiting[max(0, loud[0] - int(_LEAD * self.rate)) :]
        if not sounding:
            raise ProviderError(f"{self.name}: gave silence for {len(waiting)} samples",
                                provider=self.name, retryable=True)  # fmt: skip

    async def _pieces(self, text: str) -> AsyncGenerator[Samples]:
        account, odd = self._account, b""
        request = client_of(account).audio.speech.with_streaming_response.create(
            input=text,
            model=account.synthesizer_model,
            voice=account.voice,
            instructions=account.voice_instructions or omit,
            response_format="pcm",
        )
        with errors_of(self.name):
            response = await self._in_time(request.__aenter__())
            try:
                self._check(response.headers.get("content-type", ""))
                octets = aiter(response.iter_bytes(_PIECE))
                begun = False
                while (piece := await self._in_time(anext(octets, None))) is not None:
                    if not begun:
                        self._check_begin(piece)
                        begun = True
                    data = odd + piece
                    whole = len(data) // 2 * 2
                    data, odd = data[:whole], data[whole:]
                    if data:
                        yield np.frombuffer(data, "<i2").astype(np.int16)
            finally:
                await request.__aexit__(None, None, None)

    def _check(self, content: str) -> None:
        """Refuse what is no PCM before a caller hears it as noise."""
        if _NO_PCM.match(content):
            raise self._no_pcm(content)

    def _check_begin(self, octets: bytes) -> None:
        """Refuse a file of sound that a server calls PCM."""
        for begin, what in _FILES.items():
            if octets.startswith(begin):
                raise self._no_pcm(what)

    def _no_pcm(self, what: str) -> ProviderError:
        return ProviderError(f"{self.name}: gave {what} where PCM was asked for",
                             provider=self.name)  # fmt: skip

    async def _in_time(self, work: Any) -> Any:
        return await in_time(
            work, self._account.synthesizer_seconds, name=self.name, what="further sound"
        )


def make(brief: Brief) -> OpenAiSynthesizer:
    """Make the voice of one call."""
    return OpenAiSynthesizer(brief)
