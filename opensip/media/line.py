"""From one stream's peer to another's: sound made even, and keys. One direction of two joined."""

from collections.abc import Mapping

import numpy as np

from opensip.audio.codecs import G711
from opensip.audio.frame import Samples
from opensip.media.playback import FRAME, Playback
from opensip.rtp.event_relay import EventRelay
from opensip.rtp.jitter_buffer import Counts
from opensip.rtp.packet import RtpPacket
from opensip.rtp.telephone_event import TelephoneEvent

FRAMES = 3  # of the longest packet


class Line:
    """Filled with what one stream receives, emptied into what the other sends. Does no I/O.

    `keys` tells whether telephone events are sent on; `told` is the last of those before.
    """

    def __init__(self, *, keys: bool, told: tuple[int, TelephoneEvent] | None = None) -> None:
        self._playback = Playback(G711["PCMU"])
        self._events = EventRelay(told) if keys else None
        self._frames: list[Samples] = []  # of the packet to come

    def begin(self) -> None:
        """Go on with another source."""
        self._playback.change_source()
        if self._events is not None:
            self._events.begin()

    def put(self, law: str, packet: RtpPacket, *, now: float) -> None:
        """Take a packet of sound that came `now`, in whatever order."""
        self._playback.change_codec(G711[law])
        self._playback.put(packet.sequence, packet.timestamp, packet.payload, now=now)

    def set_noise(self, level: float) -> None:
        """Take the root mean square of the peer's background."""
        self._playback.set_noise(level)

    def press(self, packet: RtpPacket) -> None:
        """Take a telephone event, in order."""
        if self._events is not None:
            self._events.put(packet.timestamp, packet.payload, marker=packet.marker)

    def tick(self, *, now: float) -> None:
        """Play the 20 ms that begin `now`, whether a packet is due or not."""
        _, samples = self._playback.tick(now=now)
        self._frames = [*self._frames[1 - FRAMES :], samples]

    def take_event(self, units: int) -> tuple[bytes, bool] | None:
        """Give the payload and the marker of what stands in the place of sound, if anything does.

        A packet lasts `units` of the timestamp.
        """
        event = self._events.next_packet(units) if self._events is not None else None
        if event is not None:
            self._frames.clear()
        return event

    def take(self, count: int) -> Samples:
        """Take the next `count` samples of what was played.

        Of what is older, less than a frame is kept: packets of another time begin anew.
        """
        samples = np.concatenate([np.zeros(0, np.int16), *self._frames])
        samples = samples[max(0, (len(samples) - count) // FRAME) * FRAME :]
        rest = samples[count:]
        self._frames = [rest] if len(rest) else []
        return np.concatenate([np.zeros(max(0, count - len(samples)), np.int16), samples[:count]])

    @property
    def figures(self) -> tuple[Counts, float]:
        """What became of packets and ticks, and the depth in seconds."""
        return self._playback.counts, self._playback.depth


class Played:
    """Sums up what became of what a stream's peer said, where that was played to another."""

    def __init__(self) -> None:
        self._earlier = Counts()
        self._any = False

    def end(self, counts: Counts) -> None:
        """Keep the counts of a line that is given up."""
        self._any = True
        self._earlier = self._sum(counts)

    def statistics(self, counts: Counts | None, depth: float = 0.0) -> Mapping[str, float]:
        """Name the sums; with those of a line that is there, and its depth in seconds."""
        if counts is None:
            return _named(self._earlier) if self._any else {}
        return {**_named(self._sum(counts)), "playout_ms": round(1000 * depth, 1)}

    def _sum(self, counts: Counts) -> Counts:
        earlier = self._earlier
        return Counts(
            *(getattr(earlier, name) + getattr(counts, name) for name in Counts.__slots__)
        )


def _named(counts: Counts) -> dict[str, float]:
    return {
        "playout_late": counts.late,
        "playout_dropped": counts.dropped,
        "playout_played": counts.played,
        "playout_concealed": counts.concealed,
    }
