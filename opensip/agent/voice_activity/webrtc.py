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
_BYTES = 2 * _SIZE
_SECONDS = _SIZE / RATE
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
        """Decide at once that silence is none, and on windows of 20 ms: together if they agree."""
        if frame.level_dbfs < SILENT_DBFS and frame.rate == RATE and len(frame.samples) >= _SIZE:
            self._vad.is_speech(frame.samples[:_SIZE].tobytes(), RATE)
            self._floor.stands_out(frame.level_dbfs, frame.seconds)
            self._decided(Voicing(frame.at, frame.seconds, voiced=False))
            return
        at, samples, levels = self._windows.cut(frame)
        data, voiced, begin = samples.tobytes(), False, 0
        is_speech, stands_out = self._vad.is_speech, self._floor.stands_out
        for number, level in enumerate(levels):
            is_voice = is_speech(data[number * _BYTES : (number + 1) * _BYTES], RATE, _SIZE)
            is_voice = stands_out(level, _SECONDS) and is_voice  # each learns of all
            if number > begin and is_voice != voiced:
                self._decide(at, begin, number, voiced)
                begin = number
            voiced = is_voice
        if levels:
            self._decide(at, begin, len(levels), voiced)

    def _decide(self, at: float, begin: int, end: int, voiced: bool) -> None:
        self._decided(Voicing(at + begin * _SECONDS, (end - begin) * _SECONDS, voiced))


def make(rate: int, decided: Decided) -> WebRtc:
    """Make the detector of one call."""
    return WebRtc(rate, decided)
