"""Sound, keys and recordings of a call."""

from collections.abc import Mapping
from dataclasses import dataclass

from opensip.events.call_event import CallEvent


@dataclass(frozen=True, slots=True)
class MediaNegotiated(CallEvent):
    """Offer and answer fit: what is spoken with whom. `suite` is "" for plain RTP."""

    codec: str
    suite: str
    local: str
    remote: str


@dataclass(frozen=True, slots=True)
class MediaSourceChanged(CallEvent):
    """The stream latched to another source address."""

    remote: str


@dataclass(frozen=True, slots=True)
class MediaJoined(CallEvent):
    """The peer and another hear each other. `way` is "engine", or "batches" where Python hands

    the sound on, for one codec of both (`codecs`) is not G.711. `why` says why so.
    """

    way: str
    codecs: str
    why: str


@dataclass(frozen=True, slots=True)
class TargetMedia(CallEvent):
    """What was seen on the leg of a bridged target: an event's kind, and what it tells."""

    event: str
    told: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class MediaTimedOut(CallEvent):
    """No RTP for `seconds`. `phase` is "first" before any packet came, else "silence"."""

    phase: str
    seconds: float


@dataclass(frozen=True, slots=True)
class MediaQuality(CallEvent):
    """How the last five seconds sounded: "in" to us, "out" to the peer, by its reports.

    Losses are in percent; `mos` is the opinion score of ITU-T G.107, 1 to 4.5. None is unknown.
    """

    loss_in: float | None
    loss_out: float | None
    jitter_in_ms: float | None
    jitter_out_ms: float | None
    round_trip_ms: float | None
    mos_in: float | None
    mos_out: float | None


@dataclass(frozen=True, slots=True)
class MediaStatistics(CallEvent):
    """Counts of a stream so far, both ways."""

    counters: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Dtmf(CallEvent):
    """One digit, once, whatever the way it came. `digit` is one of 0-9, *, #, A-D."""

    digit: str
    duration_ms: int
    way: str  # "rfc4733" | "info" | "inband"


@dataclass(frozen=True, slots=True)
class KeysPressed(CallEvent):
    """We sent `digits`; `error` says why where the peer took them not."""

    digits: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class RecordingStarted(CallEvent):
    """The recording is being written to `path`."""

    path: str


@dataclass(frozen=True, slots=True)
class RecordingStopped(CallEvent):
    """The recording ended; `error` says why where it had to stop early."""

    path: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class RecordingPaused(CallEvent):
    """From here on silence stands in the recording; words and digits are kept out of the books."""


@dataclass(frozen=True, slots=True)
class RecordingResumed(CallEvent):
    """What is heard and said is recorded again."""


@dataclass(frozen=True, slots=True)
class RecordingPacked(CallEvent):
    """After the call the recording was put into a smaller form; it is now at `path`."""

    path: str


@dataclass(frozen=True, slots=True)
class RecordingErased(CallEvent):
    """After the call its recording was erased, and its key."""
