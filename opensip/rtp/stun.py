"""STUN messages as ICE needs them: RFC 8489. They share RTP's port (RFC 7983)."""

import hashlib
import hmac
import ipaddress
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from opensip.errors import RemoteProtocolError

BINDING_REQUEST = 0x0001
BINDING_INDICATION = 0x0011
BINDING_SUCCESS = 0x0101
BINDING_ERROR = 0x0111

USERNAME = 0x0006
MESSAGE_INTEGRITY = 0x0008
ERROR_CODE = 0x0009
UNKNOWN_ATTRIBUTES = 0x000A
XOR_MAPPED_ADDRESS = 0x0020
PRIORITY = 0x0024  # RFC 8445 section 7.1, as the three below
USE_CANDIDATE = 0x0025
FINGERPRINT = 0x8028
ICE_CONTROLLED = 0x8029
ICE_CONTROLLING = 0x802A

# what must be understood and is (section 14); others from 0 to 0x7FFF get a 420
_UNDERSTOOD = {USERNAME, MESSAGE_INTEGRITY, XOR_MAPPED_ADDRESS, PRIORITY, USE_CANDIDATE}
_COMPREHENSION_OPTIONAL = 0x8000
_COOKIE = 0x2112A442
_HEADER = struct.Struct("!HHI12s")
_ATTRIBUTE = struct.Struct("!HH")
_FINGERPRINT_XOR = 0x5354554E
_LARGEST = 1500  # octets: RFC 8489 section 6.1 keeps messages within a path's MTU
_INTEGRITY_SIZE, _FINGERPRINT_SIZE = 24, 8  # octets of the whole attributes

Attributes = tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True)
class StunMessage:
    """One message: type, transaction id of 12 octets, attributes in order, as they came.

    What follows MESSAGE-INTEGRITY is left out but for FINGERPRINT (section 14.5).
    """

    kind: int
    transaction: bytes
    attributes: Attributes = ()

    @classmethod
    def parse(cls, data: bytes) -> "StunMessage":
        """Read a message, whose FINGERPRINT must fit where it has one.

        Raises RemoteProtocolError for whatever is none.
        """
        if not _HEADER.size <= len(data) <= _LARGEST:
            raise RemoteProtocolError(f"STUN of {len(data)} octets is too short or too long")
        kind, length, cookie, transaction = _HEADER.unpack_from(data)
        if kind >> 14 or cookie != _COOKIE or length % 4 or length != len(data) - _HEADER.size:
            raise RemoteProtocolError("STUN header is malformed")
        attributes = []
        signed = False
        for offset, number, value in _attributes(data):
            if number == FINGERPRINT:
                _check_fingerprint(data, offset, value)
            if not signed or number == FINGERPRINT:
                attributes.append((number, value))
            signed = signed or number == MESSAGE_INTEGRITY
        return cls(kind, transaction, tuple(attributes))

    def get(self, number: int) -> bytes | None:
        """Return the first attribute of that type."""
        return next((value for n, value in self.attributes if n == number), None)

    def unknown(self) -> tuple[int, ...]:
        """Tell which attributes would have to be understood, and are not."""
        numbers = (number for number, _ in self.attributes if number < _COMPREHENSION_OPTIONAL)
        return tuple(number for number in numbers if number not in _UNDERSTOOD)

    def to_bytes(self, key: bytes) -> bytes:
        """Write the message, signed with `key` (MESSAGE-INTEGRITY), FINGERPRINT at its end."""
        body = b"".join(_write(number, value) for number, value in self.attributes)
        signed = self._header(len(body) + _INTEGRITY_SIZE) + body
        body += _write(MESSAGE_INTEGRITY, hmac.digest(key, signed, hashlib.sha1))
        whole = self._header(len(body) + _FINGERPRINT_SIZE) + body
        return whole + _write(FINGERPRINT, _fingerprint(whole))

    def _header(self, length: int) -> bytes:
        return _HEADER.pack(self.kind, length, _COOKIE, self.transaction)


def is_stun(data: bytes) -> bool:
    """Tell by the first octet whether a datagram beside RTP is STUN (RFC 7983 section 7)."""
    return bool(data) and data[0] <= 3


def is_authentic(data: bytes, key: bytes) -> bool:
    """Tell whether a message that parses is signed with `key`."""
    for offset, number, value in _attributes(data):
        if number == MESSAGE_INTEGRITY:
            length = offset + _INTEGRITY_SIZE - _HEADER.size
            signed = data[:2] + length.to_bytes(2, "big") + data[4:offset]
            return hmac.compare_digest(hmac.digest(key, signed, hashlib.sha1), value)
    return False


def xor_address(host: str, port: int, transaction: bytes) -> bytes:
    """Write the value of XOR-MAPPED-ADDRESS (section 14.2)."""
    address = ipaddress.ip_address(host)
    mask = _COOKIE.to_bytes(4, "big") + transaction
    family = 1 if address.version == 4 else 2
    hidden = bytes(a ^ b for a, b in zip(address.packed, mask, strict=False))
    return struct.pack("!BBH", 0, family, port ^ _COOKIE >> 16) + hidden


def read_xor_address(value: bytes, transaction: bytes) -> tuple[str, int]:
    """Read the value of XOR-MAPPED-ADDRESS. Raises RemoteProtocolError."""
    sizes = {1: 4, 2: 16}
    if len(value) < 4 or len(value) - 4 != sizes.get(value[1]):
        raise RemoteProtocolError("STUN address is malformed")
    mask = _COOKIE.to_bytes(4, "big") + transaction
    packed = bytes(a ^ b for a, b in zip(value[4:], mask, strict=False))
    port = int.from_bytes(value[2:4], "big") ^ _COOKIE >> 16
    return str(ipaddress.ip_address(packed)), port


def error_code(status: int, reason: str) -> bytes:
    """Write the value of ERROR-CODE (section 14.8)."""
    return bytes((0, 0, status // 100, status % 100)) + reason.encode()


def _attributes(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Give offset, type and value of each attribute. Raises RemoteProtocolError."""
    offset = _HEADER.size
    while offset < len(data):
        number, length = _ATTRIBUTE.unpack_from(data, offset)  # the whole is a multiple of 4
        end = offset + _ATTRIBUTE.size + length
        if end > len(data):
            raise RemoteProtocolError(f"STUN attribute {number:#06x} exceeds the message")
        yield offset, number, data[offset + _ATTRIBUTE.size : end]
        offset = end + -length % 4


def _check_fingerprint(data: bytes, offset: int, value: bytes) -> None:
    last = offset + _FINGERPRINT_SIZE == len(data)
    if not last or value != _fingerprint(data[:offset]):
        raise RemoteProtocolError("STUN FINGERPRINT does not fit")


def _fingerprint(data: bytes) -> bytes:
    return (zlib.crc32(data) ^ _FINGERPRINT_XOR).to_bytes(4, "big")


def _write(number: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(number, len(value)) + value + bytes(-len(value) % 4)
