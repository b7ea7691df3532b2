"""The echo agent: says back what it hears. For line tests."""

import asyncio
from collections.abc import Callable, Mapping

import numpy as np

from opensip.agent.conversation import Conversation
from opensip.agent.definition import Agent
from opensip.agent.outcome import CallerLeft, Outcome
from opensip.audio.frame import AudioSink, AudioSource
from opensip.audio.resample import Resampler
from opensip.events import Observer

# Seconds of silence ahead of the echo. Without them each packet that comes a tick late would
# leave a hole, and put off all that follows by another 20 ms.
CUSHION = 0.06


class EchoAgent:
    """Writes each frame of the source to the sink, until the source ends."""

    def __init__(
        self,
        agent: Agent,
        *,
        source: AudioSource,
        sink: AudioSink,
        observer: Observer,
        now: Callable[[], float],
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.agent = agent
        self.conversation = Conversation()
        self._source, self._sink = source, sink

    async def run(self) -> Outcome:
        """Echo until the caller leaves."""
        source, sink = self._source, self._sink
        resampler = Resampler(source.rate, sink.rate)
        sink.write(np.zeros(round(CUSHION * sink.rate), np.int16))
        while frame := await source.read():
            sink.write(resampler.push(frame.samples))
        return CallerLeft()

    def digit(self, digit: str) -> None:
        """Keys mean nothing here."""

    async def say(self, text: str) -> str:
        """Say nothing: an echo has no voice of its own."""
        await asyncio.sleep(0)
        return ""

    def transfer_failed(self, words: str = "") -> None:
        """Nothing is ever transferred from here."""

    async def close(self) -> None:
        """There is nothing to let go."""
