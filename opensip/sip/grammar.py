"""The small pieces of SIP's grammar: RFC 3261 section 25.1, read leniently where that is safe."""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

from opensip.errors import LocalProtocolError, RemoteProtocolError

TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")
_HOST = re.compile(r"\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9_](?:[A-Za-z0-9._-]{0,253}))")
_QUOTED = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_PARAM_VALUE = re.compile(r"[^\s;,\"<>]+")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_STOPS = {separator: re.compile(rf'["<>{separator}]') for separator in ",;"}
_SPACE = " \t\r\n"

MAX_NUMBER = 2**32 - 1  # of delta-seconds, CSeq and the like: RFC 3261 section 25.1
UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()")


def refuse(what: str, value: str) -> RemoteProtocolError:
    """Make the error for a value that does not follow the grammar; long values are cut."""
    return RemoteProtocolError(f"bad {what}: {value[:80]!r}")


def parse_number(text: str, what: str, *, limit: int = MAX_NUMBER) -> int:
    """Read a decimal of ASCII digits up to `limit`.

    `int` alone would take "+5", " 5 ", "1_000" and digits of other scripts.
    """
    if not (text.isascii() and text.isdigit()) or len(text) > 20 or int(text) > limit:
        raise refuse(what, text)
    return int(text)


def parse_host_port(text: str, what: str) -> tuple[str, int | None]:
    """Read `host[:port]`; an IPv6 reference comes back without its brackets."""
    match = _HOST.match(text)
    if match is None:
        raise refuse(what, text)
    host, rest = match[2] or parse_ipv6(match[1], what), text[match.end() :].strip(_SPACE)
    if not rest:
        return host, None
    if rest[0] != ":":
        raise refuse(what, text)
    return host, parse_number(rest[1:].strip(_SPACE), f"port of {what}", limit=65535)


def parse_ipv6(text: str, what: str) -> str:
    """Check an IPv6 address without brackets."""
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        raise refuse(what, text) from None
    return text


def format_host_port(host: str, port: int | None) -> str:
    """Write `host[:port]`, with brackets around an IPv6 address."""
    host = f"[{host}]" if ":" in host else host
    return host if port is None else f"{host}:{port}"


def split(text: str, separator: str) -> list[str]:
    """Split at `separator`, "," or ";", but not within quoted strings or angle brackets."""
    if separator not in text:
        return [text]
    if '"' not in text and "<" not in text:
        return text.split(separator)
    return _split_around(text, separator)


def _split_around(text: str, separator: str) -> list[str]:
    parts, start, at, bracket = [], 0, 0, False
    while stop := _STOPS[separator].search(text, at):
        char, at = stop[0], stop.end()
        if bracket:
            bracket = char != ">"
        elif char == '"':
            at = skip_quoted(text, stop.start())
        elif char == separator:
            parts.append(text[start : stop.start()])
            start = at
        else:
            bracket = char == "<"
    return [*parts, text[start:]]


def skip_quoted(text: str, at: int) -> int:
    """Find the end of the quoted string that begins at `at`."""
    match = _QUOTED.match(text, at)
    if match is None:
        raise refuse("quoted string", text[at:])
    return match.end()


def quote(text: str) -> str:
    """Write a quoted string; control characters cannot stand in one and become spaces."""
    safe = "".join(c if c >= " " and c != "\x7f" else " " for c in text)
    return '"' + safe.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unquote(text: str) -> str:
    """Read a quoted string; anything else stays as it is."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    inner = text[1:-1]
    return re.sub(r"\\(.)", r"\1", inner, flags=re.DOTALL) if "\\" in inner else inner


def escape(text: str, *, allowed: str = "") -> str:
    """Percent-escape all octets but RFC 3261's unreserved ones and those of `allowed`."""
    keep = UNRESERVED | frozenset(allowed.encode())
    octets = text.encode("utf-8", "surrogateescape")
    return "".join(chr(o) if o in keep else f"%{o:02X}" for o in octets)


def unescape(text: str) -> str:
    """Undo percent-escapes once; a "%" that begins no escape stays (RFC 4475 3.1.1.5)."""
    if "%" not in text:
        return text
    octets = _ESCAPE.sub(
        lambda m: bytes.fromhex(m[1].decode()), text.encode("utf-8", "surrogateescape")
    )
    return octets.decode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class Params:
    """Parameters of a URI or header field: ordered, names in any case, as spelled on the wire.

    `pairs` holds (name, value as written, or None for a bare flag).
    """

    pairs: tuple[tuple[str, str | None], ...] = ()

    @classmethod
    def of(cls, params: Iterable[tuple[str, str | None]]) -> "Params":
        """Build from (name, value) pairs; a value that is no token is quoted."""
        built = cls()
        for name, value in params:
            built = built.with_(name, value)
        return built

    @classmethod
    def parse(cls, text: str) -> "Params":
        """Read `;name=value;flag` as it follows a header field's value."""
        if not text:
            return NO_PARAMS
        parts = text.split(";") if '"' not in text else split(text, ";")
        if parts[0].strip(_SPACE):
            raise refuse("parameters", text)
        return cls(tuple([_parse_param(part) for part in parts[1:]]))

    def get(self, name: str) -> str | None:
        """Give the value, unquoted; "" for a bare flag; None if absent."""
        name = name.lower()
        for key, value in self.pairs:
            if key.lower() == name:
                return unquote(value) if value else ""
        return None

    def has(self, name: str) -> bool:
        """Tell whether the parameter is there, with or without a value."""
        return self.get(name) is not None

    def items(self) -> tuple[tuple[str, str | None], ...]:
        """All (name, value as written) pairs in order; None stands for a bare flag."""
        return self.pairs

    def with_(self, name: str, value: str | None = None) -> "Params":
        """Set a parameter, in its place if it is there; a value that is no token is quoted."""
        if not TOKEN.fullmatch(name):
            raise LocalProtocolError(f"parameter name {name!r}")
        if value is not None and not _PARAM_VALUE.fullmatch(value):
            value = quote(value)
        if not self.has(name):
            return Params((*self.pairs, (name, value)))
        key = name.lower()
        return Params(tuple((n, value) if n.lower() == key else (n, v) for n, v in self.pairs))

    def without(self, name: str) -> "Params":
        """Leave a parameter out."""
        key = name.lower()
        return Params(tuple(pair for pair in self.pairs if pair[0].lower() != key))

    def joined(self, separator: str = ";") -> str:
        """Write the parameters with `separator` between them."""
        return separator.join([n if v is None else f"{n}={v}" for n, v in self.pairs])

    def __str__(self) -> str:
        return ";" + self.joined() if self.pairs else ""

    def __bool__(self) -> bool:
        return bool(self.pairs)


NO_PARAMS = Params()


def _parse_param(text: str) -> tuple[str, str | None]:
    name, equals, value = text.partition("=")
    name, value = name.strip(_SPACE), value.strip(_SPACE)
    if not TOKEN.fullmatch(name):
        raise refuse("parameter", text)
    if not equals:
        return name, None
    if not (_PARAM_VALUE.fullmatch(value) or _QUOTED.fullmatch(value)):
        raise refuse("parameter value", text)
    return name, value
