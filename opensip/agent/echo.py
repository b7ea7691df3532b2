"""The echo agent: says back what it hears. For line tests."""

import numpy as np

from opensip.agent.line_test import LineTest
from opensip.agent.outcome import CallerLeft, Outcome
from opensip.audio.resample import Resampler

# Seconds of silence ahead of the echo. Without them each packet that comes a tick late would
# leave a hole, and put off all that follows by another 20 ms.
CUSHION = 0.06


class EchoAgent(LineTest):
    """Writes each frame of the source to the sink, until the source ends."""

    async def run(self) -> Outcome:
        """Echo until the caller leaves."""
        source, sink = self._source, self._sink
        resampler = Resampler(source.rate, sink.rate)
        sink.write(np.zeros(round(CUSHION * sink.rate), np.int16))
        while frame := await source.read():
            if not self._held:  # what is written then would be played late, after the hold
                sink.write(resampler.push(frame.samples))
        return CallerLeft()
