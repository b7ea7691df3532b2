"""Does a sound stand out of the line's noise? A floor that follows the line. Pure."""

from dataclasses import dataclass, field

_LOUDEST_FLOOR_DBFS = -32.0  # noise above this is taken for speech rather than for a floor
_FALL = 0.5  # share of the way down to a quieter frame, for a 20 ms frame
_RISE_DB_PER_S = 20.0  # how fast the floor follows noise that grows,
_LEAST_OF = 6  # but never above the quietest frame of so many stretches:
_STRETCH = 0.5  # seconds; within three of them everybody pauses for a frame


@dataclass(slots=True)
class NoiseFloor:
    """Decides frame by frame. `floor` is the noise in dBFS, learned as the call goes.

    Speech stands out of it by `margin` dB, and is louder than `quietest` dBFS on any usable line.
    """

    margin: float = 12.0
    quietest: float = -50.0
    floor: float = -65.0
    _quietest: list[float] = field(default_factory=lambda: [0.0])  # of each stretch, newest last
    _seconds: float = 0.0  # of the newest stretch

    def stands_out(self, level_dbfs: float, seconds: float) -> bool:
        """Tell whether a frame of this level is louder than the noise, and learn from it."""
        louder = level_dbfs >= self.threshold
        self._keep(level_dbfs, seconds)
        if level_dbfs < self.floor:
            self.floor += _FALL * (max(level_dbfs, -90.0) - self.floor)
        else:
            risen = self.floor + _RISE_DB_PER_S * seconds
            self.floor = max(self.floor, min(risen, *self._quietest, _LOUDEST_FLOOR_DBFS))
        return louder

    def _keep(self, level_dbfs: float, seconds: float) -> None:
        self._seconds += seconds
        if self._seconds > _STRETCH:
            self._quietest = [*self._quietest[1 - _LEAST_OF :], 0.0]
            self._seconds = seconds
        self._quietest[-1] = min(self._quietest[-1], level_dbfs)

    @property
    def threshold(self) -> float:
        """The level in dBFS from which a frame stands out."""
        return max(self.floor + self.margin, self.quietest)
