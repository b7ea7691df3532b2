import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.errors import RemoteProtocolError
from opensip.rtp.stun import (
    BINDING_REQUEST,
    BINDING_SUCCESS,
    ERROR_CODE,
    FINGERPRINT,
    ICE_CONTROLLING,
    PRIORITY,
    USERNAME,
    XOR_MAPPED_ADDRESS,
    StunMessage,
    error_code,
    is_authentic,
    is_stun,
    read_xor_address,
    xor_address,
)

# RFC 5769 sections 2.1 to 2.3
PASSWORD = b"VOkJxbRl1RmTxUk/WvJxBt"
TRANSACTION = bytes.fromhex("b7e7a701bc34d686fa87dfae")
REQUEST = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74"
    "002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020"
    "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf"
)
RESPONSE = bytes.fromhex(
    "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220"
    "002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96"
)


def test_the_request_of_rfc_5769():
    message = StunMessage.parse(REQUEST)
    assert (message.kind, message.transaction) == (BINDING_REQUEST, TRANSACTION)
    assert message.get(USERNAME) == b"evtj:h6vY"
    assert message.get(PRIORITY) == bytes.fromhex("6e0001ff")
    assert message.unknown() == ()
    assert is_authentic(REQUEST, PASSWORD)
    assert not is_authentic(REQUEST, PASSWORD[:-1])


def test_the_response_of_rfc_5769():
    message = StunMessage.parse(RESPONSE)
    value = message.get(XOR_MAPPED_ADDRESS)
    assert value is not None
    assert read_xor_address(value, TRANSACTION) == ("192.0.2.1", 32853)
    assert xor_address("192.0.2.1", 32853, TRANSACTION) == value
    assert is_authentic(RESPONSE, PASSWORD)


def test_the_ipv6_address_of_rfc_5769():
    value = xor_address("2001:db8:1234:5678:11:2233:4455:6677", 32853, TRANSACTION)
    assert value.hex() == "0002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
    host = "2001:db8:1234:5678:11:2233:4455:6677"
    assert read_xor_address(value, TRANSACTION) == (host, 32853)


@pytest.mark.parametrize("value", [b"", b"\x00\x01\x00", b"\x00\x03" + bytes(6), bytes(8)])
def test_an_address_of_no_family(value):
    with pytest.raises(RemoteProtocolError):
        read_xor_address(value, TRANSACTION)


numbers = st.integers(0, 0xFFFF).filter(lambda n: n not in (0x0008, 0x8028))
attributes = st.lists(st.tuples(numbers, st.binary(max_size=40)), max_size=6).map(tuple)


@given(st.sampled_from((1, 0x11, 0x101, 0x111)), st.binary(min_size=12, max_size=12), attributes)
def test_what_is_written_is_read_the_same(kind, transaction, some):
    written = StunMessage(kind, transaction, some).to_bytes(b"key")
    read = StunMessage.parse(written)
    assert (read.kind, read.transaction, read.attributes[:-2]) == (kind, transaction, some)
    assert is_authentic(written, b"key")
    assert not is_authentic(written, b"another")


@given(st.integers(0, 8 * len(REQUEST) - 1))
def test_every_flipped_bit_is_found(bit):
    damaged = bytearray(REQUEST)
    damaged[bit // 8] ^= 1 << bit % 8
    try:
        message = StunMessage.parse(bytes(damaged))
    except RemoteProtocolError:
        return
    # only where there is no FINGERPRINT any more, be it that a longer attribute has swallowed it
    assert message.get(FINGERPRINT) is None


@given(st.binary(max_size=200) | st.binary(max_size=80).map(lambda b: REQUEST[:20] + b))
def test_anything_is_read_or_refused(data):
    try:
        StunMessage.parse(data)
    except RemoteProtocolError:
        return
    is_authentic(data, b"key")


@pytest.mark.parametrize(
    "data",
    [
        REQUEST[:19],
        REQUEST[:-4],
        REQUEST + bytes(4),
        b"\x40" + REQUEST[1:],
        REQUEST[:4] + bytes(4) + REQUEST[8:],
        b"\x00\x01\x00\x04" + REQUEST[4:20] + b"\x00\x06\x00\x01",
        b"\x00\x01\x00\x02" + REQUEST[4:20] + b"\x00\x06",
    ],
)
def test_what_is_no_message(data):
    with pytest.raises(RemoteProtocolError):
        StunMessage.parse(data)


def test_nothing_counts_after_the_signature():
    body = StunMessage(1, TRANSACTION).to_bytes(b"key")[20:44]
    late = body + b"\x00\x25\x00\x00"
    data = b"\x00\x01" + len(late).to_bytes(2, "big") + REQUEST[4:20] + late
    assert StunMessage.parse(data).get(0x25) is None


def test_unsigned_is_not_authentic():
    assert not is_authentic(b"\x00\x01\x00\x00" + REQUEST[4:20], b"")


def test_a_message_says_what_it_does_not_understand():
    message = StunMessage(1, TRANSACTION, ((0x7777, b""), (ICE_CONTROLLING, b""), (0x9999, b"")))
    assert message.unknown() == (0x7777,)


def test_errors_are_written_as_class_and_number():
    message = StunMessage(BINDING_SUCCESS, TRANSACTION, ((ERROR_CODE, error_code(487, "No")),))
    assert message.get(ERROR_CODE) == b"\x00\x00\x04\x57No"


def test_the_first_octet_tells_stun():
    assert is_stun(REQUEST)
    assert not is_stun(b"")
    assert not is_stun(b"\x04")


def test_what_is_longer_than_any_path_carries_is_refused():
    def message(size):
        return StunMessage(BINDING_REQUEST, TRANSACTION, ((0x8022, bytes(size)),)).to_bytes(b"key")

    longest = message(1500 - 20 - 4 - 24 - 8)
    assert len(longest) == 1500
    assert StunMessage.parse(longest).get(0x8022)
    with pytest.raises(RemoteProtocolError, match="1504 octets"):
        StunMessage.parse(message(1500 - 20 - 4 - 24 - 8 + 4))
