import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.errors import RemoteProtocolError
from opensip.rtp.payload import PCMU, PayloadFormat
from opensip.sdp.description import (
    MAX_BYTES,
    MediaDescription,
    Origin,
    SessionDescription,
    is_ip_address,
    parse_integer,
)

TRUNK = """v=0
o=- 8193 1 IN IP4 198.51.100.7
s=-
c=IN IP4 198.51.100.7
t=0 0
m=audio 24680 RTP/SAVP 0 18 101
a=rtpmap:0 PCMU/8000
a=rtpmap:18 G729/8000
a=fmtp:18 annexb=no
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj
a=ptime:20
a=sendrecv
""".replace("\n", "\r\n").encode()


def sdp(*lines: str, media: str = "m=audio 4000 RTP/AVP 0") -> bytes:
    head = ("v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0")
    return "\r\n".join([*head, media, *lines, ""]).encode()


def read_formats(data: bytes) -> None:
    for media in SessionDescription.parse(data).media:
        media.payload_formats()


def test_an_offer_of_a_trunk():
    parsed = SessionDescription.parse(TRUNK)
    media = parsed.media[0]
    assert parsed.origin == Origin("8193", "1", "198.51.100.7")
    assert parsed.connection == "198.51.100.7"
    assert (media.kind, media.port, media.protocol) == ("audio", 24680, "RTP/SAVP")
    assert media.get("ptime") == "20"
    assert media.get("sendrecv") == ""
    assert media.get("inactive") is None
    assert len(media.get_all("rtpmap")) == 3
    assert media.payload_formats() == {
        0: PCMU,
        18: PayloadFormat("G729", 8000, static_type=18, fmtp="annexb=no"),
        101: PayloadFormat("telephone-event", 8000, fmtp="0-15"),
    }
    assert parsed.to_bytes() == TRUNK


def test_lines_of_every_type_are_kept_and_written_in_order():
    text = (
        "v=0 o=jdoe 1 2 IN IP6 2001:db8::1 s=call i=about u=http://x e=a@b p=+1 c=IN IP6 ::1 "
        "b=AS:64 t=1 2 r=3 z=4 k=clear:x a=recvonly m=audio 2/3 RTP/AVP 0 i=title c=IN IP4 1.2.3.4 "
        "b=TIAS:64000 k=prompt a=ptime:30"
    )
    data = text.replace(" ", "\r\n").encode()
    for spaced in ("o=jdoe 1 2 IN IP6 2001:db8::1", "c=IN IP6 ::1", "t=1 2", "c=IN IP4 1.2.3.4"):
        data = data.replace(spaced.replace(" ", "\r\n").encode(), spaced.encode())
    spaced = "m=audio 2/3 RTP/AVP 0"
    data = data.replace(spaced.replace(" ", "\r\n").encode(), spaced.encode()) + b"\r\n"
    parsed = SessionDescription.parse(data)
    assert parsed.to_bytes() == data
    assert parsed.media[0].port_count == 3
    assert parsed.get("recvonly") == ""
    assert parsed.get("sendonly") is None


@pytest.mark.parametrize(
    "data",
    [
        TRUNK.replace(b"\r\n", b"\n"),
        TRUNK.rstrip(),
        TRUNK + b"\r\n\r\n",
        TRUNK.replace(b"s=-\r\n", b""),
        TRUNK.replace(b"s=-", b"s=M\xfcller"),
        TRUNK.replace(b"c=IN IP4 198.51.100.7", b"c=in IP4 198.51.100.7/127/2"),
        TRUNK.replace(b" 0 18 101", b"  0 18  101 "),
        TRUNK.replace(b"m=audio", b"\r\nm=audio"),
    ],
)
def test_what_peers_do_wrong_without_harm_is_read(data):
    assert list(SessionDescription.parse(data).media[0].payload_formats()) == [0, 18, 101]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "begin with v=0"),
        (b"hello", "begin with v=0"),
        (b"v=1\r\n", "begin with v=0"),
        (b"v=0\r\ns=-\r\n", "without o="),
        (b"v=0\r\nbad\r\n", "x=value"),
        (b"v=0\r\nX=1\r\n", "x=value"),
        (sdp("v=0"), "v= in a media section"),
        (sdp("o=- 1 1 IN IP4 1.1.1.1"), "o= in a media section"),
        (sdp().replace(b"s=-", b"v=0"), "more than one v="),
        (sdp().replace(b"s=-", b"o=- 1 1 IN IP4 1.1.1.1"), "more than one o="),
        (sdp().replace(b"o=- 1 1", b"o=- 1"), "6 fields"),
        (sdp().replace(b"c=IN IP4", b"c=IN IP5"), "c= line"),
        (sdp().replace(b"c=IN IP4", b"c=IN IP6"), "c= line"),
        (sdp().replace(b"c=IN IP4 192.0.2.1", b"c="), "c= line"),
        (sdp(media="m=audio"), "m= line"),
        (sdp(media="m=audio 1 RTP/AVP"), "m= line"),
        (sdp(media="m=audio -1 RTP/AVP 0"), "m= line"),
        (sdp(media="m=audio 1e3 RTP/AVP 0"), "m= line"),
        (sdp(media="m=audio 70000 RTP/AVP 0"), "port '70000'"),
        (sdp(media="m=audio 1/0 RTP/AVP 0"), "number of ports"),
        (sdp(media="m=audio ٣ RTP/AVP 0"), "m= line"),
        (sdp(*["m=audio 1 RTP/AVP 0"] * 40), "more than 32"),
        (sdp("a=x\ry"), "control character"),
        (b"v=0\r\n" + b"a=x\r\n" * MAX_BYTES, "exceeds"),
    ],
)
def test_garbage_is_refused_with_a_reason(data, why):
    with pytest.raises(RemoteProtocolError, match=why) as caught:
        SessionDescription.parse(data)
    assert caught.value.sip_status == 400


@pytest.mark.parametrize("position", range(len(TRUNK) + 1))
def test_a_nul_anywhere_is_refused(position):
    with pytest.raises(RemoteProtocolError, match="control character"):
        SessionDescription.parse(TRUNK[:position] + b"\0" + TRUNK[position:])


@pytest.mark.parametrize(
    "wrong", ["-1", "2147483648", "4294967296", "9223372036854775808", "٣", "1e9", "0x1", "1_0", ""]
)
@pytest.mark.parametrize(
    "line",
    ["a=rtpmap:{} X/8000", "a=rtpmap:96 X/{}", "a=rtpmap:96 X/8000/{}", "m=audio 2 RTP/AVP {}"],
)
def test_numbers_are_ascii_digits_within_bounds(wrong, line):
    with pytest.raises(RemoteProtocolError):
        read_formats(sdp(line.format(wrong)))


@pytest.mark.parametrize("text", ["", " 1", "1 ", "+1", "1_0", "٣", "²", "256", "99999999999"])
def test_integers_are_strict(text):
    with pytest.raises(RemoteProtocolError, match="not a number from 0 to 255"):
        parse_integer(text, "thing", 0, 255)
    assert parse_integer("255", "thing", 0, 255) == 255


def test_of_several_addresses_the_first_counts():
    media = SessionDescription.parse(sdp("c=IN IP4 1.1.1.1", "c=IN IP4 2.2.2.2")).media[0]
    assert media.connection == "1.1.1.1"


def test_numbers_that_stand_for_nothing_are_left_out():
    media = SessionDescription.parse(sdp(media="m=audio 2 RTP/AVP 96 0 77")).media[0]
    assert media.payload_formats() == {0: PCMU}


def test_an_rtpmap_may_rename_a_static_type():
    media = SessionDescription.parse(sdp("a=rtpmap:0 L16/8000/2")).media[0]
    assert media.payload_formats() == {0: PayloadFormat("L16", 8000, 2)}


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("192.0.2.1", True),
        ("::1", True),
        ("host", False),
        ("010.1.1.1", False),
        ("fe80::1%lo", False),
    ],
)
def test_literal_addresses(text, literal):
    assert is_ip_address(text) is literal


tokens = st.text("abcdefghijklmnopqrstuvwxyzABC0123456789-_.", min_size=1, max_size=12)
values = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=30)
attributes = st.lists(st.tuples(tokens, values), max_size=5).map(tuple)
addresses = st.ip_addresses().map(str)
medias = st.builds(
    MediaDescription,
    kind=tokens,
    port=st.integers(0, 65535),
    protocol=st.sampled_from(["RTP/AVP", "RTP/SAVP", "udptl", "UDP/TLS/RTP/SAVPF"]),
    formats=st.lists(tokens, min_size=1, max_size=5).map(tuple),
    connection=st.none() | addresses,
    attributes=attributes,
    others=st.lists(st.tuples(st.sampled_from("bk"), values), max_size=3).map(tuple),
    port_count=st.integers(1, 65535),
)
sessions = st.builds(
    SessionDescription,
    origin=st.builds(Origin, tokens, tokens, addresses, tokens),
    name=values,
    connection=st.none() | addresses,
    others=st.just((("t", "0 0"),)),
    attributes=attributes,
    media=st.lists(medias, max_size=3).map(tuple),
)


@given(sessions)
def test_what_is_written_is_read_back(session):
    assert SessionDescription.parse(session.to_bytes()) == session


def try_to_read(data: bytes) -> None:
    with contextlib.suppress(RemoteProtocolError):
        read_formats(data)


@given(st.binary(max_size=300))
def test_random_bytes_are_parsed_or_refused(data):
    try_to_read(data)
    try_to_read(b"v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\n" + data)


@given(st.integers(0, len(TRUNK) - 1), st.binary(max_size=8), st.integers(0, 8))
def test_a_damaged_offer_is_parsed_or_refused(position, junk, cut):
    try_to_read(TRUNK[:position] + junk + TRUNK[position + cut :])


def test_a_blank_behind_an_attribute_does_not_hide_it():
    media = SessionDescription.parse(sdp("a=sendonly ", "a=rtcp-mux  ")).media[0]
    assert (media.get("sendonly"), media.get("rtcp-mux")) == ("", "")
