"""An RTP packet is parsed, or refused with RemoteProtocolError, and nothing else.

What was parsed, written again without padding, reads the same; telephone events tell digits or
nothing. The input is a row of at most 64 packets, each after its length in two octets.
"""

from collections.abc import Iterator
from itertools import islice

from opensip.errors import RemoteProtocolError
from opensip.rtp.packet import Extension, RtpPacket
from opensip.rtp.telephone_event import DIGITS, TelephoneEvent, TelephoneEventReceiver
from tests.fuzz.target import Fault, Target


def one_input(data: bytes) -> None:
    receiver = TelephoneEventReceiver()
    for octets in islice(_packets(data), 64):
        try:
            packet = RtpPacket.parse(octets)
        except RemoteProtocolError:
            continue
        assert RtpPacket.parse(packet.serialize()) == packet
        try:
            digit = receiver.receive(packet)
        except RemoteProtocolError:
            continue
        assert digit is None or digit in DIGITS
        assert receiver.duration >= 0
        event = TelephoneEvent.parse(packet.payload)
        assert TelephoneEvent.parse(event.serialize()) == event


def _packets(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        yield data[at + 2 : end]
        at = end


def _row(*packets: bytes) -> bytes:
    return b"".join(len(packet).to_bytes(2, "big") + packet for packet in packets)


def _event(
    event: int, duration: int, timestamp: int = 0, ended: bool = False, first: bool = False
) -> bytes:
    payload = TelephoneEvent(event, ended, 10, duration).serialize()
    return RtpPacket(101, 1, timestamp, 7, payload, first).serialize()


_AUDIO = RtpPacket(0, 1, 160, 7, b"\xff" * 160)
_RICH = _AUDIO._replace(csrcs=(1, 2), extension=Extension(0xBEDE, b"\x10\x01\x00\x00"))
_PADDED = b"\xa0" + _AUDIO.serialize()[1:] + b"\x00\x00\x00\x04"
TARGET = Target(
    one_input,
    parser=(
        "opensip.rtp.packet",
        "opensip.rtp.telephone_event:TelephoneEvent.",
        "opensip.rtp.telephone_event:TelephoneEventReceiver",
    ),
    seeds=(
        _row(_AUDIO.serialize(), _RICH.serialize(), _PADDED),
        _row(b"\x80" * 11, b"\x40" * 12, b"\x8f" * 20, b"\x90" * 20, _PADDED + b"\xff"),
        _row(
            _event(1, 160, first=True),
            _event(1, 320),
            _event(1, 480, ended=True),
            _event(2, 160, 4000),
        ),
        _row(
            _event(5, 0xFFFF, 9), _event(5, 160, 0x10008), _event(5, 320, 0x10008), _event(5, 80, 1)
        ),
        _row(_event(3, 160), _event(3, 320, 160), _event(16, 80, 9000), _AUDIO.serialize()[:14]),
    ),
    fault=Fault("opensip.rtp.packet", "if start + 4 > len(data):", "if False:"),
    dear=(
        _row(*[_event(1, 160)] * 64),
        _row(*[_event(n % 12, 160, n * 4000) for n in range(64)]),
        _row(*[_PADDED[:12] + b"\x01"] * 64),
        _row(b"\x90" + b"\x00" * 13 + b"\x3f\xff" + b"\x00" * 65000),
        _row(b"\x80" * 65000),
    ),
)
