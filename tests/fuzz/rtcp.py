"""A compound RTCP packet is parsed, or refused with RemoteProtocolError, and nothing else.

What was parsed can be written, and then reads the same.
"""

from opensip.errors import RemoteProtocolError
from opensip.rtp.rtcp import (
    Goodbye,
    ReceiverReport,
    ReportBlock,
    RtcpPacket,
    SenderReport,
    SourceDescription,
    is_rtcp,
    parse_compound,
    round_trip,
    serialize_compound,
)
from tests.fuzz.target import Fault, Target


def one_input(data: bytes) -> None:
    is_rtcp(data)
    try:
        packets = parse_compound(data)
    except RemoteProtocolError:
        return
    for packet in packets[:64]:  # writing them is not what is measured
        assert parse_compound(serialize_compound(packet)) == [packet]
        _round_trips(packet)


def _round_trips(packet: RtcpPacket) -> None:
    if isinstance(packet, SenderReport | ReceiverReport):
        for block in packet.reports:
            trip = round_trip(block, 1 << 40)
            assert trip is None or 0 <= trip < 65536


_BLOCK = ReportBlock(1, 2, -3, 4, 5, 6, 7)
_REPORT = SenderReport(1, 2 << 32, 3, 4, 5, (_BLOCK, _BLOCK))
_NAMES = SourceDescription(1, ((1, b"a@b"), (2, b"Ann")))
_EMPTY_BYE, _EMPTY_NAMES, _UNKNOWN = b"\x80\xcb\0\0", b"\x80\xca\0\0", b"\x80\xcc\0\0"
TARGET = Target(
    one_input,
    parser=(
        "opensip.rtp.rtcp:parse_compound",
        "opensip.rtp.rtcp:_parse",
        "opensip.rtp.rtcp:_without_padding",
        "opensip.rtp.rtcp:is_rtcp",
        "opensip.rtp.rtcp:round_trip",
    ),
    seeds=(
        serialize_compound(_REPORT, _NAMES, Goodbye((1, 2), b"done")),
        serialize_compound(ReceiverReport(1, (_BLOCK,)), _NAMES),
        serialize_compound(ReceiverReport(1), Goodbye((1,))),
        serialize_compound(ReceiverReport(1)) + b"\xa0\xc9\x00\x02\0\0\0\1\0\0\0\4",
        _UNKNOWN,
        b"\x80\xc8\0\0",
        b"\x40\xc8\0\0",
        b"\xa0\xcb\0\1\0\0\0\3",
        b"\x80\xcb\0\1\xff\0\0\0",
        b"\x81\xca\0\2\0\0\0\1\1\xff\0\0",
        b"\x80",
    ),
    fault=Fault("opensip.rtp.rtcp", "except (struct.error, IndexError)", "except struct.error"),
    dear=tuple(
        piece * (65536 // len(piece))
        for piece in (
            _EMPTY_BYE,
            _EMPTY_NAMES,
            _UNKNOWN,
            serialize_compound(ReceiverReport(1)),
            serialize_compound(ReceiverReport(1, (_BLOCK,) * 31)),
            serialize_compound(_NAMES),
            b"\x9f\xca\x00\x3e" + b"\0\0\0\1\0\0\0\0" * 31,
            b"\x81\xca\x3f\xff\0\0\0\1" + b"\1\0" * 32760 + b"\0" * 8,
        )
    ),
)
