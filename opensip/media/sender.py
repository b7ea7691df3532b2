"""The way out of a stream: one RTP packet whenever one is due, voice or silence."""

import struct
from collections import deque
from collections.abc import Callable

import numpy as np

from opensip.audio.codecs import CODECS, G711, TableCodec
from opensip.audio.frame import Samples
from opensip.media.engine import HALF_TICK_MS, TICK, StreamConfig
from opensip.media.line import Line
from opensip.media.playout import Playout
from opensip.rtp.srtp import SEQUENCES, SrtpSession
from opensip.rtp.telephone_event import EventPacket, TelephoneEventSender

_HEADER = struct.Struct("!BBHII")
_VERSION_2 = 0x80
_MARKER = 0x80
_GAP: tuple[None, ...] = (None,) * 3  # packets between two digits, so that they stay two


class Sender:
    """Turns what is queued into packets. Does no I/O.

    Silence is sent as well: it keeps NAT bindings and the peer's clock alive. The marker is
    set where a voice begins (RFC 3551 section 4.1).
    """

    def __init__(self, random: Callable[[int], bytes]) -> None:
        self._random = random
        self.packets = 0
        self._begin_source()
        self.timestamp = int.from_bytes(random(4), "big")  # of the next packet
        self.octets = 0  # of payload, as sender reports count them
        self.payload = b""  # the last one, but events
        self.playout = Playout(G711["PCMU"])
        self.srtp: SrtpSession | None = None
        self.line: Line | None = None  # what is sent besides the queue: another stream's peer
        self._key = ("", b"")
        self._coding = ("", 0, "")
        self._quiet = b""  # a payload of silence, where it is always the same
        self._events: deque[tuple[TelephoneEventSender, Callable[[], None]]] = deque()
        self._event: deque[EventPacket | None] = deque()  # the rest of the first of `_events`
        self._event_timestamp = 0
        self._voice = False
        self._unsent = 0  # half ticks that have passed since the last packet ended
        self._apply(StreamConfig())

    def configure(self, config: StreamConfig) -> None:
        """Take what was negotiated; the SRTP context lives on while its key is the same."""
        key = (config.keys.suite, config.keys.transmit) if config.keys else ("", b"")
        if key != self._key:
            if self.packets >= self._wraps_at:  # some go on with their rollover counter, some begin
                self._begin_source()  # it anew: of a new source all think the same
            self._key = key
            self.srtp = SrtpSession(*key) if config.keys else None
        self._apply(config)

    def _begin_source(self) -> None:
        self.ssrc = int.from_bytes(self._random(4), "big")
        self._sequence = int.from_bytes(self._random(2), "big") >> 1  # wraps late: RFC 3711 3.3.1
        self._wraps_at = self.packets + SEQUENCES - self._sequence

    def send_digit(self, digit: str, left: Callable[[], None]) -> None:
        """Queue a telephone event; `left` is called when it is over, its gap included.

        Raises LocalProtocolError for what is not a digit.
        """
        event = TelephoneEventSender(
            digit, clock_rate=self._event_clock, ptime=HALF_TICK_MS * self._halves
        )
        self._events.append((event, left))

    def forget(self) -> None:
        """Forget all that is queued, digits too."""
        self.playout.flush()
        events, self._events = self._events, deque()
        self._event.clear()
        for _, left in events:
            left()

    def said(self) -> Samples:
        """Give the samples of the last packet; silence in the place of events."""
        playout = self.playout
        table = playout.codec if isinstance(playout.codec, TableCodec) else None
        return table.decode(self.payload) if table else playout.frame

    def tick(self) -> bytes | None:
        """Give the packet that is due on this tick, if one is; `next_packet` gives those after."""
        self._unsent += 2
        return self.next_packet()

    def next_packet(self) -> bytes | None:
        """Give the next packet that is due on this tick: packets of 10 ms are two."""
        if self._unsent < self._halves:
            return None
        self._unsent -= self._halves
        if self._events:
            return self._event_packet()
        if self.line is not None and self._event_payload_type:
            relayed = self.line.take_event(self._units)
            if relayed is not None:
                return self._relayed_packet(*relayed)
        payload = self.playout.take(self._samples)
        if self.line is not None:
            payload = self._mixed(self.line, payload)
        voice = payload is not None
        marker = _MARKER if voice and not self._voice else 0
        self._voice = voice
        return self._audio_packet(marker, payload or self._silence())

    def skip_tick(self) -> None:
        """Let a tick pass that came too late to be worth a packet: time goes on."""
        self._voice = False
        self.timestamp = (self.timestamp + self._units_of_tick) & 0xFFFFFFFF

    def mute_tick(self) -> None:
        """Let a tick pass on which the peer is to hear nothing, keys neither: now or later."""
        if self.line is not None and self._event_payload_type:
            self.line.take_event(self._units_of_tick)
        self.skip_tick()

    @property
    def _units_of_tick(self) -> int:
        return 2 * self._units // self._halves

    def _audio_packet(self, marker: int, payload: bytes) -> bytes:
        self.payload = payload
        packet = self._packet(self._payload_type | marker, self.timestamp, payload)
        self.timestamp = (self.timestamp + self._units) & 0xFFFFFFFF
        return packet

    def _event_packet(self) -> bytes:
        """Give the next packet of the first digit, then silence for a while."""
        event, left = self._events[0]
        if not self._event:
            self._event.extend((*event.packets(), *_GAP))
        out = self._event.popleft()
        if not self._event:
            self._events.popleft()
            left()
        if out is None:
            return self._audio_packet(0, self._silence())
        return self._relayed_packet(out.payload, out.marker)

    def _relayed_packet(self, payload: bytes, marker: bool) -> bytes:
        """Give a packet of an event, under the timestamp at which that began; time goes on."""
        if marker:
            self._event_timestamp = self.timestamp
        self._voice = False
        self.payload = self._silence()
        self.timestamp = (self.timestamp + self._units) & 0xFFFFFFFF
        second = self._event_payload_type | (_MARKER if marker else 0)
        return self._packet(second, self._event_timestamp, payload)

    def _mixed(self, line: Line, queued: bytes | None) -> bytes:
        """Give what the other peer says, and over it what is in the queue: a word to ours alone."""
        table, samples = G711[self._coding[0]], line.take(self._samples)
        if queued is not None:
            both = samples.astype(np.int32) + table.decode(queued)
            samples = np.clip(both, -32768, 32767).astype(np.int16)
        return table.encode(samples)

    def _packet(self, second: int, timestamp: int, payload: bytes) -> bytes:
        packet = _HEADER.pack(_VERSION_2, second, self._sequence, timestamp, self.ssrc) + payload
        self._sequence = (self._sequence + 1) & 0xFFFF
        self.packets += 1
        self.octets += len(payload)
        return packet if self.srtp is None else self.srtp.protect(packet)

    def _apply(self, config: StreamConfig) -> None:
        codec = CODECS[config.codec]
        self._payload_type = config.payload_type
        self._event_payload_type = config.event_payload_type or 0
        self._event_clock = config.event_clock
        self._halves = half_ticks(config)
        self._unsent = min(self._unsent, self._halves)  # of a packet time that is over
        self._samples = self._halves * round(codec.rate * TICK) // 2
        self._units = self._halves * round(codec.format.clock_rate * TICK) // 2  # of timestamp
        coding = (codec.format.encoding_name, self._samples, config.fmtp)
        if coding != self._coding:
            self._coding = coding
            self.playout.change_codec(codec, self._samples, config.fmtp)
        table = isinstance(codec, TableCodec)
        self._quiet = self.playout.silence(self._samples) if table else b""

    def _silence(self) -> bytes:
        return self._quiet or self.playout.silence(self._samples)


def half_ticks(config: StreamConfig) -> int:
    """Tell how many half ticks a packet lasts; codecs with frames keep to whole ticks."""
    halves = max(1, config.ptime // HALF_TICK_MS)
    return halves if config.codec in G711 else max(2, halves - halves % 2)
