"""What a media engine does for the rooms above: the protocol that every engine keeps."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import structlog

from opensip.audio.frame import AudioFrame, Samples, Steady
from opensip.media.ports import PortPair

log = structlog.get_logger(__name__)

Address = tuple[str, int]

EVERYWHERE = "0.0.0.0", "::"  # noqa: S104 - where media is bound that may come to any address

TICK = 0.02  # seconds between two packets of a stream, and between two looks at all streams
MOST_BESIDE = 16  # datagrams of other protocols in a tick: a flight of DTLS has four
LATES, LATE_SAMPLES = 5, 160  # packets in a batch that came too late, and their longest
DEAF_TICKS = 50  # from batch to batch where nobody listens
HALF_TICK_MS = 10  # packets last a whole number of them: RFC 3551 allows no finer
BATCH_TICKS = 5  # audio in which no voice is near is handed on each 100 ms
STEADY_TICKS = {Steady.VOICE: 3, Steady.SILENCE: BATCH_TICKS}  # and what goes on, if wished
NEIGHBOURS = 16  # streams that hand on on the same ticks: who listens is woken less often


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """The master keys (each key||salt) of both directions under one crypto suite."""

    suite: str
    transmit: bytes = field(repr=False)
    receive: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class StreamConfig:
    """What offer and answer settled for one stream; a re-offer settles it anew.

    `remote` None means that nothing is sent and nothing taken yet; `rtcp` is where reports
    go. `codec` is the encoding name we send under `payload_type`; `receive` maps the numbers
    that may come to encoding names, telephone-event among them, which counts by `event_clock`
    in Hz. `fmtp` is what the peer asks of our encoder. `ptime` is in milliseconds.
    `symmetric` lets the source move: under SRTP whenever a packet proves itself, for plain
    RTP once and early. `beside` hands on STUN and DTLS that come to the port of RTP (RFC 7983),
    where `mux` lets RTCP come and go too. Without it `control` are the keys of RTCP under DTLS,
    and what comes beside it goes to the stream's `control`.
    """

    remote: Address | None = None
    rtcp: Address | None = None
    codec: str = "PCMU"
    payload_type: int = 0
    event_payload_type: int | None = None
    receive: tuple[tuple[int, str], ...] = ((0, "PCMU"),)
    keys: SrtpKeys | None = None
    control: SrtpKeys | None = None
    ptime: int = 20
    sending: bool = True
    symmetric: bool = True
    event_clock: int = 8000
    fmtp: str = ""
    beside: bool = False
    mux: bool = False


class Beside(NamedTuple):
    """A datagram of another protocol that came to the port of RTP."""

    data: bytes
    source: Address


@dataclass(frozen=True, slots=True)
class Digit:
    """A telephone event of the peer, told when it begins; how long it has lasted by then."""

    digit: str
    duration_ms: int


class Batch(NamedTuple):
    """What happened on a stream since the last batch: `seconds` long, ending at `at`.

    `heard` is what came, None when nothing did; `said` is what left from `said_at` on, told
    only while `keep_said`. `fault` says what failed, in the last batch of a stream that did.
    `late` is sound of G.711 that came after its turn, at most LATES packets: when it should have
    come, and samples at 8 kHz, of which a recording has the place.
    `noise` is the level in dBFS of the peer's background, where it told that and fell silent.
    """

    at: float
    seconds: float
    heard: AudioFrame | None = None
    said: Samples | None = None
    said_at: float = 0.0
    digits: tuple[Digit, ...] = ()
    moved_to: Address | None = None
    fault: str = ""
    noise: float | None = None
    beside: tuple[Beside, ...] = ()
    late: tuple[tuple[float, Samples], ...] = ()


class Stream(Protocol):
    """One RTP stream each way on one pair of ports. Positions and counts are in samples."""

    listener: Callable[[Batch], None]
    control: Callable[["Beside"], None]  # takes DTLS that comes to the port of RTCP
    keep_said: bool
    deaf: bool  # nobody listens: nothing is handed on of what is heard; batches come each second
    prompt: bool  # what is heard is handed on each tick, whether a voice is near or not
    steady: Steady  # what may be handed on later; a voice that is not G.711 need not be

    @property
    def rate(self) -> int:
        """Sample rate in Hz of what is written. It follows the codec, and positions follow it:

        what is queued is kept, and counts as the same time as before.
        """

    @property
    def last_received(self) -> float | None:
        """When the last good RTP packet came, on the engine's clock."""

    @property
    def last_report(self) -> float | None:
        """When the peer's last good report (RTCP) came, on the engine's clock."""

    def configure(self, config: StreamConfig) -> None:
        """Take what was negotiated; an SRTP context lives on while its key is the same."""

    def write(self, samples: Samples) -> int:
        """Queue samples to send; returns the position at which they start."""

    def flush(self) -> int:
        """Forget what is queued, at once; returns how many samples were never sent."""

    def pause(self) -> None:
        """Send silence from the next packet on, and keep what is queued."""

    def resume(self) -> None:
        """Send on from where `pause` stopped."""

    def played(self) -> int:
        """How many of the written samples have been sent."""

    def queued(self) -> int:
        """How many of the written samples have not been sent yet."""

    async def drained(self) -> None:
        """Wait until all that was written is sent or flushed."""

    async def send_digit(self, digit: str) -> None:
        """Send one telephone event (RFC 4733) and wait until it has left."""

    def send_beside(self, datagram: bytes, to: Address, *, control: bool = False) -> None:
        """Send a datagram of another protocol from the port of RTP, or of RTCP, at once."""

    def expect_beside(self, sources: Collection[Address], /) -> None:
        """Learn where what comes beside RTP comes from, if it is the peer's.

        Of others, where RTP does not come from either, less is taken: see `strangers`.
        """

    def statistics(self) -> Mapping[str, float]:
        """Counts and measures so far, both ways, by name."""

    def close(self) -> None:
        """Say goodbye and stop at once; the ports go back to their pool."""


class Engine(Protocol):
    """Moves the packets of many streams on one common tick."""

    def now(self) -> float:
        """Tell the time on the clock of every `at`, in seconds."""

    def open(self, ports: PortPair, config: StreamConfig) -> Stream:
        """Start a stream on bound ports, which it closes."""

    def connect(
        self, one: Stream, other: Stream, *, keys: tuple[bool, bool] = (True, True)
    ) -> bool:
        """Let each of two streams send what the other's peer says, until `disconnect`.

        The sound is played out evenly, with what was lost concealed; what is written to a stream
        is heard over it: a whisper to one side, to both an announcement. `keys` tells whether
        telephone events of the first peer are sent on to the second, and back. Batches go on,
        each 100 ms. False where the engine cannot, for one of them is not G.711: both are apart
        then, and their batches have to be handed on.
        """

    def disconnect(self, stream: Stream) -> None:
        """Take a stream off the one it was connected to, if it was. Closing does so too."""

    def close(self) -> None:
        """Close every stream."""


class Listener(Protocol):
    """Takes all batches of one tick in one call."""

    def __call__(self, batches: list[tuple[Stream, Batch]]) -> None:
        """Take the batches; must not block and must not raise."""


def deliver(batches: list[tuple[Stream, Batch]]) -> None:
    """Hand each batch to the listener of its stream: what an engine does unless told else."""
    for stream, batch in batches:
        try:
            stream.listener(batch)
        except Exception as error:  # border: one call, and whatever it does with its audio
            fail(stream, error, at=batch.at)


def fail(stream: Stream, error: Exception, *, at: float) -> None:
    """Close a stream in which something was raised, and tell its listener; the others go on."""
    log.error("stream_failed", exc_info=error)
    last = Batch(at, 0.0, fault=repr(error))
    for end in (stream.close, lambda: stream.listener(last)):
        try:
            end()
        except Exception:  # border: as above
            log.exception("stream_failed_again")
