"""RTCP: RFC 3550 section 6. Sender and receiver reports, source descriptions, goodbyes."""

import struct
from dataclasses import dataclass

from opensip.errors import LocalProtocolError, RemoteProtocolError

SENDER_REPORT, RECEIVER_REPORT, SOURCE_DESCRIPTION, GOODBYE = 200, 201, 202, 203
CNAME = 1
NTP_EPOCH = 2_208_988_800  # seconds from 1900 to 1970

_HEADER = struct.Struct("!BBH")
_SENDER = struct.Struct("!IQIII")
_BLOCK = struct.Struct("!IIIIII")


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """How one source was received (section 6.4.1).

    `fraction_lost` is in 1/256; `jitter` in timestamp units; `last_sr` the middle 32 bits of
    the NTP time of its last sender report, and `delay` the time since then, in 1/65536 s.
    """

    ssrc: int
    fraction_lost: int
    lost: int
    highest_sequence: int
    jitter: int
    last_sr: int = 0
    delay: int = 0


@dataclass(frozen=True, slots=True)
class SenderReport:
    """What a sender sent, and what it received (section 6.4.1). `ntp` is of 64 bits."""

    ssrc: int
    ntp: int
    rtp_timestamp: int
    packets: int
    octets: int
    reports: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    """What one who sends nothing received (section 6.4.2)."""

    ssrc: int
    reports: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceDescription:
    """Who a source is: items of (type, text), mostly its CNAME (section 6.5)."""

    ssrc: int
    items: tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True)
class Goodbye:
    """Sources that leave (section 6.6)."""

    ssrcs: tuple[int, ...]
    reason: bytes = b""


RtcpPacket = SenderReport | ReceiverReport | SourceDescription | Goodbye


def is_rtcp(data: bytes) -> bool:
    """Tell RTCP from RTP on one port: RFC 5761 section 4."""
    return len(data) >= 8 and data[0] >> 6 == 2 and 192 <= data[1] <= 223


def ntp_time(unix_seconds: float) -> int:
    """Convert seconds since 1970 to the 64-bit NTP format (section 4)."""
    return int((unix_seconds + NTP_EPOCH) * (1 << 32)) & 0xFFFFFFFFFFFFFFFF


def round_trip(block: ReportBlock, ntp: int) -> float | None:
    """Compute the round trip in seconds from a block that came at `ntp` (section 6.4.1)."""
    if not block.last_sr:
        return None
    units = ((ntp >> 16) - block.last_sr - block.delay) & 0xFFFFFFFF
    return units / 65536 if units < 0x80000000 else 0.0  # clocks may say less than nothing


def parse_compound(data: bytes) -> list[RtcpPacket]:
    """Read a compound packet; types we do not know are left out. Raises RemoteProtocolError.

    So the list is empty for what is wholly unknown, such as the APP that opens a peer's NAT.
    Reduced-size packets (RFC 5506), which begin with something else, are read too.
    """
    packets: list[RtcpPacket] = []
    start = 0
    while start < len(data):
        if start + 4 > len(data):
            raise RemoteProtocolError("RTCP packet ends inside a header")
        first, kind, words = _HEADER.unpack_from(data, start)
        end = start + 4 + 4 * words
        if first >> 6 != 2 or end > len(data):
            raise RemoteProtocolError(f"RTCP version {first >> 6}, {words} words: not RTCP")
        if not 192 <= kind <= 223:
            raise RemoteProtocolError(f"{kind} is no type of RTCP (RFC 5761 section 4)")
        body = data[start + 4 : end]
        if first & 0x20:
            body = _without_padding(body, last=end == len(data))
        try:
            packets += _parse(kind, first & 0x1F, body)
        except (struct.error, IndexError) as error:
            raise RemoteProtocolError(f"RTCP packet of type {kind} is cut short") from error
        start = end
    if not data:
        raise RemoteProtocolError("RTCP of no bytes")
    return packets


def serialize_compound(*packets: RtcpPacket) -> bytes:
    """Write a compound packet. Raises LocalProtocolError on impossible fields."""
    try:
        return b"".join(map(_serialize, packets))
    except struct.error as error:
        raise LocalProtocolError(f"RTCP field out of range: {error}") from error


def _without_padding(body: bytes, *, last: bool) -> bytes:
    padding = body[-1] if body else 0
    if not last or padding == 0 or padding % 4 or padding > len(body):
        raise RemoteProtocolError(f"RTCP padding of {padding} bytes does not fit")
    return body[:-padding]


def _parse(kind: int, count: int, body: bytes) -> list[RtcpPacket]:
    match kind:
        case 200:
            ssrc, ntp, timestamp, packets, octets = _SENDER.unpack_from(body)
            blocks = _parse_blocks(body, 24, count)
            return [SenderReport(ssrc, ntp, timestamp, packets, octets, blocks)]
        case 201:
            (ssrc,) = struct.unpack_from("!I", body)
            return [ReceiverReport(ssrc, _parse_blocks(body, 4, count))]
        case 202:
            return _parse_descriptions(body, count)
        case 203:
            ssrcs = struct.unpack_from(f"!{count}I", body)
            rest = body[4 * count :]
            if rest and 1 + rest[0] > len(rest):
                raise RemoteProtocolError("RTCP goodbye: its reason is cut short")
            return [Goodbye(ssrcs, rest[1 : 1 + rest[0]] if rest else b"")]
        case _:
            return []


def _parse_blocks(body: bytes, start: int, count: int) -> tuple[ReportBlock, ...]:
    blocks = []
    for offset in range(start, start + 24 * count, 24):
        ssrc, loss, highest, jitter, last_sr, delay = _BLOCK.unpack_from(body, offset)
        lost = loss & 0xFFFFFF
        lost -= (lost & 0x800000) << 1  # a signed number of 24 bits
        blocks.append(ReportBlock(ssrc, loss >> 24, lost, highest, jitter, last_sr, delay))
    return tuple(blocks)


def _parse_descriptions(body: bytes, count: int) -> list[RtcpPacket]:
    chunks: list[RtcpPacket] = []
    position = 0
    for _ in range(count):
        (ssrc,) = struct.unpack_from("!I", body, position)
        position += 4
        items = []
        while body[position]:
            end = position + 2 + body[position + 1]
            if end > len(body):
                raise RemoteProtocolError("RTCP source description: an item is cut short")
            items.append((body[position], body[position + 2 : end]))
            position = end
        position += 4 - position % 4  # at least one null, to the next word
        chunks.append(SourceDescription(ssrc, tuple(items)))
    return chunks


def _serialize(packet: RtcpPacket) -> bytes:
    kind, count, body = _kind_count_body(packet)
    if count > 31:
        raise LocalProtocolError(f"RTCP packet with {count} blocks; 31 fit")
    return _HEADER.pack(0x80 | count, kind, len(body) // 4) + body


def _kind_count_body(packet: RtcpPacket) -> tuple[int, int, bytes]:
    if isinstance(packet, SenderReport):
        times = (packet.ntp, packet.rtp_timestamp)
        body = _SENDER.pack(packet.ssrc, *times, packet.packets, packet.octets)
        body += b"".join(map(_serialize_block, packet.reports))
        return SENDER_REPORT, len(packet.reports), body
    if isinstance(packet, ReceiverReport):
        body = struct.pack("!I", packet.ssrc) + b"".join(map(_serialize_block, packet.reports))
        return RECEIVER_REPORT, len(packet.reports), body
    if isinstance(packet, SourceDescription):
        body = struct.pack("!I", packet.ssrc)
        body += b"".join(struct.pack("!BB", t, len(text)) + text for t, text in packet.items)
        return SOURCE_DESCRIPTION, 1, body + bytes(4 - len(body) % 4)
    body = struct.pack(f"!{len(packet.ssrcs)}I", *packet.ssrcs)
    if packet.reason:
        body += struct.pack("!B", len(packet.reason)) + packet.reason
    return GOODBYE, len(packet.ssrcs), body + bytes(-len(body) % 4)


def _serialize_block(block: ReportBlock) -> bytes:
    lost = min(max(block.lost, -0x800000), 0x7FFFFF) & 0xFFFFFF
    loss = block.fraction_lost << 24 | lost
    fields = (block.highest_sequence, block.jitter, block.last_sr, block.delay)
    return _BLOCK.pack(block.ssrc, loss, *fields)
