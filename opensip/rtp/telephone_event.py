"""Digits as telephone events: RFC 4733 section 2."""

import struct
from typing import NamedTuple

from opensip.errors import LocalProtocolError, RemoteProtocolError
from opensip.rtp.packet import RtpPacket

DIGITS = "0123456789*#ABCD"
ENDS = 3  # the last packet is sent three times (section 2.5.1.4)
MAX_DURATION = 0xFFFF  # timestamp units, 8 s at 8 kHz
LATEST = 2 * (MAX_DURATION + 1)  # timestamp units; what is older is a clock that was set anew

_PAYLOAD = struct.Struct("!BBH")


class TelephoneEvent(NamedTuple):
    """The payload of one packet (section 2.3). `duration` is in timestamp units so far.

    `volume` is in dBm0 without its sign, 0 to 63.
    """

    event: int
    ended: bool
    volume: int
    duration: int

    @classmethod
    def parse(cls, payload: bytes) -> "TelephoneEvent":
        """Read the first four bytes; whatever follows is ignored. Raises RemoteProtocolError."""
        if len(payload) < 4:
            raise RemoteProtocolError(f"telephone event of {len(payload)} bytes")
        event, flags, duration = _PAYLOAD.unpack_from(payload)
        return cls(event, flags > 0x7F, flags & 0x3F, duration)

    def serialize(self) -> bytes:
        """Write the payload."""
        return _PAYLOAD.pack(self.event, self.volume | (0x80 if self.ended else 0), self.duration)


class TelephoneEventReceiver:
    """Tells each digit once, at its first packet: marker, start or end may be missing.

    A digit is known by its timestamp (section 2.5.1.3), however often its packets come.
    `duration` is how long the last digit has lasted so far, in timestamp units of `clock_rate`.
    """

    def __init__(self, clock_rate: int = 8000) -> None:
        self.duration = 0
        self._tolerance = clock_rate // 50  # a packet time
        self._ssrc: int | None = None
        self._timestamp = 0
        self._earlier = 0  # the length of the segments before this one
        self._sequence = 0  # of the newest packet of the current digit
        self._current = TelephoneEvent(0, True, 0, 0)

    def last(self, ssrc: int) -> tuple[int, TelephoneEvent] | None:
        """Give the timestamp and the newest state of the last event of a source, if it had one."""
        return (self._timestamp, self._current) if ssrc == self._ssrc else None

    def receive(self, packet: RtpPacket) -> str | None:
        """Take a packet; returns the digit that began with it. Raises RemoteProtocolError.

        Events that are not digits (hook flash, tones) are passed over.
        """
        event = TelephoneEvent.parse(packet.payload)
        step = (packet.timestamp - self._timestamp) & 0xFFFFFFFF
        if packet.ssrc == self._ssrc:
            if step == 0 and event.event == self._current.event:
                return self._follow(packet, event)
            if step >= 0x100000000 - LATEST:  # a late packet of an earlier digit
                return None
            if self._goes_on(packet, event, step):
                if event.duration < self._current.duration:  # it counts from 0 again
                    self._earlier += step
                self._timestamp, self._current = packet.timestamp, event
                self._sequence = packet.sequence
                self.duration = self._earlier + event.duration
                return None
        return self._begin(packet, event)

    def _begin(self, packet: RtpPacket, event: TelephoneEvent) -> str | None:
        self._ssrc, self._timestamp = packet.ssrc, packet.timestamp
        self._sequence = packet.sequence
        self._current, self.duration, self._earlier = event, event.duration, 0
        return DIGITS[event.event] if event.event < len(DIGITS) else None

    def _follow(self, packet: RtpPacket, event: TelephoneEvent) -> str | None:
        """Take one more packet of the current digit, or of the next under the same timestamp.

        Some senders forget to move the timestamp on: then the marker tells of a new press.
        """
        newer = 0 < (packet.sequence - self._sequence) & 0xFFFF < 0x8000
        again = packet.marker and event.duration < self._current.duration
        if newer and again and self._current.ended:
            return self._begin(packet, event)
        if newer:
            self._sequence = packet.sequence
        duration = max(self._current.duration, event.duration)
        self.duration = self._earlier + duration
        ended = self._current.ended or event.ended
        self._current = event._replace(ended=ended, duration=duration)
        return None

    def _goes_on(self, packet: RtpPacket, event: TelephoneEvent, step: int) -> bool:
        """Tell whether a new timestamp still means the same key press.

        So it is in the segments of a long one (section 2.5.1.3), and with senders that wrongly
        let the timestamp run on. A press that follows is at least a pause away.
        """
        same = event.event == self._current.event and not self._current.ended
        return same and not packet.marker and step <= self._current.duration + self._tolerance


class EventPacket(NamedTuple):
    """What to send in one tick in place of audio, under the timestamp of the digit's start."""

    payload: bytes
    marker: bool


class TelephoneEventSender:
    """Makes the packets of one digit, one for each packet time, and its end thrice.

    All bear the timestamp at which the digit began; audio goes on `duration` units later.
    Raises LocalProtocolError for what is not a digit or lasts too long.
    """

    def __init__(
        self,
        digit: str,
        *,
        duration_ms: int = 160,
        clock_rate: int = 8000,
        ptime: int = 20,
        volume: int = 10,
    ) -> None:
        if len(digit) != 1 or digit.upper() not in DIGITS:
            raise LocalProtocolError(f"{digit!r} is not one of {DIGITS}")
        step = clock_rate * ptime // 1000
        count = max(1, duration_ms // ptime)
        self.duration = count * step
        if self.duration > MAX_DURATION:
            raise LocalProtocolError(f"a digit of {duration_ms} ms is longer than one event")
        self._event = DIGITS.index(digit.upper())
        self._volume = volume
        self._durations = range(step, self.duration + step, step)

    def packets(self) -> list[EventPacket]:
        """List what to send, tick by tick."""
        sent = [EventPacket(self._payload(d, False), n == 0) for n, d in enumerate(self._durations)]
        return sent + [EventPacket(self._payload(self.duration, True), False)] * ENDS

    def _payload(self, duration: int, ended: bool) -> bytes:
        return TelephoneEvent(self._event, ended, self._volume, duration).serialize()
