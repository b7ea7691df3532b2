"""Requests and responses: RFC 3261 section 7. Frozen; fields are parsed when first asked for."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from opensip.errors import RemoteProtocolError
from opensip.sip.fields import CSeq, Via
from opensip.sip.grammar import TOKEN, parse_number, refuse
from opensip.sip.headers import Headers, header_key, is_header_name
from opensip.sip.lazily import lazily
from opensip.sip.reasons import REASONS, reason_of
from opensip.sip.uri import NameAddr, Uri

__all__ = [
    "REASONS",
    "Message",
    "Request",
    "Response",
    "check_request",
    "check_response",
    "parse_message",
    "refusal_of",
    "response_to",
]

MAX_HEADERS = 128  # a call through 20 proxies has about 60; more is an attack on list handling
MAX_HEADER = 8192  # octets of one value: an Identity header has up to 1.2 kB
MAX_HEAD = 16384  # octets of start line and headers
MAX_BODY = 65536  # octets

_VERSION = re.compile(r"SIP/[0-9]{1,3}\.[0-9]{1,3}", re.I)
_STATUS = re.compile(r"SIP/([0-9]+\.[0-9]+) ([1-6][0-9]{2})(?: (.*))?", re.I | re.S)
_FOLD = re.compile(r"(?<![ \t])[ \t]*+(?:\r\n[ \t]+)+")  # linear, as all below: strangers write it
_LENGTH_SIZES = (len("Content-Length"), len("l"))
_ANSWERED = frozenset({"via", "from", "to", "call-id", "cseq"})  # section 8.2.6.2
_ONCE = {
    header_key(name): name
    for name in ("From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Length", "Content-Type")
}


class _Fields:
    """The header fields that nearly every message has."""

    headers: Headers
    body: bytes

    @lazily
    def via(self) -> Via:
        """The top Via."""
        return Via.parse(_first(self.headers.get("Via"), "Via"))

    @lazily
    def vias(self) -> tuple[Via, ...]:
        """Every Via, top first."""
        lines = self.headers.get_all("Via")
        if len(lines) == 1 and "," not in lines[0]:
            return (self.via,)
        return (self.via, *map(Via.parse, self.headers.values("Via")[1:]))

    @lazily
    def from_(self) -> NameAddr:
        """The From field."""
        return NameAddr.parse(self._need("From"))

    @lazily
    def to(self) -> NameAddr:
        """The To field."""
        return NameAddr.parse(self._need("To"))

    @lazily
    def call_id(self) -> str:
        """The Call-ID, stripped."""
        value = self._need("Call-ID").strip()
        if not value or any(c.isspace() for c in value):
            raise refuse("Call-ID", value)
        return value

    @lazily
    def cseq(self) -> CSeq:
        """The CSeq field."""
        return CSeq.parse(self._need("CSeq"))

    @lazily
    def contact(self) -> NameAddr | None:
        """The first Contact; None if there is none, or a "*"."""
        value = self.headers.get("Contact")
        if value is None or value.strip() == "*":
            return None
        return NameAddr.parse(_first(value, "Contact"))

    @property
    def content_type(self) -> str:
        """Type and subtype of the body in lower case, without parameters; "" if not told."""
        return (self.headers.get("Content-Type") or "").partition(";")[0].strip().lower()

    def _need(self, name: str) -> str:
        value = self.headers.get(name)
        if value is None:
            raise RemoteProtocolError(f"no {name}")
        return value

    def _written(self, start: str) -> bytes:
        lines, told = [start], False
        for name, value in self.headers:
            if len(name) not in _LENGTH_SIZES or header_key(name) != "content-length":
                lines.append(f"{name}: {value}")
            elif not told:
                lines.append(f"{name}: {len(self.body)}")
                told = True
        if not told:
            lines.append(f"Content-Length: {len(self.body)}")
        head = "\r\n".join(lines) + "\r\n\r\n"
        return head.encode("utf-8", "surrogateescape") + self.body


@dataclass(frozen=True)
class Request(_Fields):
    """A request. `body` is opaque octets."""

    method: str
    uri: Uri
    headers: Headers
    body: bytes = b""

    def with_headers(self, headers: Headers) -> "Request":
        """The same request with other headers."""
        return Request(self.method, self.uri, headers, self.body)

    def to_bytes(self) -> bytes:
        """Write it for the wire; Content-Length is always that of the body."""
        return self._written(f"{self.method} {self.uri} SIP/2.0")


@dataclass(frozen=True)
class Response(_Fields):
    """A response. `status` is 100 to 699."""

    status: int
    reason: str
    headers: Headers
    body: bytes = b""

    def with_headers(self, headers: Headers) -> "Response":
        """The same response with other headers."""
        return Response(self.status, self.reason, headers, self.body)

    def to_bytes(self) -> bytes:
        """Write it for the wire; Content-Length is always that of the body."""
        return self._written(f"SIP/2.0 {self.status} {self.reason}")


Message = Request | Response


def _first(value: str | None, what: str) -> str:
    if value is None:
        raise RemoteProtocolError(f"no {what}")
    return value if "," not in value else Headers.checked([(what, value)]).values(what)[0]


def parse_message(data: bytes) -> Message:
    """Read one whole message; octets after Content-Length are left out.

    Raises RemoteProtocolError with the status that a request is to be answered with: 400, 505
    (another version of SIP) or 513 (beyond the limits above).
    """
    head, blank, body = data.partition(b"\r\n\r\n")
    if len(head) > MAX_HEAD:
        raise _too_large("header block")
    if not blank:
        raise RemoteProtocolError("no empty line after the headers")
    text = head.decode("utf-8", "surrogateescape")
    if "\r\n " in text or "\r\n\t" in text:
        text = _FOLD.sub(" ", text)
    start, *lines = text.split("\r\n")
    # One count for the text is less than a search of each line.
    broken = text.count("\n") != len(lines) or text.count("\r") != len(lines)
    headers = _parse_headers(lines, broken=broken)
    if "\r" in start or "\n" in start:
        raise refuse("start line", start)
    message = _parse_start(start, headers)
    return _with_body(message, body)


def _parse_headers(lines: list[str], *, broken: bool) -> Headers:
    """Read header lines; `broken` tells that a line break stands within one."""
    if len(lines) > MAX_HEADERS:
        raise _too_large("number of headers")
    items = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not (colon and is_header_name(name)):
            name = name.rstrip(" \t")  # white space before the colon is allowed, nothing else is
            if not colon or not is_header_name(name):
                raise refuse("header line", line)
        if len(value) > MAX_HEADER:
            raise _too_large(f"header {name[:40]}")
        if broken and ("\n" in value or "\r" in value):
            raise refuse(f"line break in header {name[:40]}", value)
        items.append((name, value.strip(" \t")))
    return Headers.checked(items)


def _parse_start(line: str, headers: Headers) -> Message:
    if line[:4].upper() == "SIP/":
        return _parse_status_line(line, headers)
    parts = line.split(" ")
    if len(parts) != 3 or not TOKEN.fullmatch(parts[0]):
        raise refuse("request line", line)
    method, uri, version = parts
    if version.upper() != "SIP/2.0":
        if _VERSION.fullmatch(version):
            raise RemoteProtocolError(
                f"version {version}", sip_status=505, reason="Version Not Supported"
            )
        raise refuse("request line", line)
    return Request(method, Uri.parse(uri), headers)


def _parse_status_line(line: str, headers: Headers) -> Response:
    match = _STATUS.fullmatch(line)
    if match is None or match[1] != "2.0":
        raise refuse("status line", line)
    return Response(int(match[2]), match[3] or "", headers)


def _with_body(message: Message, body: bytes) -> Message:
    lengths = message.headers.get_all("Content-Length")
    if lengths:
        if len(set(lengths)) > 1:
            raise RemoteProtocolError("several values of Content-Length")
        length = parse_number(lengths[0], "Content-Length")
        if length > len(body):
            raise RemoteProtocolError(f"Content-Length {length}, but {len(body)} octets of body")
        body = body[:length]
    if len(body) > MAX_BODY:
        raise _too_large("body")
    if not body:
        return message
    match message:
        case Request():
            return Request(message.method, message.uri, message.headers, body)
        case Response():
            return Response(message.status, message.reason, message.headers, body)


def _too_large(what: str) -> RemoteProtocolError:
    return RemoteProtocolError(f"{what} too large", sip_status=513, reason="Message Too Large")


def check_request(request: Request) -> None:
    """Refuse a request that no element could process: RFC 3261 sections 8.1.1 and 16.3.

    Every mandatory field is there, once, and can be read; CSeq names the same method. What RFC
    2543 allowed to leave out (tag of From, branch, Max-Forwards) may be missing. The answer
    can still be built by `response_to`.
    """
    _check_fields(request)
    if request.cseq.method != request.method:
        raise RemoteProtocolError(f"CSeq is of {request.cseq.method}, not {request.method}")
    max_forwards = request.headers.get("Max-Forwards")
    if max_forwards is not None:
        parse_number(max_forwards, "Max-Forwards", limit=255)


def check_response(response: Response) -> None:
    """Refuse a response that cannot be read: it is to be dropped (RFC 4475 section 3.1.2.5)."""
    _check_fields(response)


def _check_fields(message: Message) -> None:
    for key in message.headers.repeated():
        if key in _ONCE:
            raise RemoteProtocolError(f"several {_ONCE[key]}")
    # Reading them is the check.
    _ = message.via, message.cseq, message.from_, message.to, message.call_id, message.contact
    _ = message.vias


def response_to(
    request: Request,
    status: int,
    reason: str | None = None,
    *,
    to_tag: str | None = None,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    content_type: str = "application/sdp",
) -> Response:
    """Build a response: RFC 3261 section 8.2.6.

    Every Via, From, To, Call-ID and CSeq are copied as they came, as far as they came, so that
    a bad request can be answered too; `to_tag` is set where To has no tag yet. Record-Route is
    the dialog's to copy.
    """
    answered = Headers.checked(_answered(request.headers.items(), to_tag))
    kind = (("Content-Type", content_type),) if body else ()
    return Response(status, reason or reason_of(status), answered.extend((*headers, *kind)), body)


def _answered(items: Iterable[tuple[str, str]], to_tag: str | None) -> list[tuple[str, str]]:
    answered = []
    for name, value in items:
        key = header_key(name)
        if key in _ANSWERED:
            tagged = key == "to" and to_tag and not _has_tag(value)
            answered.append((name, f"{value};tag={to_tag}" if tagged else value))
    return answered


def _has_tag(value: str) -> bool:
    try:
        return NameAddr.parse(value).tag is not None
    except RemoteProtocolError:
        return ";tag=" in value.lower()


def refusal_of(data: bytes, error: RemoteProtocolError, *, to_tag: str) -> bytes | None:
    """Write the stateless answer to a request that could not be parsed.

    Copies what can be read of Via, From, To, Call-ID and CSeq. None if `data` is a response, an
    ACK, or has nothing that tells where an answer belongs.
    """
    head = data[:MAX_HEAD].partition(b"\r\n\r\n")[0].decode("utf-8", "surrogateescape")
    start, *lines = _FOLD.sub(" ", head).split("\r\n")
    if start[:4].upper() == "SIP/" or start[:4].upper() == "ACK ":
        return None
    items = []
    for line in lines[:MAX_HEADERS]:
        name, colon, value = line.partition(":")
        name, value = name.rstrip(" \t"), value.strip(" \t")
        if colon and is_header_name(name) and "\n" not in value and "\r" not in value:
            items.append((name, value))
    answered = Headers(_answered(items, to_tag))
    if not (answered.has("Via") and answered.has("CSeq")):
        return None
    return Response(error.sip_status, error.reason, answered).to_bytes()
