"""The tone agent: plays one steady tone. For line tests."""

from opensip.agent.line_test import LineTest
from opensip.agent.outcome import CallerLeft, Outcome
from opensip.audio.tones import tone

FREQUENCY = 1004.0  # Hz: the test tone of North American lines, off the codec's own multiples
_SECONDS = 0.5  # whole periods, so that pieces join without a click: 502 of them


class ToneAgent(LineTest):
    """Keeps a second of tone queued until the source ends."""

    async def run(self) -> Outcome:
        """Play until the caller leaves."""
        piece = tone(FREQUENCY, _SECONDS, self._sink.rate)
        self._sink.write(piece)
        while await self._source.read():
            if self._sink.queued() < len(piece):
                self._sink.write(piece)
        return CallerLeft()
