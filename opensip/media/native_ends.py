"""Both ends of a native stream, as its RTCP reports see them."""

from collections.abc import Callable, Mapping

from opensip.media import _engine
from opensip.media.engine import Address, StreamConfig
from opensip.media.native_srtcp import NativeSrtcp
from opensip.media.reports import context
from opensip.rtp.srtp import SEQUENCES
from opensip.rtp.statistics import SourceStatistics
from opensip.rtp.telephone_event import TelephoneEvent, TelephoneEventReceiver

RATE = 8000  # Hz, of both laws of G.711


class NativeSender:
    """What we send. RTCP is protected here; its index is not that of RTP, only the key is."""

    def __init__(self, core: _engine.Stream, random: Callable[[int], bytes]) -> None:
        self.srtp: NativeSrtcp | None = None
        self._core, self._random = core, random
        self._begin_source(int.from_bytes(random(4), "big"))

    def begin_anew(self) -> None:
        """Take another source where the sequence has wrapped: there will be a new key.

        Some peers go on with their rollover counter then, some begin it anew; of a new source all
        think the same (RFC 3711 section 3.3.1).
        """
        if self.packets >= self._wraps_at:
            self._begin_source(self.timestamp)

    def _begin_source(self, timestamp: int) -> None:
        self.ssrc = int.from_bytes(self._random(4), "big")
        sequence = int.from_bytes(self._random(2), "big") >> 1  # wraps late
        self._core.begin(self.ssrc, timestamp, sequence)
        self._wraps_at = self.packets + SEQUENCES - sequence

    def configure(self, config: StreamConfig) -> None:
        """Take what was negotiated; the SRTCP context lives on while its key is the same."""
        self.srtp = context(self.srtp, config.keys, "transmit", NativeSrtcp)

    @property
    def packets(self) -> int:
        """Packets sent so far."""
        return self._core.sent()[0]

    @property
    def octets(self) -> int:
        """Their payload."""
        return self._core.sent()[1]

    @property
    def timestamp(self) -> int:
        """The timestamp of the next packet."""
        return self._core.sent()[2]


class NativeReceiver:
    """What we receive. `dropped` counts by reason what Python had to drop; `events` reads keys."""

    def __init__(self, core: _engine.Stream) -> None:
        self.srtp: NativeSrtcp | None = None
        self.dropped: dict[str, int] = {}
        self.events = TelephoneEventReceiver()
        self._core = core
        self._open = False
        self._ssrc = -1
        self._source = SourceStatistics(RATE)

    def configure(self, config: StreamConfig) -> None:
        """Take what was negotiated; the SRTCP context lives on while its key is the same."""
        self.srtp = context(self.srtp, config.keys, "receive", NativeSrtcp)
        self._open = config.remote is not None

    @property
    def clock_rate(self) -> int:
        """Clock rate in Hz of its timestamps, which follows its codec."""
        return self._core.received()[5]

    @property
    def remote(self) -> Address | None:
        """Where the peer's packets come from; None while nobody is there."""
        return self._core.remote() if self._open else None

    @property
    def ssrc(self) -> int:
        """The peer's source."""
        return self._core.received()[0]

    @property
    def told(self) -> tuple[int, TelephoneEvent] | None:
        """The last telephone event that batches have told of, with its timestamp."""
        return self.events.last(self.ssrc)

    @property
    def source(self) -> SourceStatistics:
        """What was received of it, as of now."""
        ssrc, received, first, highest, jitter, rate = self._core.received()
        if ssrc != self._ssrc:
            self._ssrc, self._source = ssrc, SourceStatistics(rate)
        self._source.take_over(received=received, first=first, highest=highest, jitter=jitter)
        return self._source

    def drop(self, why: str) -> None:
        """Count a packet that is dropped."""
        self.dropped[why] = self.dropped.get(why, 0) + 1

    def statistics(self) -> Mapping[str, float]:
        """Counts and measures so far, by name."""
        *_, jitter, rate = self._core.received()
        dropped = {f"dropped_{why}": count for why, count in self.dropped.items()}
        return {"jitter_ms": round(1000 * jitter / rate, 2), **dropped}
