"""From one peer's mouth to another's ear, with as little in between as the line allows."""

from opensip.audio.frame import AudioFrame, AudioSink
from opensip.media.over import Over
from opensip.media.rates import ToRate

# Seconds that may wait in the sink. Late packets leave some there, and clocks that run apart: in
# silence what is above USUAL is left out, unheard; above MOST it goes whatever is said.
USUAL, MOST = 0.06, 0.2
SILENT = -50.0  # dBFS below which nothing is said


class Relay:
    """Writes what it hears to a sink at once, in the rate of that sink."""

    def __init__(self, sink: AudioSink) -> None:
        self.left_out = 0.0  # seconds
        self._sink = sink
        self._over = sink if isinstance(sink, Over) else None
        self._to_rate = ToRate(sink.rate)
        if self._over is not None:
            self._over.begin()

    def close(self) -> None:
        """Bring no more."""
        if self._over is not None:
            self._over.end()

    def hear(self, frame: AudioFrame) -> None:
        """Hand on one frame, or leave it out where too much is waiting already."""
        over = self._over
        waiting = (self._sink if over is None else over.relayed).queued() / self._sink.rate
        if waiting > MOST or (waiting > USUAL and frame.level_dbfs < SILENT):
            self.left_out += frame.seconds
            return
        samples = self._to_rate.push(frame.samples, frame.rate)
        if over is None:
            self._sink.write(samples)
        else:
            over.relay(samples)
