"""Voice by the network Silero (MIT) at 8 kHz: the best of them in noise. Extra `vad`.

Only what stands out of the line's noise is asked about, so that silence costs next to nothing. The
network itself runs for all calls at once (silero_model.py).
"""

from collections import deque
from functools import partial
from typing import NamedTuple

from opensip.agent.voice_activity import Decided, Voicing
from opensip.agent.voice_activity.noise_floor import NoiseFloor
from opensip.agent.voice_activity.silero_model import SIZE, Memory, Model, shared_model
from opensip.agent.voice_activity.windows import RATE, Windows
from opensip.audio.frame import AudioFrame

_SECONDS = SIZE / RATE
_BEGINS, _GOES_ON = 0.5, 0.35  # probabilities from which a voice begins, and is still there
_NEAR_DB, _QUIETEST_DBFS = 6.0, -55.0  # what may be a voice stands out of the noise by so much
_VOICE_DB = 8.0  # and a voice by so much: the network is sure of one for 100 ms after its end
_HANGOVER = 0.25  # seconds after the last near sound for which the network still listens
_BEFORE = 8  # windows of before that the network hears first, to know what is new
_LATE = 12  # windows that wait; then the machine is too slow, and energy decides


class _Asked(NamedTuple):
    window: AudioFrame
    loud: bool  # enough to be a voice
    silent: bool = False  # nobody was asked: it only waits for its turn


class Silero:
    """Listens on one call; what it decides comes a few milliseconds later, in order."""

    def __init__(self, rate: int, decided: Decided, model: Model | None = None) -> None:
        self._model, self._decided = model or shared_model(), decided
        self._windows = Windows(rate, SIZE)
        self._floor = NoiseFloor(_NEAR_DB, _QUIETEST_DBFS)
        self._before: deque[AudioFrame] = deque(maxlen=_BEFORE)
        self._asked: deque[_Asked] = deque()
        self._memory = Memory()
        self._near_until = 0.0
        self._voiced = False

    def hear(self, frame: AudioFrame) -> None:
        """Decide at once that silence is none; ask about the rest."""
        for window in self._windows.of(frame):
            loud = window.level_dbfs >= max(self._floor.floor + _VOICE_DB, _QUIETEST_DBFS)
            far = window.at >= self._near_until
            if self._floor.stands_out(window.level_dbfs, _SECONDS):
                self._near_until = window.at + _HANGOVER
                if far and not self._asked:
                    self._begin()
            if window.at < self._near_until:
                self._ask(window, loud)
            else:
                self._asked.append(_Asked(window, loud=False, silent=True))
                self._before.append(window)
                self._pass_silence()

    def _begin(self) -> None:
        """Let the network know what went before."""
        self._memory = Memory()
        for window in self._before:
            self._model.ask(self._memory, window.samples, lambda probability: None)
        self._before.clear()

    def _ask(self, window: AudioFrame, loud: bool) -> None:
        self._asked.append(_Asked(window, loud))
        if len(self._asked) > _LATE:
            self._hurry()
        else:
            judge = partial(self._judge, self._memory)
            self._model.ask(self._memory, window.samples, judge)

    def _judge(self, memory: Memory, probability: float | None) -> None:
        """Take what the network makes of the first window that waits; None where it failed."""
        if memory is self._memory and self._asked:
            window, loud, _ = self._asked.popleft()
            least = _GOES_ON if self._voiced else _BEGINS
            self._decide(window, loud and (probability is None or probability >= least))
            self._pass_silence()

    def _pass_silence(self) -> None:
        while self._asked and self._asked[0].silent:
            self._decide(self._asked.popleft().window, voiced=False)

    def _hurry(self) -> None:
        """Decide all that waits by energy; answers that still come are let go."""
        self._memory.forgotten, self._memory = True, Memory()
        while self._asked:
            window, loud, _ = self._asked.popleft()
            self._decide(window, loud)

    def _decide(self, window: AudioFrame, voiced: bool) -> None:
        self._voiced = voiced
        self._decided(Voicing(window.at, _SECONDS, voiced))


def make(rate: int, decided: Decided) -> Silero:
    """Make the detector of one call, on the running loop."""
    return Silero(rate, decided)
