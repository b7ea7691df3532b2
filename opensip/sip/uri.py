"""SIP, SIPS and tel URIs and name-addr: RFC 3261 sections 19.1 and 20.10, RFC 3966."""

import re
from dataclasses import dataclass, field
from functools import lru_cache

from opensip.errors import RemoteProtocolError
from opensip.sip.grammar import (
    NO_PARAMS,
    TOKEN,
    Params,
    escape,
    format_host_port,
    parse_host_port,
    quote,
    refuse,
    skip_quoted,
    unescape,
    unquote,
)

REMEMBERED = 1024  # texts last read, of at most 8 kB each
_USER_ALLOWED = "&=+$,;?/"  # user-unreserved
_HEADER_ALLOWED = "[]/?:+$"  # hnv-unreserved
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,31}")
_BAD = re.compile(r"[\x00-\x20\x7f<>\"]")  # never stands in a URI unescaped
_TEL = re.compile(r"\+?[0-9A-Fa-f*#().~-]{1,64}")  # the "~" is seen in the field
_MUST_MATCH = ("user", "ttl", "method", "maddr", "transport")  # section 19.1.4


@dataclass(frozen=True, slots=True)
class Uri:
    """A URI. `host` is without brackets, `user` and `password` are unescaped.

    For "tel" the number stands in `user`, with the separators as written, and `host` is "";
    for a scheme that is not ours everything after it stands in `opaque`. A parsed URI is
    written as it was spelled.
    """

    scheme: str
    user: str | None = None
    password: str | None = None
    host: str = ""
    port: int | None = None
    params: Params = NO_PARAMS
    headers: Params = NO_PARAMS
    opaque: str = ""
    _text: str = field(default="", init=False, repr=False, compare=False)

    @classmethod
    def parse(cls, text: str) -> "Uri":
        """Read a URI; raise RemoteProtocolError (400) if it is none."""
        return _parse_uri(text)

    @classmethod
    def _parse(cls, text: str) -> "Uri":
        scheme, colon, rest = text.partition(":")
        if not colon or not rest or not _SCHEME.fullmatch(scheme) or _BAD.search(rest):
            raise refuse("URI", text)
        match scheme.lower():
            case "sip" | "sips" as kind:
                uri = _parse_sip(kind, rest)
            case "tel":
                uri = _parse_tel(rest)
            case other:
                uri = cls(other, opaque=rest)
        object.__setattr__(uri, "_text", text)
        return uri

    @property
    def transport(self) -> str | None:
        """The transport parameter in lower case, if there is one."""
        value = self.params.get("transport")
        return value.lower() if value else None

    @property
    def is_secure(self) -> bool:
        """True for the scheme "sips"."""
        return self.scheme == "sips"

    def with_param(self, name: str, value: str | None = None) -> "Uri":
        """Set a URI parameter; its value is percent-escaped where needed."""
        written = None if value is None else escape(value, allowed="[]/:&+$")
        return self._with(params=self.params.with_(name, written))

    def without_param(self, name: str) -> "Uri":
        """Leave a URI parameter out."""
        return self._with(params=self.params.without(name))

    def with_header(self, name: str, value: str) -> "Uri":
        """Add a header, escaped, as Refer-To carries it (section 19.1.1)."""
        pair = (escape(name), escape(value, allowed="/?:+$"))
        return self._with(headers=Params((*self.headers.pairs, pair)))

    def without_headers(self) -> "Uri":
        """The URI as it may stand on a request line."""
        return self._with(headers=NO_PARAMS)

    def unescaped_headers(self) -> tuple[tuple[str, str], ...]:
        """The headers that the URI carries, readable: (name, value) in order."""
        return tuple((unescape(n), unescape(v or "")) for n, v in self.headers.pairs)

    def equivalent(self, other: "Uri") -> bool:
        """Compare as section 19.1.4 says: unknown parameters of one side alone do not count."""
        return self._address() == other._address() and _params_match(self, other)

    def _address(self) -> tuple[object, ...]:
        headers = sorted((n.lower(), v) for n, v in self.unescaped_headers())
        host, opaque = self.host.lower(), self.opaque
        return self.scheme, self.user, self.password, host, self.port, opaque, headers

    def _with(self, *, params: Params | None = None, headers: Params | None = None) -> "Uri":
        return Uri(
            self.scheme,
            self.user,
            self.password,
            self.host,
            self.port,
            self.params if params is None else params,
            self.headers if headers is None else headers,
            self.opaque,
        )

    def __str__(self) -> str:
        if self._text:
            return self._text
        if self.opaque:
            return f"{self.scheme}:{self.opaque}"
        if self.scheme == "tel":
            return f"tel:{self.user}{self.params}"
        headers = "?" + self.headers.joined("&") if self.headers else ""
        where = format_host_port(self.host, self.port)
        return f"{self.scheme}:{self._userinfo()}{where}{self.params}{headers}"

    def _userinfo(self) -> str:
        if self.user is None:
            return ""
        password = "" if self.password is None else ":" + escape(self.password, allowed="&=+$,")
        return f"{escape(self.user, allowed=_USER_ALLOWED)}{password}@"


def _params_match(one: Uri, other: Uri) -> bool:
    ours, theirs = _values(one.params), _values(other.params)
    for name in ours.keys() | theirs.keys():
        a, b = ours.get(name), theirs.get(name)
        if a is None or b is None:
            if name in _MUST_MATCH:
                return False
        elif unescape(a).lower() != unescape(b).lower():
            return False
    return True


def _values(params: Params) -> dict[str, str]:
    """Give the first value of each name, as `Params.get` does, without a search for each."""
    values: dict[str, str] = {}
    for name, value in params.pairs:
        values.setdefault(name.lower(), unquote(value) if value else "")
    return values


def _parse_sip(scheme: str, rest: str) -> Uri:
    user = password = None
    userinfo, at, where = rest.partition("@")
    if at:
        name, colon, secret = userinfo.partition(":")
        if not name:
            raise refuse("user of URI", rest)
        user, password = unescape(name), unescape(secret) if colon else None
    else:
        where = rest
    where, question, headers = where.partition("?")
    where, semicolon, params = where.partition(";")
    host, port = parse_host_port(where, "host of URI")
    return Uri(
        scheme,
        user,
        password,
        host,
        port,
        _parse_pairs(params, ";") if semicolon else NO_PARAMS,
        _parse_pairs(headers, "&") if question else NO_PARAMS,
    )


def _parse_tel(rest: str) -> Uri:
    number, semicolon, params = rest.partition(";")
    number = unescape(number)
    if not _TEL.fullmatch(number):
        raise refuse("number of tel URI", rest)
    return Uri("tel", number, params=_parse_pairs(params, ";") if semicolon else NO_PARAMS)


def _parse_pairs(text: str, separator: str) -> Params:
    pairs: list[tuple[str, str | None]] = []
    for part in text.split(separator):
        name, equals, value = part.partition("=")
        if not name:
            raise refuse("parameters of URI", text)
        pairs.append((name, value if equals else None))
    return Params(tuple(pairs))


@dataclass(frozen=True, slots=True)
class NameAddr:
    """A name-addr or addr-spec with header parameters, as in From, To and Contact."""

    display_name: str | None
    uri: Uri
    params: Params = NO_PARAMS

    @classmethod
    def parse(cls, text: str) -> "NameAddr":
        """Read one address; raise RemoteProtocolError (400) if it is none."""
        return _parse_name_addr(text)

    @classmethod
    def _parse(cls, text: str) -> "NameAddr":
        text = text.strip()
        if text.startswith('"'):
            end = skip_quoted(text, 0)
            display: str | None = unquote(text[:end])
            text = text[end:].lstrip()
            if not text.startswith("<"):
                raise refuse("address", text)
        else:
            name, bracket, rest = text.partition("<")
            if not bracket:
                return _parse_addr_spec(text)
            if '"' in name:
                raise refuse("display name", name)
            display, text = name.strip() or None, "<" + rest
        inner, bracket, params = text[1:].partition(">")
        if not bracket:
            raise refuse("address", text)
        return cls(display, Uri.parse(inner.strip()), Params.parse(params.strip()))

    @property
    def tag(self) -> str | None:
        """The tag parameter, if any."""
        return self.params.get("tag")

    def with_tag(self, tag: str) -> "NameAddr":
        """Set the tag parameter."""
        return NameAddr(self.display_name, self.uri, self.params.with_("tag", tag))

    def __str__(self) -> str:
        name = self.display_name
        if name is None:
            return f"<{self.uri}>{self.params}"
        shown = name if name and TOKEN.fullmatch(name) else quote(name)
        return f"{shown} <{self.uri}>{self.params}"


def _parse_addr_spec(text: str) -> NameAddr:
    """Read an address without brackets: what follows ";" belongs to the header (section 20)."""
    address, semicolon, params = text.partition(";")
    if "?" in address or "," in address:
        raise RemoteProtocolError(f"address needs angle brackets: {text[:80]!r}")
    return NameAddr(None, Uri.parse(address.strip()), Params.parse(semicolon + params))


# A call repeats its From, To and Contact in each message, and calls repeat their URIs: both
# values are immutable, so that reading them again would be half the work of a call for nothing.
@lru_cache(maxsize=REMEMBERED)
def _parse_uri(text: str) -> Uri:
    return Uri._parse(text)


@lru_cache(maxsize=REMEMBERED)
def _parse_name_addr(text: str) -> NameAddr:
    return NameAddr._parse(text)
