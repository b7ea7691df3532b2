"""Voice by WebRTC's detector (webrtcvad): Gaussian mixtures over six bands, 2 us for 20 ms.

In noise it hears voices everywhere, and for a moment after each word: what does not stand out of
the line's noise is no voice, whatever it says.
"""

from opensip.agent.voice_activity import SILENT_DBFS, Decided, Voicing
from opensip.agent.voice_activity.noise_floor import NoiseFloor
from opensip.agent.voice_activity.windows import RATE, Windows
from opensip.audio.frame import AudioFrame

_MODE = 2  # of 0 to 3, the strictest; 3 loses soft beginnings in noise
_SIZE = 160  # samples: 20 ms
_MARGIN_DB = 9.0  # it is strict where energy is not, so that softer sounds may count
_QUIETEST_DBFS = -52.0


class WebRtc:
    """Asks the detector about each 20 ms; from the first of a silence it only learns."""

    def __init__(self, rate: int, decided: Decided) -> None:
        from webrtcvad import Vad  # noqa: PLC0415  not everywhere

        self._vad, self._decided = Vad(_MODE), decided
        self._windows = Windows(rate, _SIZE)
        self._floor = NoiseFloor(_MARGIN_DB, _QUIETEST_DBFS)

    def hear(self, frame: AudioFrame) -> None:
        """Decide at once: that silence is none, and on whole windows of 20 ms."""
        if frame.level_dbfs < SILENT_DBFS and frame.rate == RATE and len(frame.samples) >= _SIZE:
            self._vad.is_speech(frame.samples[:_SIZE].tobytes(), RATE)
            self._floor.stands_out(frame.level_dbfs, frame.seconds)
            self._decided(Voicing(frame.at, frame.seconds, False, frame.level_dbfs))
            return
        for window in self._windows.of(frame):
            voice = self._vad.is_speech(window.samples.tobytes(), RATE)  # learns from silence too
            louder = self._floor.stands_out(window.level_dbfs, _SIZE / RATE)
            self._decided(Voicing(window.at, _SIZE / RATE, voice and louder, window.level_dbfs))


def make(rate: int, decided: Decided) -> WebRtc:
    """Make the detector of one call."""
    return WebRtc(rate, decided)
