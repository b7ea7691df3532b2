"""Where the agent of one call sits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from opensip.audio.frame import AudioSink, AudioSource
from opensip.events import Observer


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """What it hears, where it speaks, whom it tells, its clock, what is known of the call."""

    source: AudioSource
    sink: AudioSink
    observer: Observer
    now: Callable[[], float]
    variables: Mapping[str, str] = field(default_factory=dict)
