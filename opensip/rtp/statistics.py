"""What was received of one source: RFC 3550 appendix A."""

from opensip.rtp.rtcp import ReportBlock

MAX_DROPOUT = 3000  # packets, appendix A.1
MAX_MISORDER = 100


class SourceStatistics:
    """Counts the packets of one SSRC. `clock_rate` is in Hz.

    `jitter` is in timestamp units; `received` counts duplicates too, as the RFC wants.
    """

    def __init__(self, clock_rate: int) -> None:
        self.received = 0
        self.jitter = 0.0
        self._clock_rate = clock_rate
        self._first = 0
        self._highest = 0  # extended by the number of wraps
        self._after_jump: int | None = None
        self._transit: float | None = None
        self._expected_before = self._received_before = 0
        self._last_sr = 0
        self._last_sr_at = 0.0

    def receive(self, sequence: int, timestamp: int, *, arrival: float, timed: bool = True) -> None:
        """Count a packet that came at `arrival`, in seconds.

        `timed` is False for packets that repeat a timestamp (telephone events): they say
        nothing about jitter.
        """
        if not self.received:
            self._begin(sequence)
        else:
            step = (sequence - self._highest) & 0xFFFF
            if step < MAX_DROPOUT:
                self._highest += step
            elif step <= 0x10000 - MAX_MISORDER:
                if sequence != self._after_jump:  # one stray packet is not a new beginning
                    self._after_jump = (sequence + 1) & 0xFFFF
                    return
                self._begin(sequence)
        self.received += 1
        if timed:
            self._measure_jitter(timestamp, arrival)

    def take_over(self, *, received: int, first: int, highest: int, jitter: float) -> None:
        """Take the counts of an engine that counts by itself; they only grow, or begin anew."""
        if first != self._first or received < self.received:
            self._begin(first)
        self.received, self._highest, self.jitter = received, highest, jitter

    def change_clock(self, clock_rate: int) -> None:
        """Go on with another clock: the codec has changed (RFC 7160 section 4.1)."""
        self._clock_rate, self._transit, self.jitter = clock_rate, None, 0.0

    @property
    def extended_highest(self) -> int:
        """The highest sequence number, extended by the count of wraps, in 32 bits."""
        return self._highest & 0xFFFFFFFF

    @property
    def expected(self) -> int:
        """How many packets should have come."""
        return self._highest - self._first + 1 if self.received else 0

    @property
    def lost(self) -> int:
        """How many never came; negative when there are more duplicates than losses."""
        return self.expected - self.received

    def sender_reported(self, ntp: int, *, now: float) -> None:
        """Note the NTP time of a sender report that came at `now`."""
        self._last_sr, self._last_sr_at = ntp >> 16 & 0xFFFFFFFF, now

    def report_block(self, ssrc: int, *, now: float) -> ReportBlock:
        """Report on the source; the fraction lost is that since the last report (A.3)."""
        expected = self.expected - self._expected_before
        lost = expected - (self.received - self._received_before)
        self._expected_before, self._received_before = self.expected, self.received
        fraction = (lost << 8) // expected if expected > 0 and lost > 0 else 0
        delay = int((now - self._last_sr_at) * 65536) & 0xFFFFFFFF if self._last_sr else 0
        return ReportBlock(
            ssrc,
            min(fraction, 255),
            self.lost,
            self.extended_highest,
            int(self.jitter),
            self._last_sr,
            delay,
        )

    def _begin(self, sequence: int) -> None:
        self._first = self._highest = sequence
        self.received = self._expected_before = self._received_before = 0
        self._after_jump = self._transit = None

    def _measure_jitter(self, timestamp: int, arrival: float) -> None:
        """Section 6.4.1: the mean deviation of the transit time, smoothed by 1/16."""
        transit = arrival * self._clock_rate - timestamp
        if self._transit is not None:
            difference = abs(transit - self._transit) % 0x100000000
            difference = min(difference, 0x100000000 - difference)  # the timestamp wraps
            self.jitter += (difference - self.jitter) / 16
        self._transit = transit
