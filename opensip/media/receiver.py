"""The way in of a stream: from datagrams to samples in order, and to digits."""

import itertools
from collections.abc import Callable, Iterable

import numpy as np

from opensip.audio.codecs import CODECS, G711, TableCodec
from opensip.audio.comfort_noise import amplitude, read_level
from opensip.audio.frame import AudioFrame, Samples
from opensip.errors import RemoteProtocolError
from opensip.media.beside import BesideInbox, is_beside
from opensip.media.engine import LATE_SAMPLES, LATES, Address, Beside, Digit, StreamConfig
from opensip.media.heard import LONGEST_FILL, Heard
from opensip.media.latch import GRACE, SourceLatch
from opensip.media.line import Line
from opensip.media.media_clock import MediaClock
from opensip.rtp.packet import RtpPacket
from opensip.rtp.probation import Probation
from opensip.rtp.reorder import InOrder
from opensip.rtp.rtcp import is_rtcp
from opensip.rtp.srtp import SrtpError, SrtpSession
from opensip.rtp.statistics import SourceStatistics
from opensip.rtp.telephone_event import TelephoneEvent, TelephoneEventReceiver

EVENT = "telephone-event"
NOISE = "CN"
COMFORT_NOISE = (13, NOISE)  # may come unasked, RFC 3389: it says that the peer is there
HOLD_TICKS = 25  # the gate stays open for half a second after the last voice
LARGEST = 1500  # octets; no datagram of media is larger


class Receiver:
    """Takes datagrams, drops what is not the peer's, and collects what is heard.

    After the datagrams of a tick call `tick`, then `decode` for all receivers at once. Does no
    I/O. A bad packet is counted under its reason in `dropped` and never raises.
    """

    def __init__(self) -> None:
        self.dropped: dict[str, int] = {}
        self.last_received: float | None = None
        self.packets = 0
        self.datagrams = 0  # since the last tick, whosever
        self.latch: SourceLatch | None = None
        self.srtp: SrtpSession | None = None
        self.moved_to: Address | None = None
        self.digits: list[Digit] = []
        self.noise: float | None = None  # dBFS of the peer's background, where it told that
        self.beside = BesideInbox()  # STUN and DTLS, and RTCP that shares the port
        self.gate = 0  # ticks for which what is heard must be handed on at once: a voice is near
        self.clock_rate = 8000  # of timestamps
        self.codec = "PCMU"  # of what is fresh
        self.fresh: list[bytes] = []  # payloads to decode, in order
        self.late: list[tuple[float, Samples]] = []  # what came after its turn, and for when
        self.deaf = False  # nobody listens: what comes is not handed on
        self.line: Line | None = None  # whose other end hears the peer too
        self._config = StreamConfig()
        self._formats: dict[int, str] = {}
        self._former: SrtpSession | None = None  # of the key before, until one of the new comes
        self._grace = 0
        self._events = TelephoneEventReceiver()
        self._event_clock = 8000
        self._heard = Heard(8000)
        self._voice = False  # in what was decoded packet by packet since the last tick
        self._in_order: InOrder[tuple[float, RtpPacket]] = InOrder()
        self._probation = Probation()
        self._begin(-1)

    @property
    def remote(self) -> Address | None:
        """Where the peer's packets come from; None while nobody is there."""
        return None if self.latch is None else self.latch.remote

    def configure(self, config: StreamConfig) -> None:
        """Take what was negotiated; the SRTP context lives on while its key is the same.

        What the peer sent before it had our answer is still good: the payload types of the
        agreement before, and for a while its key and its address.
        """
        old, self._config = self._config, config
        before = old.receive if old.remote is not None else ()
        self._formats = dict((COMFORT_NOISE, *before, *config.receive))
        self._event_clock = config.event_clock
        suite = (config.keys.suite, config.keys.receive) if config.keys else None
        if suite != ((old.keys.suite, old.keys.receive) if old.keys else None):
            self._former, self._grace = self.srtp, GRACE
            self.srtp = SrtpSession(*suite) if suite else None
            if self.srtp is not None and old.keys is not None and self.ssrc >= 0:
                self.srtp.follow(self.ssrc, self.source.extended_highest)
        if config.remote is None:
            self.latch = None
        elif self.latch is None or (config.remote, suite is None) != (old.remote, old.keys is None):
            self.latch = SourceLatch(
                config.remote,
                symmetric=config.symmetric,
                authenticated=suite is not None,
                former=self.remote,
            )

    def receive(self, datagram: bytes, source: Address, *, now: float) -> None:
        """Take one datagram from the network."""
        self.datagrams += 1
        if len(datagram) > LARGEST:
            self.drop("malformed")
        elif self._config.beside and is_beside(datagram, mux=self._config.mux):
            if not self.beside.put(Beside(datagram, source), remote=self.remote, now=now):
                self.drop("crowded")
        else:
            self._receive_rtp(datagram, source, now)

    def _receive_rtp(self, datagram: bytes, source: Address, now: float) -> None:
        if self.latch is None:
            return self.drop("early")
        try:
            if self.srtp is not None:
                datagram = self._unprotect(self.srtp, datagram)
            packet = RtpPacket.parse(datagram)
        except SrtpError as error:
            return self.drop(error.why)
        except RemoteProtocolError:
            return self.drop("malformed")
        if packet.payload_type not in self._formats:
            return self.drop("rtcp" if is_rtcp(datagram) else "payload_type")
        remote = self.latch.remote
        if not self.latch.admit(source, packet.ssrc, now=now):
            return self.drop("source")
        if self.latch.remote != remote:
            self.moved_to = source
        return self._accept(packet, now)

    def _unprotect(self, srtp: SrtpSession, datagram: bytes) -> bytes:
        """Take the protection off, by the key of before while nothing came under the new one."""
        try:
            clear = srtp.unprotect(datagram)
        except SrtpError as error:
            if self._former is None or not self._grace:
                raise
            try:
                clear = self._former.unprotect(datagram)
            except SrtpError:
                raise error from None
            self._grace -= 1
            return clear
        self._former = None
        return clear

    def tick(self, now: float) -> None:
        """Give up on packets that did not come in time, and let the gate fall shut."""
        if self.gate:
            self.gate -= 1
        self._hand_on(now)
        if self._voice:
            self.gate, self._voice = HOLD_TICKS, False

    def hear(self, samples: Samples, power: float) -> None:
        """Take what was `fresh`, decoded; `power` is the sum of its squares."""
        self.fresh.clear()
        if self._heard.add(samples, power):
            self.gate = HOLD_TICKS

    @property
    def voiced(self) -> bool:
        """Whether a voice came on this very tick."""
        return self.gate == HOLD_TICKS

    def take_heard(self) -> AudioFrame | None:
        """Take what was decoded since the last call."""
        return self._heard.take()

    def statistics(self) -> dict[str, float]:
        """Counts and measures so far, by name."""
        return {
            "received": self.packets,
            "lost": self._in_order.lost,
            "late": self._in_order.late,
            "duplicate": self._in_order.duplicate,
            "reordered": self._in_order.reordered,
            "jitter_ms": round(1000 * self.source.jitter / self.clock_rate, 2),
            **{f"dropped_{why}": count for why, count in self.dropped.items()},
        }

    def _begin(self, ssrc: int) -> None:
        """Begin with a new source: its numbers and times mean nothing to the last one's."""
        self.ssrc = ssrc
        self.source = SourceStatistics(self.clock_rate)
        self._clock = MediaClock(self.clock_rate)
        self._next_timestamp: int | None = None
        self._decode = None if self.codec in G711 else CODECS[self.codec].decoder()
        if self.line is not None:
            self.line.begin()

    def drop(self, why: str) -> None:
        """Count a packet that is dropped."""
        self.dropped[why] = self.dropped.get(why, 0) + 1

    def _accept(self, packet: RtpPacket, now: float) -> None:
        """Take a packet of the peer, if its source is: nothing else tells under plain RTP."""
        probation = self._probation
        if packet.ssrc == self.ssrc:
            if probation.present(now=now):
                self.drop("ssrc")
        elif self.srtp is not None or self.ssrc < 0 or probation.proves(packet, now=now):
            self._change_source(packet.ssrc, now)
        else:
            if probation.hold(packet, now=now):
                self.drop("ssrc")
            return
        self._take(packet, now)

    def _change_source(self, ssrc: int, now: float) -> None:
        """Go on with another source: first what is left of the one before, then its beginning."""
        self._in_order.begin_again()
        self._hand_on(now)
        self._begin(ssrc)
        held, held_at = self._probation.held, self._probation.held_at
        self._probation.present(now=now)
        if held is not None and held.ssrc == ssrc:
            self._take(held, held_at)
        elif held is not None:
            self.drop("ssrc")

    def _take(self, packet: RtpPacket, now: float) -> None:
        """Take a packet that is the peer's."""
        number, sequence, timestamp, _ = packet[:4]
        self.packets += 1
        self.last_received = now
        name = self._formats[number]
        self.source.receive(sequence, timestamp, arrival=now, timed=name != EVENT)
        if self.line is not None and name in G711:  # the order is the playout buffer's to make
            self.line.put(name, packet, now=now)
        late = self._in_order.late
        self._in_order.put(sequence, (now, packet), now=now)
        if self._in_order.late != late and name in G711 and not self.deaf:
            self._keep_late(G711[name], packet)
        self._hand_on(now)

    def _keep_late(self, codec: TableCodec, packet: RtpPacket) -> None:
        """Keep sound whose turn is over: a recording still has a place for it."""
        at = self._clock.place_of(packet.timestamp)
        if at is not None and len(self.late) < LATES and len(packet.payload) <= LATE_SAMPLES:
            self.late.append((at, codec.decode(packet.payload)))

    def _hand_on(self, now: float) -> None:
        """Take what is in order by now."""
        for came_at, packet in self._in_order.take(now=now):
            name = self._formats.get(packet.payload_type)
            if name == EVENT:
                self._take_event(packet)
            elif name == NOISE:
                self._take_noise(packet)
            elif name in CODECS and packet.payload:
                if name != self.codec:
                    self._change_codec(name)
                if not self.deaf:
                    self._collect(packet.timestamp, packet.payload, came_at)

    @property
    def told(self) -> tuple[int, TelephoneEvent] | None:
        """The last telephone event, with its timestamp, once its digit has been handed on."""
        return None if self.digits else self._events.last(self.ssrc)

    def _take_event(self, packet: RtpPacket) -> None:
        try:
            digit = self._events.receive(packet)
            if self.line is not None:
                self.line.press(packet)
        except RemoteProtocolError:
            return self.drop("malformed_event")
        if digit is not None:
            self.digits.append(Digit(digit, 1000 * self._events.duration // self._event_clock))
        return None

    def _take_noise(self, packet: RtpPacket) -> None:
        level = read_level(packet.payload)
        if level is None:
            return
        self.noise = level
        if self.line is not None:
            self.line.set_noise(amplitude(level))

    def _change_codec(self, name: str) -> None:
        """Go on with another codec; what was heard is brought to its rate."""
        decode((self,))
        self.codec, codec = name, CODECS[name]
        self._decode = None if name in G711 else codec.decoder()
        self._heard.change_rate(codec.rate)
        if codec.format.clock_rate != self.clock_rate:
            self.clock_rate = codec.format.clock_rate
            self.source.change_clock(self.clock_rate)
            self._clock, self._next_timestamp = MediaClock(self.clock_rate), None

    def _collect(self, timestamp: int, payload: bytes, came_at: float) -> None:
        """Add a payload to what is heard; where audio was lost, silence before it."""
        at = self._clock.time_of(timestamp, now=came_at)
        missing = 0
        if not self.fresh and not self._heard:
            self._heard.at = at
        elif self._next_timestamp is not None:
            missing = (timestamp - self._next_timestamp) & 0xFFFFFFFF
        missing = missing if missing <= LONGEST_FILL * self.clock_rate else 0
        if self._decode is not None:
            units = self._hear_frame(self._decode, payload, missing)
        else:
            units = len(payload)
            if missing:
                self.fresh.append(bytes((G711[self.codec].silence,)) * missing)
            self.fresh.append(payload)
        self._next_timestamp = (timestamp + units) & 0xFFFFFFFF

    def _hear_frame(self, decode: Callable[[bytes], Samples], payload: bytes, missing: int) -> int:
        """Decode one packet; returns how long it lasts, in units of the timestamp."""
        try:
            units, voice = self._heard.add_frame(
                decode, payload, missing=missing, clock_rate=self.clock_rate
            )
        except RemoteProtocolError:
            self.drop("undecodable")
            return 0
        self._voice |= voice
        return units


def decode(receivers: Iterable[Receiver]) -> None:
    """Decode what is fresh of each receiver, and measure its power.

    All streams of a codec are one array: a few calls into numpy a tick, not several a packet.
    """
    waiting: dict[str, list[Receiver]] = {}
    for receiver in receivers:
        if receiver.fresh:
            waiting.setdefault(receiver.codec, []).append(receiver)
    for codec, group in waiting.items():
        payloads = [b"".join(receiver.fresh) for receiver in group]
        samples = G711[codec].decode(b"".join(payloads))
        ends = list(itertools.accumulate(map(len, payloads)))  # a byte is a sample
        starts = [0, *ends[:-1]]
        wide = samples.astype(np.float32)
        powers = np.add.reduceat(wide * wide, starts).tolist()
        for receiver, start, end, power in zip(group, starts, ends, powers, strict=True):
            receiver.hear(samples[start:end], power)
