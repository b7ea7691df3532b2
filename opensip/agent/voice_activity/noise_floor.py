"""Does a sound stand out of the line's noise? A floor that follows the line. Pure."""

from dataclasses import dataclass

_LOUDEST_FLOOR_DBFS = -32.0  # noise above this is taken for speech rather than for a floor
_FALL = 0.5  # share of the way down to a quieter frame, for a 20 ms frame
_RISE_DB_PER_S = 2.0  # how fast the floor follows noise that grows


@dataclass(slots=True)
class NoiseFloor:
    """Decides frame by frame. `floor` is the noise in dBFS, learned as the call goes.

    Speech stands out of it by `margin` dB, and is louder than `quietest` dBFS on any usable line.
    """

    margin: float = 12.0
    quietest: float = -50.0
    floor: float = -65.0

    def stands_out(self, level_dbfs: float, seconds: float) -> bool:
        """Tell whether a frame of this level is louder than the noise, and learn from it."""
        louder = level_dbfs >= self.floor + self.margin and level_dbfs >= self.quietest
        if level_dbfs < self.floor:
            self.floor += _FALL * (max(level_dbfs, -90.0) - self.floor)
        else:
            self.floor = min(self.floor + _RISE_DB_PER_S * seconds, level_dbfs, _LOUDEST_FLOOR_DBFS)
        return louder

    @property
    def threshold(self) -> float:
        """The level in dBFS from which a frame stands out."""
        return max(self.floor + self.margin, self.quietest)
