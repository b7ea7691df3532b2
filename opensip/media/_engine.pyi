"""The native media engine in C (csrc/); it may be missing where it could not be built."""

from collections.abc import Collection
from typing import Any, TypeAlias

from typing_extensions import Buffer

from opensip.audio.frame import Samples

_Told: TypeAlias = tuple[bool, int, int, bool, int]

class Srtp:
    """One direction of an SRTP session; refuses with ValueError, which says why as SrtpError."""

    def __new__(cls, suite: str, master: Buffer, /) -> Srtp: ...
    def protect(self, packet: Buffer, /) -> bytes:
        """Encrypt and authenticate a packet we send."""
    def unprotect(self, packet: Buffer, /) -> bytes:
        """Check and decrypt a packet we received."""

class Srtcp:
    """The same for RTCP, by the same master key."""

    def __new__(cls, suite: str, master: Buffer, /) -> Srtcp: ...
    def protect_rtcp(self, packet: Buffer, /) -> bytes:
        """Encrypt and authenticate a compound packet we send."""
    def unprotect_rtcp(self, packet: Buffer, /) -> bytes:
        """Check and decrypt a compound packet we received."""

class Playback:
    """Sound that is played on; see playback.Playback. `counts` ends with the depth."""

    def __new__(cls, law: str, /) -> Playback: ...
    def put(self, sequence: int, timestamp: int, payload: Buffer, now: float, /) -> None:
        """Take a packet that came `now`."""
    def tick(self, now: float, /) -> tuple[str, bytes]:
        """Tell the decision and the samples of the 20 ms that begin `now`."""
    def counts(self) -> tuple[int, int, int, int, int, int, float]:
        """Tell the fields of jitter_buffer.Counts in their order, and the depth in seconds."""

def parse(packet: Buffer, /) -> tuple[int, int, int, int, bytes, bool] | None:
    """Read the first six fields of RtpPacket; None when it is none."""

def decode(law: str, codes: Buffer, /) -> bytes:
    """Decode G.711 codes into 16-bit samples of the machine's byte order."""

def encode(law: str, samples: Buffer, /) -> bytes:
    """Encode 16-bit samples into G.711 codes."""

class Engine:
    """The ticks of many streams: in a thread of its own if `threaded`, else whenever run.

    `shape` is a batch and a frame as examples, and what makes samples of bytes: (array, dtype).
    """

    def __new__(
        cls, threaded: bool, shape: tuple[tuple[Any, ...], tuple[Any, ...], Any, Any], /
    ) -> Engine: ...
    def open(self, socket: int, owner: object, /) -> Stream:
        """Start a stream on a bound socket; batches of it name `owner`."""
    def gather(self) -> tuple[list[tuple[Any, Any]], list[tuple[Any, ...]]]:
        """Take the batches of all streams that have one, each with the owner of its stream.

        Second come the rows of those for which there is more to do; see native_stream.Row.
        """
    def connect(
        self, one: Stream, other: Stream, there: bool, back: bool, told: _Told, told_back: _Told, /
    ) -> None:
        """Let each of two streams play what the other hears; keys go there, and back, if wanted.

        `told` is the last telephone event that each has had so far: whether there was one, its
        timestamp, event, whether it has ended, duration.
        """
    def disconnect(self, stream: Stream, /) -> None:
        """Take a stream off the other, which is to be taken off too."""
    def sweep(self) -> None:
        """Let go of the streams that were closed."""
    def run(self, now: float, /) -> float:
        """Run every tick that is due; returns when the next one is, 0 without streams."""
    def fileno(self) -> int:
        """Tell the descriptor that is readable when there is something to gather."""
    def ticks(self) -> tuple[int, int]:
        """Tell how many ticks came late, and how many were left out."""
    def close(self) -> None:
        """End the thread and let go of all streams."""

class Stream:
    """One stream of an engine."""

    def begin(self, ssrc: int, timestamp: int, sequence: int, /) -> None:
        """Set what the first packet bears."""
    def configure(
        self,
        *,
        host: str | None,
        port: int,
        new_latch: bool,
        symmetric: bool,
        sending: bool,
        coding: str | tuple[int, int, bytes],
        payload_type: int,
        event_payload_type: int,
        half_ticks: int,
        encodings: bytes,
        kilohertz: bytes,
        beside: bool,
        mux: bool,
        receive: tuple[()] | tuple[str, bytes] | None,
        transmit: tuple[()] | tuple[str, bytes] | None,
        queue: tuple[int, list[tuple[Samples, bytes | None]]] | None,
        new_said: bool,
    ) -> tuple[bytes, float] | None:
        """Take what was negotiated; of a key, None keeps the context and () takes it away.

        `coding` is a law of G.711, or samples and timestamp units of half a tick and a payload of
        silence. `encodings` and `kilohertz` are of each payload type. `queue` takes the place of
        what waits since so many samples were played. With `new_said` what was said before is
        given, samples and their time, if any.
        """
    def write(self, samples: Samples, /) -> int:
        """Queue samples; returns the position at which they start."""
    def write_packet(self, samples: Samples, payload: bytes, /) -> int:
        """Queue samples as one packet with that payload; returns the position of the samples."""
    def unsent(self) -> tuple[int, bytes]:
        """Count the samples sent, and give those that are queued."""
    def quiet(self) -> int:
        """Count the packets without a voice since the last that had one."""
    def flush(self) -> int:
        """Forget what is queued; returns how many samples that was."""
    def pause(self, paused: bool, /) -> None:
        """Send silence and keep what is queued, or go on."""
    def played(self) -> int:
        """Count the samples sent."""
    def queued(self) -> int:
        """Count the samples not yet sent."""
    def tell_at(self, samples: int, /) -> None:
        """Make a batch due, once, when no more samples than so many are queued; -1: never."""
    def come_near(self) -> None:
        """Make a batch due on each tick for half a second, now that what came was handed on."""
    def report_at(self, at: float, /) -> None:
        """Set from when on gather gives the row of this stream, for a report is due."""
    def expect_beside(self, sources: Collection[tuple[str, int]], /) -> None:
        """Learn where the peer is: what comes beside RTP from elsewhere is strangers'."""
    def prompt(self, wanted: bool, /) -> None:
        """Make a batch due on every tick, or not any more."""
    def steady(self, wanted: int, /) -> None:
        """Let batches wait for more of what goes on: opensip/audio/frame.py, Steady."""
    def deafen(self, wanted: bool, /) -> None:
        """Hand on nothing of what is heard, nor batches without anything else in them; or again."""
    def keep_said(self, wanted: bool, /) -> None:
        """Tell what was sent in batches, or no longer."""
    def send_digit(self, packets: list[tuple[bytes, bool]], /) -> int:
        """Queue the packets of one digit, an empty payload being a gap; returns digits_over()."""
    def digits_over(self) -> int:
        """Count the digits that have been sent."""
    def last_received(self) -> float | None:
        """Tell when the last good packet came."""
    def remote(self) -> tuple[str, int] | None:
        """Tell where packets go."""
    def sent(self) -> tuple[int, int, int]:
        """Count packets and octets; the last is the next timestamp."""
    def received(self) -> tuple[int, int, int, int, float, int]:
        """Tell SSRC, packets, first and highest extended sequence, jitter in timestamp units.

        The last is the clock rate of these, in Hz.
        """
    def counts(self) -> dict[str, int]:
        """Tell all counts by name, as statistics() has them."""
    def playout(self) -> tuple[int, int, int, int, int, int, float] | None:
        """Tell of what another stream plays what Playback.counts does; None if none plays it."""
    def close(self) -> None:
        """Use the socket no more."""
