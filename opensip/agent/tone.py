"""The tone agent: plays one steady tone. For line tests."""

import asyncio
from collections.abc import Callable, Mapping

from opensip.agent.conversation import Conversation
from opensip.agent.definition import Agent
from opensip.agent.outcome import CallerLeft, Outcome
from opensip.audio.frame import AudioSink, AudioSource
from opensip.audio.tones import tone
from opensip.events import Observer

FREQUENCY = 1004.0  # Hz: the test tone of North American lines, off the codec's own multiples
_SECONDS = 0.5  # whole periods, so that pieces join without a click: 502 of them


class ToneAgent:
    """Keeps a second of tone queued until the source ends."""

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
        """Play until the caller leaves."""
        piece = tone(FREQUENCY, _SECONDS, self._sink.rate)
        self._sink.write(piece)
        while await self._source.read():
            if self._sink.queued() < len(piece):
                self._sink.write(piece)
        return CallerLeft()

    def digit(self, digit: str) -> None:
        """Keys mean nothing here."""

    async def say(self, text: str) -> str:
        """Say nothing: a tone has no words."""
        await asyncio.sleep(0)
        return ""

    def transfer_failed(self, words: str = "") -> None:
        """Nothing is ever transferred from here."""

    async def close(self) -> None:
        """There is nothing to let go."""
