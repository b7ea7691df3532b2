"""When a sample of an RTP stream came, told from its timestamp: arrivals without their jitter."""

_WRAP = 1 << 32
_HALF = 1 << 31
_DISCONTINUITY = 0.5  # seconds off: the sender began to count anew, or slept
_LEAK = 0.001  # share by which a lasting delay is believed, each packet: follows drifting clocks


class MediaClock:
    """Maps RTP timestamps to the time at which a packet without delay would have come.

    A packet is never early, so the earliest ones tell the truth. `rate` is in Hz.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._last: int | None = None  # timestamp of the last packet
        self._position = 0  # the same, unwrapped, from 0
        self._offset = 0.0  # time of position 0

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
            self._offset = offset
        else:
            self._offset += late * _LEAK
        return self._offset + self._position / self._rate
