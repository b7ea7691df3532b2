"""Bodies of several parts, and the session description among them: RFC 2046, RFC 5621."""

import re
from dataclasses import dataclass

from opensip.errors import RemoteProtocolError
from opensip.sip.grammar import Params
from opensip.sip.headers import Headers, is_header_name
from opensip.sip.message import Request, Response

SDP = "application/sdp"
MAX_PARTS = 16  # of one body: a call for help has three or four
MAX_DEPTH = 3  # of bodies within bodies
MAX_PART_HEADERS = 32
_FOLD = re.compile(r"\r\n[ \t]+")


@dataclass(frozen=True, slots=True)
class Part:
    """One part, as it came; what is nested in it is a part's `body` still."""

    headers: Headers
    body: bytes

    @property
    def content_type(self) -> str:
        """Type and subtype in lower case; "text/plain" where it does not tell."""
        return _type_of(self.headers) or "text/plain"

    @property
    def is_optional(self) -> bool:
        """True if whoever does not know its type may pass over it (RFC 3204 section 6)."""
        return is_optional(self.headers)


def parts_of(headers: Headers, body: bytes, *, depth: int = 0) -> tuple[Part, ...]:
    """Give the parts of a multipart body in order, those nested in it in the place of their own.

    `headers` are the message's, or the part's. A body that is not multipart is one part. Raises
    RemoteProtocolError if no parts can be told apart, or there are more than anybody needs.
    """
    if not _type_of(headers).startswith("multipart/"):
        return (Part(headers, body),) if body else ()
    if depth == MAX_DEPTH:
        raise RemoteProtocolError(f"a body nested more than {MAX_DEPTH} deep")
    found: list[Part] = []
    for part in _split(body, _boundary_of(headers)):
        found.extend(parts_of(part.headers, part.body, depth=depth + 1))
        if len(found) > MAX_PARTS:
            raise RemoteProtocolError(f"a body of more than {MAX_PARTS} parts")
    return tuple(found)


def description_of(message: Request | Response) -> bytes:
    """Give the session description of a message: its body, or the part of it; b"" if none.

    Of several the first counts, but the last in multipart/alternative: that is the best one.
    """
    if not message.body:
        return b""
    content_type = message.content_type
    if content_type in (SDP, ""):  # some peers leave the type out of a 200
        return message.body
    if not content_type.startswith("multipart/"):
        return b""
    try:
        parts = parts_of(message.headers, message.body)
    except RemoteProtocolError:
        return b""
    found = [part.body for part in parts if part.content_type == SDP]
    return found[-1 if content_type == "multipart/alternative" else 0] if found else b""


def is_optional(headers: Headers) -> bool:
    """Tell whether the sender lets a body of unknown type be passed over."""
    disposition = (headers.get("Content-Disposition") or "").lower()
    return "handling=optional" in disposition.replace(" ", "")


def _type_of(headers: Headers) -> str:
    return (headers.get("Content-Type") or "").partition(";")[0].strip().lower()


def _boundary_of(headers: Headers) -> bytes:
    _, semicolon, rest = (headers.get("Content-Type") or "").partition(";")
    boundary = Params.parse(semicolon + rest).get("boundary") or ""
    if not 0 < len(boundary) <= 70 or not boundary.isascii():
        raise RemoteProtocolError("a multipart body without a boundary that can be used")
    return boundary.encode()


def _split(body: bytes, boundary: bytes) -> list[Part]:
    delimiter = re.compile(b"\r\n--" + re.escape(boundary) + rb"(--)?[ \t]*(?=\r\n|\Z)")
    data = b"\r\n" + body  # the first delimiter may begin the body
    parts: list[Part] = []
    start: int | None = None
    for match in delimiter.finditer(data):
        if start is not None:
            parts.append(_parse_part(data[start : match.start()]))
        if match[1]:
            return parts
        if len(parts) == MAX_PARTS:
            raise RemoteProtocolError(f"a body of more than {MAX_PARTS} parts")
        start = match.end()
    raise RemoteProtocolError("a multipart body without an end")


def _parse_part(data: bytes) -> Part:
    """Read what stands between two delimiters; it begins with the line end of the first."""
    head, _, body = (
        data[2:].partition(b"\r\n\r\n") if data[2:4] != b"\r\n" else (b"", b"", data[4:])
    )
    lines = _FOLD.sub(" ", head.decode("utf-8", "surrogateescape")).split("\r\n") if head else []
    if len(lines) > MAX_PART_HEADERS:
        raise RemoteProtocolError("a part of a body with too many headers")
    return Part(Headers.checked(_parse_header(line) for line in lines), body)


def _parse_header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    name = name.rstrip(" \t")
    if not colon or not is_header_name(name) or "\n" in value or "\r" in value:
        raise RemoteProtocolError(f"a bad header of a body's part: {line[:80]!r}")
    return name, value.strip(" \t")
