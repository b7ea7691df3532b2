"""Session descriptions: RFC 8866. Read leniently in order and endings, strictly in values."""

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from opensip.errors import RemoteProtocolError
from opensip.rtp.payload import STATIC_FORMATS, PayloadFormat

MAX_BYTES = 16 * 1024  # WebRTC offers reach 8 KiB; a trunk's have 400 bytes
MAX_MEDIA = 32
REMEMBERED = 256  # lists of codecs: telephones of one kind offer the same in each call

# a token of RFC 8866 section 9
WORD = r"[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+"
_UNWANTED = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)")
_MEDIA = re.compile(rf"({WORD}) +([0-9]{{1,5}})(?:/([0-9]{{1,5}}))? +({WORD}(?:/{WORD})*) +(.+)")
_FORMATS = re.compile(rf"{WORD}(?: +{WORD})* *")
_CONNECTION = re.compile(r"IN +(IP4|IP6) +([^ /]+)(?:/[0-9/]+)? *", re.IGNORECASE)
_RTPMAP = re.compile(rf"([0-9]{{1,3}}) +({WORD})/([0-9]{{1,7}})(?:/([0-9]{{1,3}}))? *")

Attributes = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """Who made the session (section 5.2); the numbers may exceed 64 bits, so they stay text."""

    session_id: str
    version: str
    address: str
    username: str = "-"

    def __str__(self) -> str:
        kind = address_type(self.address)
        return f"{self.username} {self.session_id} {self.version} IN {kind} {self.address}"


@dataclass(frozen=True, slots=True)
class MediaDescription:
    """One m= section. An attribute without value has the value "".

    `others` are the lines of other types (i, b, k) as (type, value), verbatim.
    """

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    connection: str | None = None
    attributes: Attributes = ()
    others: Attributes = ()
    port_count: int = 1

    def get(self, name: str) -> str | None:
        """Return the first value of an attribute of this section."""
        return next((v for n, v in self.attributes if n == name), None)

    def get_all(self, name: str) -> list[str]:
        """Return every value of an attribute, in order."""
        return [v for n, v in self.attributes if n == name]

    def payload_formats(self) -> dict[int, PayloadFormat]:
        """Map each payload type of the m= line to its format, in order (RFC 8866 section 6.6).

        A number that stands for nothing is left out. Raises RemoteProtocolError.
        """
        maps, parameters = tuple(self.get_all("rtpmap")), tuple(self.get_all("fmtp"))
        return dict(_payload_formats(self.formats, maps, parameters))

    def lines(self) -> Iterator[str]:
        """Write the section line by line, without line ends."""
        count = f"/{self.port_count}" if self.port_count != 1 else ""
        yield f"m={self.kind} {self.port}{count} {self.protocol} {' '.join(self.formats)}"
        yield from (f"{t}={v}" for t, v in self.others if t == "i")
        if self.connection is not None:
            yield f"c=IN {address_type(self.connection)} {self.connection}"
        yield from (f"{t}={v}" for t, v in self.others if t != "i")
        yield from map(_attribute_line, self.attributes)


@dataclass(frozen=True, slots=True)
class SessionDescription:
    """A whole description. `connection` is the address of c=, without TTL.

    `others` are the session's lines of types i, u, e, p, b, t, r, z and k, verbatim.
    """

    origin: Origin
    name: str = "-"
    connection: str | None = None
    others: Attributes = (("t", "0 0"),)
    attributes: Attributes = ()
    media: tuple[MediaDescription, ...] = ()

    @classmethod
    def parse(cls, data: bytes) -> "SessionDescription":
        """Read a description. Raises RemoteProtocolError on whatever is not one."""
        return _Reader(data).read()

    def get(self, name: str) -> str | None:
        """Return the first value of an attribute of the session level."""
        return next((v for n, v in self.attributes if n == name), None)

    def to_bytes(self) -> bytes:
        """Write the description with CRLF line ends."""
        return "".join(f"{line}\r\n" for line in self.lines()).encode()

    def lines(self) -> Iterator[str]:
        """Write the description line by line, in the order of RFC 8866 section 5."""
        yield from ("v=0", f"o={self.origin}", f"s={self.name}")
        yield from (f"{t}={v}" for t, v in self.others if t in "iuep")
        if self.connection is not None:
            yield f"c=IN {address_type(self.connection)} {self.connection}"
        yield from (f"{t}={v}" for t, v in self.others if t not in "iuep")
        yield from map(_attribute_line, self.attributes)
        for media in self.media:
            yield from media.lines()


@dataclass(slots=True)
class _Section:
    """The lines of the session level or of one m= section, as they are gathered."""

    connection: str | None
    attributes: list[tuple[str, str]]
    others: list[tuple[str, str]]


class _Reader:
    def __init__(self, data: bytes) -> None:
        if len(data) > MAX_BYTES:
            raise RemoteProtocolError(f"SDP of {len(data)} bytes exceeds {MAX_BYTES}")
        data = data.rstrip(b"\r\n")
        if unwanted := _UNWANTED.search(data):
            raise RemoteProtocolError(f"SDP with control character {unwanted[0]!r}")
        # a name in Latin-1 must not cost the call
        self._lines = data.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
        self._origin: Origin | None = None
        self._name = "-"
        self._session = self._section = _Section(None, [], [])
        self._media: list[tuple[str, _Section]] = []

    def read(self) -> SessionDescription:
        if self._lines[0].rstrip() != "v=0":
            raise RemoteProtocolError("SDP does not begin with v=0")
        for line in self._lines[1:]:
            if line[:2] == "a=":
                name, _, value = line[2:].partition(":")
                # a blank behind "a=sendonly" must not cost the hold
                self._section.attributes.append((name.rstrip(" "), value))
            elif line:
                self._take(line)
        if self._origin is None:
            raise RemoteProtocolError("SDP without o= line")
        session, media = self._session, tuple(_parse_media(*m) for m in self._media)
        others, attributes = tuple(session.others), tuple(session.attributes)
        return SessionDescription(
            self._origin, self._name, session.connection, others, attributes, media
        )

    def _take(self, line: str) -> None:
        kind, value = line[0], line[2:]
        if line[1:2] != "=" or not "a" <= kind <= "z":
            raise RemoteProtocolError(f"SDP line {line[:40]!r} is not of the form x=value")
        match kind:
            case "m":
                self._section = _Section(None, [], [])
                self._media.append((value, self._section))
                if len(self._media) > MAX_MEDIA:
                    raise RemoteProtocolError(f"SDP with more than {MAX_MEDIA} m= lines")
            case "c":  # of several (multicast layers, section 5.7) the first
                self._section.connection = self._section.connection or _parse_connection(value)
            case "v" | "o" | "s" if self._section is not self._session:
                raise RemoteProtocolError(f"SDP with {kind}= in a media section")
            case "o" if self._origin is None:
                self._origin = _parse_origin(value)
            case "s":
                self._name = value
            case "v" | "o":
                raise RemoteProtocolError(f"SDP with more than one {kind}= line")
            case _:
                self._section.others.append((kind, value))


def parse_integer(text: str, what: str, low: int, high: int) -> int:
    """Read a number in ASCII digits only: int() also takes "1_000", " 12 " and "٣"."""
    if text.isascii() and text.isdigit() and len(text) <= 10 and low <= int(text) <= high:
        return int(text)
    raise RemoteProtocolError(f"SDP {what} {text[:40]!r} is not a number from {low} to {high}")


def address_type(address: str) -> str:
    """Tell the addrtype of section 5.7 by the form of an address."""
    return "IP6" if ":" in address else "IP4"


@lru_cache(maxsize=1024)  # a trunk has few media addresses, and each is looked at in each call
def is_ip_address(text: str) -> bool:
    """Tell whether an address is a literal one, which needs no name service."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text  # a zone means nothing to another host


@lru_cache(maxsize=1024)
def canonical(text: str) -> str:
    """Write a literal address as sockets tell it (RFC 5952), and leave alone what is none."""
    return str(ipaddress.ip_address(text)) if is_ip_address(text) else text


def _parse_media(value: str, section: _Section) -> MediaDescription:
    found = _MEDIA.fullmatch(value)
    if not found or not _FORMATS.fullmatch(found[5]):
        raise RemoteProtocolError(f"SDP m= line {value[:60]!r} is malformed")
    return MediaDescription(
        found[1],
        parse_integer(found[2], "port", 0, 65535),
        found[4],
        tuple(found[5].split()),
        section.connection,
        tuple(section.attributes),
        tuple(section.others),
        parse_integer(found[3] or "1", "number of ports", 1, 65535),
    )


def _parse_connection(value: str) -> str:
    found = _CONNECTION.fullmatch(value)
    if not found or (found[1].upper() == "IP6") is not (":" in found[2]):
        raise RemoteProtocolError(f"SDP c= line {value[:60]!r} is malformed")
    return found[2]


def _parse_origin(value: str) -> Origin:
    words = value.split()
    if len(words) != 6:
        raise RemoteProtocolError(f"SDP o= line {value[:60]!r} has not 6 fields")
    return Origin(words[1], words[2], words[5], words[0])


@lru_cache(REMEMBERED)
def _payload_formats(
    formats: tuple[str, ...], rtpmaps: tuple[str, ...], fmtps: tuple[str, ...]
) -> dict[int, PayloadFormat]:
    maps = dict(map(_parse_rtpmap, rtpmaps))
    parameters = dict(map(_split_fmtp, fmtps))
    found: dict[int, PayloadFormat] = {}
    for text in formats:
        number = parse_integer(text, "payload type", 0, 127)
        form = maps.get(number) or STATIC_FORMATS.get(number)
        if form:
            fmtp = parameters.get(text)
            found[number] = form.with_fmtp(fmtp) if fmtp else form
    return found


def _parse_rtpmap(value: str) -> tuple[int, PayloadFormat]:
    found = _RTPMAP.fullmatch(value)
    if not found:
        raise RemoteProtocolError(f"SDP rtpmap {value[:60]!r} is malformed")
    number = parse_integer(found[1], "payload type", 0, 127)
    clock_rate = parse_integer(found[3], "clock rate", 1, 1_000_000)
    channels = parse_integer(found[4] or "1", "number of channels", 1, 255)
    static = STATIC_FORMATS.get(number)
    if static and static.clock_rate == clock_rate and static.encoding_name == found[2]:
        return number, static
    return number, PayloadFormat(found[2], clock_rate, channels)


def _split_fmtp(value: str) -> tuple[str, str]:
    number, _, parameters = value.partition(" ")
    return number, parameters.strip()


def _attribute_line(attribute: tuple[str, str]) -> str:
    name, value = attribute
    return f"a={name}:{value}" if value else f"a={name}"
