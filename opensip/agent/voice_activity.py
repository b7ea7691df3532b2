"""Is a voice there? Energy against a floor of noise that follows the line. Pure."""

from dataclasses import dataclass

_MARGIN_DB = 12.0  # speech stands out of the line's noise at least this much
_QUIETEST_DBFS = -50.0  # a telephone voice is louder than this on any usable line
_LOUDEST_FLOOR_DBFS = -32.0  # noise above this is taken for speech rather than for a floor
_FALL = 0.5  # share of the way down to a quieter frame, for a 20 ms frame
_RISE_DB_PER_S = 2.0  # how fast the floor follows noise that grows


@dataclass(slots=True)
class VoiceActivity:
    """Decides frame by frame. `floor` is the noise in dBFS, learned as the call goes."""

    floor: float = -65.0

    def voiced(self, level_dbfs: float, seconds: float) -> bool:
        """Tell whether a frame of this level holds voice, and learn from it."""
        voiced = level_dbfs >= self.threshold
        if level_dbfs < self.floor:
            self.floor += _FALL * (max(level_dbfs, -90.0) - self.floor)
        else:
            self.floor = min(self.floor + _RISE_DB_PER_S * seconds, level_dbfs, _LOUDEST_FLOOR_DBFS)
        return voiced

    @property
    def threshold(self) -> float:
        """The level in dBFS from which a frame counts as voiced."""
        return max(self.floor + _MARGIN_DB, _QUIETEST_DBFS)
