"""What a session makes of its stream's batches: sound at one rate, digits, the recording."""

from collections.abc import Callable

import structlog

from opensip.audio.comfort_noise import ComfortNoise
from opensip.audio.dtmf_detector import DtmfDetector
from opensip.audio.frame import AudioFrame, AudioSink
from opensip.audio.resample import resample
from opensip.events import Dtmf
from opensip.media.digit_inbox import EVENT, DigitInbox
from opensip.media.engine import Batch, Stream
from opensip.media.rates import ToRate
from opensip.media.recorder import Recorder
from opensip.media.relay import Relay
from opensip.media.silence import silenced
from opensip.media.source import StreamSource

LATE_RATE = 8000  # Hz, of sound that came late: it is G.711
JITTER = 0.07  # seconds by which packets of a usable line may be late: three ticks and a little

# Seconds by which sound may come sooner than it was said: what a network held back for a while.
# Who sends faster than anybody speaks is heard no faster: recognisers are paid by the second.
MOST_AHEAD = 5.0
DRIFT = 1.01  # by which a peer's clock may run fast for ever

log = structlog.get_logger(__name__)


class Hearing:
    """Feeds `source` at `rate` Hz, and `digits`, and the recording where there is one.

    Who reads `source` may have its wishes of the `stream` that all this comes from.
    `keyed` takes each digit once; with `tones` they are looked for in the sound too.
    """

    def __init__(
        self,
        rate: int,
        keyed: Callable[[Dtmf], None],
        stream: Stream | None = None,
        *,
        tones: bool = False,
    ) -> None:
        self.rate = rate
        self.source = StreamSource(rate, stream)
        self.digits = DigitInbox(keyed, DtmfDetector(rate) if tones else None)
        self.recorder: Recorder | None = None
        self.relay: Relay | None = None  # who listens in place of `source`
        self.aside = False  # nobody listens at `source`
        self._to_rate = ToRate(rate)
        self._recorded = ToRate(rate), ToRate(rate)
        self._noise = ComfortNoise()
        self._at = 0.0  # of the last batch
        self._ahead = 0.0  # seconds of sound beyond the time that has passed
        self._is_hasty = False
        self._missing = 0.0  # seconds for which nothing has been heard or handed on

    def record_to(self, recorder: Recorder) -> None:
        """Record from now on, at the recorder's rate."""
        self.recorder = recorder
        self._recorded = ToRate(recorder.rate), ToRate(recorder.rate)

    async def end_recording(self, *, now: float) -> None:
        """Close the recording, if there is one, and wait until it is on disk."""
        if self.recorder is not None:
            self.recorder.close(now=now)
            await self.recorder.closed()

    def relay_to(self, sink: AudioSink | None) -> None:
        """Let `sink` play what is heard; None ends that."""
        if self.relay is not None:
            self.relay.close()
        self.relay = Relay(sink) if sink is not None else None

    def take(self, batch: Batch, *, said_rate: int, held: bool) -> None:
        """Take what happened since the last batch.

        What was said in it has `said_rate` Hz; `held` tells that the peer holds us now.
        """
        if batch.noise is not None or batch.heard is not None:
            self._noise.level_dbfs = batch.noise
        for digit in batch.digits:  # first: a tone in the same batch is a part of them
            self.digits.receive(digit.digit, digit.duration_ms, EVENT, at=batch.at)
        if self.relay is not None and batch.heard is not None:
            self.relay.hear(batch.heard)  # music on hold too
        frame = self._listen(batch, held)
        if frame is not None and self._has_time(frame, batch.at):
            self.digits.listen(frame)
            if not self.aside:
                self.source.put(frame)
        if self.recorder is not None:
            self._record(self.recorder, batch, said_rate)

    def _has_time(self, frame: AudioFrame, at: float) -> bool:
        """Tell whether a frame of a batch that ends `at` is no more than can have been said."""
        passed, self._at = max(0.0, at - self._at), at
        self._ahead = max(0.0, self._ahead - DRIFT * passed)
        if self._ahead > MOST_AHEAD:
            if not self._is_hasty:
                log.warning("sound_too_fast", ahead=round(self._ahead, 1))
            self._is_hasty = True
            return False
        self._ahead += frame.seconds
        return True

    def is_quiet(self) -> bool:
        """Tell whether the peer said that it sends nothing while it is silent (RFC 3389)."""
        return self._noise.level_dbfs is not None

    def _listen(self, batch: Batch, held: bool) -> AudioFrame | None:
        """Give what was heard, or silence where nothing came: a listener's time goes on.

        Where the peer suppresses silence, its noise stands for it, for those who hear it by us.
        A packet that is merely late must not make time longer: silence is believed after JITTER.
        Music on hold is nothing that a caller says: silence stands for it.
        """
        if batch.heard is not None:
            self._missing = 0.0
            heard = self._at_rate(batch.heard)
            return silenced(heard) if held else heard
        self._missing += batch.seconds
        if self._missing <= JITTER:
            return None
        missing, self._missing = self._missing, 0.0
        samples = self._noise.make(round(missing * self.rate))
        frame = AudioFrame(batch.at - missing, samples, self.rate, self._noise.heard_dbfs)
        if self.relay is not None and self._noise.level_dbfs is not None:
            self.relay.hear(frame)
        return silenced(frame) if held else frame

    def _at_rate(self, frame: AudioFrame) -> AudioFrame:
        if frame.rate == self.rate:
            return frame
        samples = self._to_rate.push(frame.samples, frame.rate)
        return frame._replace(samples=samples, rate=self.rate, levels=())  # of other samples

    def _record(self, recorder: Recorder, batch: Batch, said_rate: int) -> None:
        theirs, ours = self._recorded
        heard = batch.heard
        if heard is not None:
            recorder.heard(theirs.push(heard.samples, heard.rate), at=heard.at)
        for at, samples in batch.late:
            recorder.heard_late(resample(samples, LATE_RATE, recorder.rate), at=at)
        if batch.said is not None:
            recorder.said(ours.push(batch.said, said_rate), at=batch.said_at)
        recorder.flush(now=batch.at)
