"""Voice by energy alone: what is louder than the line's noise. The fallback."""

from opensip.agent.voice_activity import Decided, Voicing
from opensip.agent.voice_activity.noise_floor import NoiseFloor
from opensip.audio.frame import AudioFrame
from opensip.audio.level import pieces


class Energy:
    """Takes each frame that stands out of the noise for voice."""

    def __init__(self, decided: Decided) -> None:
        self._decided = decided
        self._floor = NoiseFloor()

    def hear(self, frame: AudioFrame) -> None:
        """Decide at once, on 20 ms at most."""
        for piece in pieces(frame):
            voiced = self._floor.stands_out(piece.level_dbfs, piece.seconds)
            self._decided(Voicing(piece.at, piece.seconds, voiced))


def make(rate: int, decided: Decided) -> Energy:
    """Make the detector of one call."""
    return Energy(decided)
