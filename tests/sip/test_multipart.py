"""Bodies of several parts: RFC 2046, RFC 5621."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.errors import RemoteProtocolError
from opensip.sip.headers import Headers
from opensip.sip.message import Response
from opensip.sip.multipart import MAX_DEPTH, MAX_PARTS, description_of, is_optional, parts_of

SDP = b"v=0\r\ns=-\r\n"
EMERGENCY = (
    b"this is the preamble, to be passed over\r\n"
    b"--b1\r\nContent-Type: application/sdp\r\n\r\n" + SDP + b"\r\n"
    b"--b1  \r\nContent-Type: application/pidf+xml\r\nContent-ID: <t@a.example>\r\n\r\n"
    b"<presence/>\r\n--b1--\r\nand the epilogue"
)


def of(content_type: str, body: bytes) -> Response:
    return Response(200, "OK", Headers([("Content-Type", content_type)]), body)


def body_of(boundary: bytes, *parts: bytes) -> bytes:
    written = b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts)
    return written + b"--" + boundary + b"--"


def test_the_parts_of_a_call_for_help():
    sdp, location = parts_of(Headers([("c", "multipart/mixed;boundary=b1")]), EMERGENCY)
    assert (sdp.content_type, sdp.body) == ("application/sdp", SDP)
    assert location.headers.get("Content-ID") == "<t@a.example>"
    assert location.body == b"<presence/>"


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("application/sdp", SDP, SDP),
        ("Application/SDP ;x=y", SDP, SDP),
        ("text/plain", b"hello", b""),
        ("application/sdp", b"", b""),
        ('multipart/mixed; boundary="b1"', EMERGENCY, SDP),
        ("multipart/unheard-of;boundary=b1", EMERGENCY, SDP),
        ("multipart/mixed;boundary=b2", EMERGENCY, b""),
        ("multipart/mixed", EMERGENCY, b""),
    ],
)
def test_the_session_description_is_found(content_type, body, expected):
    assert description_of(of(content_type, body)) == expected


def test_a_response_that_does_not_tell_its_type_has_a_description():
    assert description_of(Response(200, "OK", Headers(), SDP)) == SDP


def test_of_several_the_first_counts_and_of_alternatives_the_last():
    typed = b"Content-Type: application/sdp\r\n\r\n"
    body = body_of(b"x", typed + b"one", typed + b"two", b"Content-Type: text/html\r\n\r\n<p>")
    assert description_of(of("multipart/mixed;boundary=x", body)) == b"one"
    assert description_of(of("multipart/alternative;boundary=x", body)) == b"two"


def test_parts_within_parts_stand_in_their_order_and_a_boundary_may_begin_another():
    inner = body_of(b"x1", b"\r\nplain", b"Content-Type: application/sdp\r\n\r\n" + SDP)
    outer = body_of(b"x", b"Content-Type: multipart/mixed;boundary=x1\r\n\r\n" + inner, b"\r\nend")
    parts = parts_of(Headers([("Content-Type", "multipart/mixed;boundary=x")]), outer)
    assert [part.body for part in parts] == [b"plain", SDP, b"end"]
    assert parts[0].content_type == "text/plain"


def nested(depth: int) -> tuple[str, bytes]:
    content_type, body = "application/sdp", SDP
    for n in range(depth):
        name = f"n{n}".encode()
        body = body_of(name, b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
        content_type = f"multipart/mixed;boundary=n{n}"
    return content_type, body


def test_nesting_is_bounded():
    assert description_of(of(*nested(MAX_DEPTH))) == SDP
    content_type, body = nested(MAX_DEPTH + 1)
    assert description_of(of(content_type, body)) == b""
    with pytest.raises(RemoteProtocolError):
        parts_of(Headers([("Content-Type", content_type)]), body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--x\r\n\r\nnever ended",
        b"no boundary at all",
        body_of(b"x", *[b"\r\n"] * (MAX_PARTS + 1)),
        body_of(b"x", b"a: b\r\n" * 40 + b"\r\n"),
        body_of(b"x", b"no header\r\n\r\n"),
        body_of(b"x", b"a b: c\r\n\r\n"),
    ],
)
def test_what_cannot_be_told_apart_is_refused(body):
    with pytest.raises(RemoteProtocolError):
        parts_of(Headers([("Content-Type", "multipart/mixed;boundary=x")]), body)


def test_what_is_optional_says_so():
    assert is_optional(Headers([("Content-Disposition", "render; handling = Optional")]))
    assert not is_optional(Headers([("Content-Disposition", "session")]))
    body = body_of(b"x", b"Content-Disposition: x;handling=optional\r\n\r\n1", b"\r\n2")
    parts = parts_of(Headers([("Content-Type", "multipart/mixed;boundary=x")]), body)
    assert [part.is_optional for part in parts] == [True, False]


@given(st.binary(max_size=200), st.text("multipar/;=boxdn \"'\\", max_size=40))
def test_anything_is_read_or_refused(body, content_type):
    with contextlib.suppress(RemoteProtocolError):
        parts_of(Headers([("Content-Type", f"multipart/mixed;{content_type}")]), body)


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=5))
def test_octets_of_a_part_come_back(bodies):
    bodies = [body.replace(b"--x", b"") for body in bodies]
    written = body_of(b"x", *(b"\r\n" + body for body in bodies))
    parts = parts_of(Headers([("Content-Type", "multipart/mixed;boundary=x")]), written)
    assert [part.body for part in parts] == [body for body in bodies if body]
