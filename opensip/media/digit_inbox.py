"""What the peer keys, whatever the way: telephone events, INFO, tones; each press once."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from opensip.audio.dtmf_detector import DtmfDetector
from opensip.audio.frame import AudioFrame
from opensip.events import Dtmf

EVENT, INFO, TONE = "rfc4733", "info", "inband"
TOGETHER = 1.0  # seconds by which two ways may tell of one press apart, beside its length
_REMEMBERED = 32  # presses: more than anybody keys while one way lags behind another


@dataclass(slots=True)
class _Press:
    digit: str
    at: float
    ways: set[str]


class DigitInbox:
    """Gives each press to `take` once, in the way that told of it first.

    Gateways send events and leave the tone in the sound, or send events and INFO. A way tells
    of each press once, so what another way tells soon after (or before) is paired with it.
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
        if not self._is_known(digit, way, at, TOGETHER + duration_ms / 1000):
            self._presses.append(_Press(digit, at, {way}))
            self._take(Dtmf(at, digit, duration_ms, way))

    def listen(self, frame: AudioFrame) -> None:
        """Look for tones in what was heard."""
        if self._detector is None or self._sends_events:
            return
        for tone in self._detector.push(frame.samples):
            self.receive(tone.digit, 0, TONE, at=frame.at + frame.seconds)

    def _is_known(self, digit: str, way: str, at: float, apart: float) -> bool:
        """Pair a press with the first that another way told of, if there is one."""
        for press in self._presses:
            if press.digit == digit and way not in press.ways and abs(at - press.at) <= apart:
                press.ways.add(way)
                return True
        return False
