"""A telephone line that gives some of the agent's voice back, later and softer."""

import numpy as np

from tests.fakes.line import RATE, TICK, Line

_BLOCK = int(RATE * TICK)


class EchoLine(Line):
    """What was played comes back `delay` seconds later at `gain_db`, under what the caller says."""

    def __init__(self, *, gain_db, delay):
        super().__init__()
        self._gain = 10 ** (gain_db / 20)
        self._sent = [np.zeros(_BLOCK, np.int16)] * round(delay / TICK)
        self._taken = 0

    def _heard(self):
        self._sent.append(self._played_since())
        heard = super()._heard() + self._gain * self._sent.pop(0)
        return np.clip(np.rint(heard), -32768, 32767).astype(np.int16)

    def _played_since(self):
        """Give a block of what was played in the last tick: silence, where it was paused."""
        played = self.played()
        block, self._taken = self.written[max(self._taken, played - _BLOCK) : played], played
        return np.concatenate([block, np.zeros(_BLOCK - len(block), np.int16)])
