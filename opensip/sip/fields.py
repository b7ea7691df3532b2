"""Header fields with an inner structure. Each has `parse` and is written by `str`."""

import re
from contextlib import suppress
from dataclasses import dataclass

from opensip.errors import RemoteProtocolError
from opensip.sip.grammar import (
    NO_PARAMS,
    TOKEN,
    Params,
    format_host_port,
    parse_host_port,
    parse_number,
    quote,
    refuse,
    skip_quoted,
    unquote,
)
from opensip.sip.uri import NameAddr, Uri

MAGIC_COOKIE = "z9hG4bK"  # begins every branch since RFC 3261 section 8.1.1.7
_VIA = re.compile(
    r"SIP\s*/\s*2\.0\s*/\s*([A-Za-z0-9\-.!%*_+`'~]+)\s+([^\s;,][^;,]*)(;.*)?", re.I | re.S
)
_CSEQ = re.compile(r"([0-9]{1,20})\s+([^\s]+)")


@dataclass(frozen=True, slots=True)
class Via:
    """One hop of a request: RFC 3261 section 20.42. `host` is without brackets."""

    transport: str
    host: str
    port: int | None = None
    params: Params = NO_PARAMS

    @classmethod
    def parse(cls, text: str) -> "Via":
        """Read one Via value."""
        match = _VIA.fullmatch(text.strip())
        if match is None:
            raise refuse("Via", text)
        host, port = parse_host_port(match[2].strip(), "host of Via")
        params = Params.parse(match[3]) if match[3] else NO_PARAMS
        return cls(match[1].upper(), host, port, params)

    @property
    def branch(self) -> str | None:
        """The branch parameter, if any."""
        return self.params.get("branch")

    @property
    def received(self) -> str | None:
        """The address that the request came from, without brackets."""
        value = self.params.get("received")
        return value.strip("[]") if value else None

    @property
    def rport(self) -> int | None:
        """The port that the request came from (RFC 3581); 0 where it is only asked for."""
        value = self.params.get("rport")
        if value is None:
            return None
        return parse_number(value, "rport", limit=65535) if value else 0

    @property
    def sent_by(self) -> str:
        """Host and port as the sender wrote them."""
        return format_host_port(self.host, self.port)

    def with_param(self, name: str, value: str | None = None) -> "Via":
        """Set a parameter."""
        return Via(self.transport, self.host, self.port, self.params.with_(name, value))

    def __str__(self) -> str:
        return f"SIP/2.0/{self.transport} {self.sent_by}{self.params}"


@dataclass(frozen=True, slots=True)
class CSeq:
    """Place and method of a request in its dialog: RFC 3261 section 20.16."""

    number: int
    method: str

    @classmethod
    def parse(cls, text: str) -> "CSeq":
        """Read it; the number must be below 2^31 (section 8.1.1.5)."""
        match = _CSEQ.fullmatch(text.strip())
        if match is None or not TOKEN.fullmatch(match[2]):
            raise refuse("CSeq", text)
        return cls(parse_number(match[1], "CSeq number", limit=2**31 - 1), match[2])

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


@dataclass(frozen=True, slots=True)
class SubscriptionState:
    """State of a subscription: RFC 6665 section 8.2.3. `state` is in lower case."""

    state: str
    params: Params = NO_PARAMS

    @classmethod
    def parse(cls, text: str) -> "SubscriptionState":
        """Read it."""
        state, params = _token_with_params(text, "Subscription-State")
        return cls(state.lower(), params)

    @property
    def is_terminated(self) -> bool:
        """True if no further NOTIFY will come."""
        return self.state == "terminated"

    @property
    def reason(self) -> str | None:
        """Why it was terminated, in lower case."""
        value = self.params.get("reason")
        return value.lower() if value else None

    @property
    def expires(self) -> int | None:
        """Seconds that are left, if told."""
        value = self.params.get("expires")
        return parse_number(value, "expires") if value else None

    def __str__(self) -> str:
        return f"{self.state}{self.params}"


@dataclass(frozen=True, slots=True)
class Event:
    """What is subscribed to: RFC 6665 section 8.2.1. `package` is in lower case."""

    package: str
    params: Params = NO_PARAMS

    @classmethod
    def parse(cls, text: str) -> "Event":
        """Read it."""
        package, params = _token_with_params(text, "Event")
        return cls(package.lower(), params)

    @property
    def id(self) -> str | None:
        """The id parameter, if any."""
        return self.params.get("id")

    def __str__(self) -> str:
        return f"{self.package}{self.params}"


@dataclass(frozen=True, slots=True)
class ReferTo:
    """Where a REFER sends us: RFC 3515 section 2.1."""

    address: NameAddr

    @classmethod
    def parse(cls, text: str) -> "ReferTo":
        """Read it; the transport of a URI without brackets (baresip 1.0) is that of the URI."""
        address = NameAddr.parse(text)
        transport = address.params.get("transport")  # a parameter that this header does not have
        if "<" in text or address.uri.opaque or not TOKEN.fullmatch(transport or ""):
            return cls(address)
        return cls(NameAddr(None, address.uri.with_param("transport", str(transport))))

    @property
    def uri(self) -> Uri:
        """The target, with the headers that it carries."""
        return self.address.uri

    def __str__(self) -> str:
        return str(self.address)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a request was sent: RFC 3326. `text` is unquoted."""

    protocol: str
    cause: int | None = None
    text: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Reason":
        """Read one Reason value."""
        protocol, params = _token_with_params(text, "Reason")
        cause = params.get("cause")
        number = parse_number(cause, "cause", limit=999) if cause else None
        return cls(protocol, number, params.get("text"))

    def __str__(self) -> str:
        cause = "" if self.cause is None else f";cause={self.cause}"
        text = "" if self.text is None else f";text={quote(self.text)}"
        return f"{self.protocol}{cause}{text}"


@dataclass(frozen=True, slots=True)
class Replaces:
    """The dialog that an INVITE takes over: RFC 3891 section 6.1."""

    call_id: str
    to_tag: str
    from_tag: str
    early_only: bool = False

    @classmethod
    def parse(cls, text: str) -> "Replaces":
        """Read it; both tags must be there."""
        call_id, semicolon, rest = text.strip().partition(";")
        params = Params.parse(semicolon + rest)
        to_tag, from_tag = params.get("to-tag"), params.get("from-tag")
        if not call_id.strip() or not all(TOKEN.fullmatch(tag or "") for tag in (to_tag, from_tag)):
            raise refuse("Replaces", text)
        return cls(call_id.strip(), to_tag or "", from_tag or "", params.has("early-only"))

    def __str__(self) -> str:
        early = ";early-only" if self.early_only else ""
        return f"{self.call_id};to-tag={self.to_tag};from-tag={self.from_tag}{early}"


@dataclass(frozen=True, slots=True)
class UserToUser:
    """One piece of user information: RFC 7433 section 4.1. `data` is as written, unquoted."""

    data: str
    params: Params = NO_PARAMS
    quoted: bool = False

    @classmethod
    def parse(cls, text: str) -> "UserToUser":
        """Read one User-to-User value."""
        parts = text.strip()
        end = _end_of_data(parts)
        data = parts[:end].strip()
        if not data:
            raise refuse("User-to-User", text)
        plain = unquote(data)
        return cls(plain, Params.parse(parts[end:]), plain != data)

    @property
    def encoding(self) -> str | None:
        """The encoding parameter in lower case; None means hex (section 4.1)."""
        value = self.params.get("encoding")
        return value.lower() if value else None

    def __str__(self) -> str:
        return f"{quote(self.data) if self.quoted else self.data}{self.params}"


def _end_of_data(text: str) -> int:
    if text.startswith('"'):
        with suppress(RemoteProtocolError):
            return skip_quoted(text, 0)
        return len(text)  # the quote that should end it was lost
    at = text.find(";")
    return len(text) if at < 0 else at


def _token_with_params(text: str, what: str) -> tuple[str, Params]:
    token, semicolon, rest = text.strip().partition(";")
    token = token.strip()
    if not TOKEN.fullmatch(token):
        raise refuse(what, text)
    return token, Params.parse(semicolon + rest)
