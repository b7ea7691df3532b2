"""When a sample of an RTP stream came, told from its timestamp: arrivals without their jitter."""

_WRAP = 1 << 32
_HALF = 1 << 31
_DISCONTINUITY = 0.5  # seconds off: the sender began to count anew, or slept
_EXACT = 0.001  # seconds by which a packet may be late and still is in time
_LASTING = 4.0  # seconds of the sender's time in which all are late before we take it for the truth
_FAR = 0.1  # seconds; what is later by more may miss its place in a recording,
_SOON = 1.0  # so it is taken sooner


class MediaClock:
    """Maps RTP timestamps to the time at which a packet without delay would have come.

    A packet is never early, so the earliest ones tell the truth. A delay that lasts, of a longer
    path or a clock that drifts, is taken all at once: sound has one hole then, not many. `rate` is
    in Hz.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._last: int | None = None  # timestamp of the last packet
        self._position = 0  # the same, unwrapped, from 0
        self._offset = 0.0  # time of position 0
        self._delays = _Delay(_EXACT, _LASTING * rate), _Delay(_FAR, _SOON * rate)

    def place_of(self, timestamp: int) -> float | None:
        """Tell the same of a packet that came out of its turn, None before any other came."""
        if self._last is None:
            return None
        position = self._position + (timestamp - self._last + _HALF) % _WRAP - _HALF
        return self._offset + position / self._rate

    def time_of(self, timestamp: int, *, now: float) -> float:
        """Tell the time of the packet that came `now`."""
        if self._last is None:
            self._last, self._offset = timestamp, now
            return now
        self._position += (timestamp - self._last + _HALF) % _WRAP - _HALF
        self._last = timestamp
        offset = now - self._position / self._rate
        late = offset - self._offset
        if late < 0 or late > _DISCONTINUITY:
            self._offset, late = offset, 0.0
        for delay in self._delays:
            taken = delay.take(late, self._position)
            self._offset += taken
            late -= taken
        return self._offset + self._position / self._rate


class _Delay:
    """Tells when all packets have been late by more than `tolerance` seconds for long."""

    def __init__(self, tolerance: float, lasting: float) -> None:
        self._tolerance = tolerance
        self._lasting = lasting  # in units of the timestamp
        self._since: int | None = None  # position of the first
        self._least = 0.0  # seconds; of the first half nothing counts: a delay may just be growing

    def take(self, late: float, position: int) -> float:
        """Learn how late a packet is; gives the seconds by which the path is longer, mostly 0."""
        if late <= self._tolerance:
            self._since = None
            return 0.0
        if self._since is None:
            self._since = position
        passed = position - self._since
        self._least = late if passed < self._lasting / 2 else min(self._least, late)
        if passed < self._lasting:
            return 0.0
        self._since = None
        return self._least
