"""A body is cut into parts, or refused with RemoteProtocolError, and nothing else.

Parts are few, no longer than the body together, and none of their headers breaks a line. A
description is always found or not found, and stands in the body as it is. The first line of an
input is the Content-Type.
"""

from opensip.errors import RemoteProtocolError
from opensip.sip.headers import Headers
from opensip.sip.message import Response
from opensip.sip.multipart import MAX_PARTS, description_of, parts_of
from tests.fuzz.seeds import TORTURE
from tests.fuzz.target import MAX_INPUT, Fault, Target


def one_input(data: bytes) -> None:
    kind, _, body = data.partition(b"\n")
    value = kind.decode("latin-1").replace("\r", "")
    headers = Headers.checked([("Content-Type", value)])
    found = description_of(Response(200, "OK", headers, body))
    assert found in body
    try:
        parts = parts_of(headers, body)
    except RemoteProtocolError:
        return
    assert len(parts) <= MAX_PARTS
    assert sum(len(part.body) for part in parts) <= len(body)
    for part in parts:
        assert isinstance(part.is_optional, bool)
        assert part.content_type == part.content_type.lower()
        for _, text in part.headers if part.body is not body else ():
            assert "\n" not in text
            assert "\r" not in text


_MIXED = b"multipart/mixed;boundary=b\n"
_SDP = b"--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n"
_NESTED = b"--b\r\nContent-Type: multipart/alternative;boundary=b%d\r\n\r\n"
TARGET = Target(
    one_input,
    parser=("opensip.sip.multipart",),
    seeds=(
        b"application/sdp\nv=0\r\n",
        b"text/plain\nhello",
        b"\nv=0",
        b"multipart/mixed\n" + _SDP,
        b"multipart/alternative;boundary=b\n" + _SDP + _SDP + b"--b--",
        _MIXED + b"preamble\r\n" + _SDP + b"--b  \r\na: b\r\n c\r\n\r\nx\r\n--b--\r\nepilogue",
        _MIXED
        + b"--b\r\n\r\nx\r\n--b\r\nContent-Disposition: x;handling=optional\r\n\r\n\r\n--b--",
        _MIXED + b"--b\r\nno header\r\n\r\nx\r\n--b--",
        _MIXED + b"--b\r\n\r\n" * 20,
        _MIXED + b"--b\r\n" + b"a: b\r\n" * 40 + b"\r\nx\r\n--b--",
        _MIXED + _NESTED % 1 + b"--b1\r\n\r\nx\r\n--b1--\r\n--b--",
        _MIXED
        + _NESTED.replace(b"%d", b"c")
        + _NESTED.replace(b"--b", b"--bc").replace(b"%d", b"d")
        + _NESTED.replace(b"--b", b"--bd").replace(b"%d", b"e")
        + b"--be\r\n\r\nx\r\n--be--\r\n--bd--\r\n--bc--\r\n--b--",
        _MIXED
        + b"--b\r\nc: multipart/mixed;boundary=i\r\n\r\n"
        + b"--i\r\n\r\nx\r\n" * 9
        + b"--i--\r\n"
        + b"--b\r\n\r\nx\r\n" * 9
        + b"--b--",
        *(b"multipart/signed;boundary=x\n" + m.partition(b"\r\n\r\n")[2] for m in TORTURE[:60]),
    ),
    fault=Fault("opensip.sip.multipart", ' or "\\n" in value or "\\r" in value', ""),
    words=(b"\r\n--b\r\n", b"\r\n--b--", b"Content-Type: ", b"\r\n\r\n", b"\n", b"boundary="),
    dear=tuple(
        (_MIXED + start + piece * (MAX_INPUT // len(piece)))[:MAX_INPUT]
        for start in (b"", b"--b\r\n", b"--b\r\n\r\n")
        for piece in (b"\r\n--b", b"\r\n--", b"--b ", b" ", b"\r\n", b"\r\n ", b"a: b\r\n", b"a")
    ),
)
