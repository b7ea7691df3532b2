"""What the peer keys, whatever the way: telephone events, INFO, tones; each press once."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from opensip.audio.dtmf_detector import DtmfDetector
from opensip.audio.frame import AudioFrame
from opensip.events import Dtmf

EVENT, INFO, TONE = "rfc4733", "info", "inband"
TOGETHER = 1.0  # seconds by which a tone and another way tell of one press apart, and its length
# The same for event and INFO: an INFO that is lost thrice comes 3.5 s late (RFC 3261 17.1.2.1).
LAG = 4.0
_REMEMBERED = 32  # presses: more than anybody keys while one way lags behind another


@dataclass(slots=True)
class _Press:
    digit: str
    at: float
    ways: set[str]


class DigitInbox:
    """Gives each press to `take` once, in the way that told of it first.

    Gateways send events and leave the tone in the sound, or send events and INFO. A way tells
    of each press once and in order, so the n-th 1 of one way is the n-th 1 of the other: what a
    way tells is paired with the first press of that digit of which it has not told yet. So "11"
    by two ways is two presses however they mingle, and what one way lost the other tells. A
    press would be lost only with a peer that sends one by one way and the next by the other.
    From a peer's first event on its tones count no more: then they are all leftovers, and a
    long one that is broken by loss would be paired with nothing. `detector` finds the tones;
    None leaves the sound alone.
    """

    def __init__(self, take: Callable[[Dtmf], None], detector: DtmfDetector | None = None) -> None:
        self._take = take
        self._detector = detector
        self._sends_events = False
        self._presses: deque[_Press] = deque(maxlen=_REMEMBERED)

    def begin(self) -> None:
        """Begin with a peer that may send otherwise than the last."""
        self._sends_events = False

    def receive(self, digit: str, duration_ms: int, way: str, *, at: float) -> None:
        """Take a press that was told at `at`, by an event or an INFO."""
        self._sends_events = self._sends_events or way == EVENT
        if not self._is_known(digit, way, at, duration_ms / 1000):
            self._presses.append(_Press(digit, at, {way}))
            self._take(Dtmf(at, digit, duration_ms, way))

    def ways_of(self, dtmf: Dtmf) -> frozenset[str]:
        """Give the ways that have told of a press by now."""
        told = (p.ways for p in self._presses if (p.digit, p.at) == (dtmf.digit, dtmf.at))
        return frozenset().union(*told)

    def listen(self, frame: AudioFrame) -> None:
        """Look for tones in what was heard."""
        if self._detector is None or self._sends_events:
            return
        for tone in self._detector.push(frame.samples):
            self.receive(tone.digit, 0, TONE, at=frame.at + frame.seconds)

    def _is_known(self, digit: str, way: str, at: float, seconds: float) -> bool:
        """Pair a press that lasts so long with the first that another way told of, if any."""
        for press in self._presses:
            # a tone may be something else, and must not cost a press that comes long after it
            apart = seconds + (TOGETHER if TONE in (way, *press.ways) else LAG)
            if press.digit == digit and way not in press.ways and abs(at - press.at) <= apart:
                press.ways.add(way)
                return True
        return False
