"""A STUN message is parsed, or refused with RemoteProtocolError, and nothing else.

What was parsed, written again and signed, reads the same, and nobody without the password gets an
answer.
"""

from opensip.errors import RemoteProtocolError
from opensip.rtp.ice_lite import IceLite
from opensip.rtp.stun import StunMessage, is_authentic, read_xor_address
from tests.fuzz.target import Fault, Target

_PASSWORD = "passwordpasswordpassword"
_TRANSACTION = bytes(range(12))
_USER = (0x0006, b"ours:them")
_SIGNATURES = (0x0008, 0x8028)
_LARGEST = 1500 - 32  # octets that may be signed once more


def one_input(data: bytes) -> None:
    ice = IceLite("ours", _PASSWORD, "them")
    assert ice.receive(data, ("192.0.2.1", 4000)) is None
    try:
        message = StunMessage.parse(data)
    except RemoteProtocolError:
        assert ice.dropped == {"stun_malformed": 1}
        return
    is_authentic(data, b"another")
    unsigned = tuple(a for a in message.attributes if a[0] not in _SIGNATURES)
    if len(data) > _LARGEST:
        return
    again = StunMessage(message.kind, message.transaction, unsigned).to_bytes(b"another")
    assert StunMessage.parse(again).attributes[:-2] == unsigned
    assert is_authentic(again, b"another")
    for _, value in message.attributes:
        try:
            read_xor_address(value, message.transaction)
        except RemoteProtocolError:
            continue


def _message(*attributes: tuple[int, bytes], kind: int = 1) -> bytes:
    return StunMessage(kind, _TRANSACTION, attributes).to_bytes(b"forged")


def _bare(body: bytes) -> bytes:
    return b"\x00\x01" + len(body).to_bytes(2, "big") + b"\x21\x12\xa4\x42" + _TRANSACTION + body


TARGET = Target(
    one_input,
    parser=("opensip.rtp.stun:StunMessage.parse", "opensip.rtp.stun:_attributes"),
    seeds=(
        _message(_USER, (0x0024, bytes(4)), (0x0025, b"")),
        _message((0x0020, b"\x00\x01" + bytes(6)), (0x0020, b"\x00\x02" + bytes(18)), kind=0x101),
        _message(kind=0x11),
        _message((0x7777, b"abc")),
        _message(_USER)[:-8],
        _message(_USER)[:19],
        _bare(b"\x00\x06\x00\x09ours"),
        _bare(b"\x80\x28\x00\x04abcd"),
        _bare(b"\x00\x08\x00\x00\x00\x25\x00\x00"),
        b"\x00\x01\x00\x04" + bytes(16),
    ),
    fault=Fault("opensip.rtp.stun", "if not _HEADER.size <= len(data) <= _LARGEST:", "if False:"),
    dear=(_bare(b"\x00\x06\x00\x00" * 370), _bare(b"\x00\x08\x00\x00" * 370)),
)
