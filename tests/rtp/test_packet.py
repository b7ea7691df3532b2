import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.errors import LocalProtocolError, RemoteProtocolError
from opensip.rtp.packet import Extension, RtpPacket

words = st.integers(0, 0xFFFFFFFF)
extensions = st.builds(
    lambda profile, data: Extension(profile, data[: len(data) // 4 * 4]),
    st.integers(0, 0xFFFF),
    st.binary(max_size=64),
)
packets = st.builds(
    RtpPacket,
    payload_type=st.integers(0, 127),
    sequence=st.integers(0, 0xFFFF),
    timestamp=words,
    ssrc=words,
    payload=st.binary(max_size=200),
    marker=st.booleans(),
    csrcs=st.lists(words, max_size=15).map(tuple),
    extension=st.none() | extensions,
)


@given(packets)
def test_what_is_written_is_read_back(packet):
    assert RtpPacket.parse(packet.serialize()) == packet


@given(st.binary(max_size=100))
def test_random_bytes_are_parsed_or_refused(data):
    with contextlib.suppress(RemoteProtocolError):
        RtpPacket.parse(data)


@given(st.integers(0, 255), st.binary(min_size=11, max_size=80))
def test_random_flags_are_parsed_or_refused(flags, rest):
    with contextlib.suppress(RemoteProtocolError):
        RtpPacket.parse(bytes([0x80 | flags]) + rest)


@given(packets, st.integers(0, 100))
def test_a_cut_packet_never_grows(packet, length):
    with contextlib.suppress(RemoteProtocolError):
        assert len(RtpPacket.parse(packet.serialize()[:length]).payload) <= length


def test_wire_form_of_rfc_3550():
    packet = RtpPacket(0, 0x1234, 0xDECAFBAD, 0xCAFEBABE, b"\xab", marker=True)
    assert packet.serialize() == bytes.fromhex("80801234decafbadcafebabeab")


def test_padding_is_taken_off():
    data = bytes.fromhex("a0001234decafbadcafebabe") + b"abc\0\0\3"
    assert RtpPacket.parse(data).payload == b"abc"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "shorter"),
        (b"\x80" * 11, "shorter"),
        (b"\x40" + bytes(11), "version 1"),
        (b"\x8f" + bytes(20), "15 CSRCs"),
        (b"\x90" + bytes(13), "inside its header extension"),
        (b"\x90" + bytes(13) + b"\x00\x02" + bytes(4), "2 words is cut short"),
        (b"\xa0" + bytes(12), "padding of 0"),
        (b"\xa0" + bytes(11) + b"\x02", "padding of 2"),
        (b"\xa0" + bytes(11), "padding of 0"),
        (b"\xa0" + bytes(10) + b"\x0c", "padding of 12"),
    ],
)
def test_lies_about_length_are_refused(data, why):
    with pytest.raises(RemoteProtocolError, match=why):
        RtpPacket.parse(data)


@pytest.mark.parametrize(
    "wrong",
    [
        {"payload_type": 128},
        {"sequence": 65536},
        {"timestamp": -1},
        {"csrcs": (1,) * 16},
        {"csrcs": (1 << 32,)},
        {"extension": Extension(0, b"abc")},
    ],
)
def test_impossible_fields_are_our_bug(wrong):
    fields = {"payload_type": 0, "sequence": 1, "timestamp": 2, "ssrc": 3, "payload": b""} | wrong
    with pytest.raises(LocalProtocolError):
        RtpPacket(**fields).serialize()
