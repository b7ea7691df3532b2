"""The RTP packet: RFC 3550 section 5."""

import struct
from typing import NamedTuple

from opensip.errors import LocalProtocolError, RemoteProtocolError

_HEADER = struct.Struct("!BBHII")
_VERSION_2 = 0x80
MAX_CSRCS = 15  # a four-bit count


class Extension(NamedTuple):
    """A header extension (section 5.3.1): `data` is a whole number of 32-bit words."""

    profile: int
    data: bytes


class RtpPacket(NamedTuple):
    """One RTP packet, less its padding. A tuple, since a hundred thousand are made a second.

    `sequence` is of 16 bits, `timestamp` in units of the payload's clock and of 32 bits.
    """

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False
    csrcs: tuple[int, ...] = ()
    extension: Extension | None = None

    @classmethod
    def parse(cls, data: bytes) -> "RtpPacket":
        """Read one datagram. Raises RemoteProtocolError when it lies about its own lengths."""
        if len(data) < 12:
            raise RemoteProtocolError(f"RTP packet of {len(data)} bytes is shorter than its header")
        first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
        if first == _VERSION_2:  # no padding, extension or CSRC: nearly every packet
            return cls(second & 0x7F, sequence, timestamp, ssrc, data[12:], second > 0x7F)
        if first >> 6 != 2:
            raise RemoteProtocolError(f"RTP version {first >> 6} is not 2")
        start, csrcs, extension = _parse_variable_header(data, first)
        end = _payload_end(data, start) if first & 0x20 else len(data)
        payload = data[start:end]
        return cls(
            second & 0x7F, sequence, timestamp, ssrc, payload, second > 0x7F, csrcs, extension
        )

    def serialize(self) -> bytes:
        """Write the packet, without padding. Raises LocalProtocolError on impossible fields."""
        first = _VERSION_2 | len(self.csrcs) | (0x10 if self.extension else 0)
        second = self.payload_type | (0x80 if self.marker else 0)
        try:
            if len(self.csrcs) > MAX_CSRCS or not 0 <= self.payload_type <= 0x7F:
                raise struct.error(f"{len(self.csrcs)} CSRCs, payload type {self.payload_type}")
            header = _HEADER.pack(first, second, self.sequence, self.timestamp, self.ssrc)
            if first == _VERSION_2:
                return header + self.payload
            return header + self._variable_header() + self.payload
        except struct.error as error:
            raise LocalProtocolError(f"RTP field out of range: {error}") from error

    def _variable_header(self) -> bytes:
        written = struct.pack(f"!{len(self.csrcs)}I", *self.csrcs)
        if self.extension:
            profile, data = self.extension
            if len(data) % 4:
                raise struct.error(f"extension of {len(data)} bytes")
            written += struct.pack("!HH", profile, len(data) // 4) + data
        return written


def _parse_variable_header(
    data: bytes, first: int
) -> tuple[int, tuple[int, ...], Extension | None]:
    """Read CSRCs and extension; the first item is where the payload begins."""
    start = 12 + 4 * (first & 0x0F)
    if start > len(data):
        raise RemoteProtocolError(f"RTP packet ends inside its {first & 0x0F} CSRCs")
    csrcs = struct.unpack_from(f"!{first & 0x0F}I", data, 12)
    if not first & 0x10:
        return start, csrcs, None
    if start + 4 > len(data):
        raise RemoteProtocolError("RTP packet ends inside its header extension")
    profile, words = struct.unpack_from("!HH", data, start)
    end = start + 4 + 4 * words
    if end > len(data):
        raise RemoteProtocolError(f"RTP header extension of {words} words is cut short")
    return end, csrcs, Extension(profile, data[start + 4 : end])


def _payload_end(data: bytes, start: int) -> int:
    """Tell where the payload ends before padding, whose last byte counts itself (5.1)."""
    padding = data[-1]
    if padding == 0 or start + padding > len(data):
        raise RemoteProtocolError(f"RTP padding of {padding} bytes does not fit the packet")
    return len(data) - padding
