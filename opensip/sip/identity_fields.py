"""Header fields that tell who is behind a call: Referred-By, History-Info, Privacy."""

from dataclasses import dataclass

from opensip.sip.fields import Reason
from opensip.sip.grammar import NO_PARAMS, TOKEN, Params, refuse, unescape
from opensip.sip.headers import Headers
from opensip.sip.uri import NameAddr, Uri


@dataclass(frozen=True, slots=True)
class ReferredBy:
    """Who asked for the request that a REFER led to: RFC 3892 section 3."""

    address: NameAddr

    @classmethod
    def parse(cls, text: str) -> "ReferredBy":
        """Read it."""
        return cls(NameAddr.parse(text))

    @property
    def uri(self) -> Uri:
        """The referrer."""
        return self.address.uri

    @property
    def content_id(self) -> str | None:
        """Which part of the body vouches for it, if any does; without angle brackets."""
        return self.address.params.get("cid")

    def __str__(self) -> str:
        return str(self.address)


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One target that a request was sent to on its way: RFC 7044 section 5."""

    address: NameAddr

    @classmethod
    def parse(cls, text: str) -> "HistoryEntry":
        """Read one History-Info value; the index must be there (section 5.1)."""
        entry = cls(NameAddr.parse(text))
        if not all(part.isascii() and part.isdigit() for part in entry.index.split(".")):
            raise refuse("History-Info", text)
        return entry

    @property
    def uri(self) -> Uri:
        """The target, with the Reason and Privacy that it may carry."""
        return self.address.uri

    @property
    def index(self) -> str:
        """Its place in the tree of targets: numbers with dots between."""
        return self.address.params.get("index") or ""

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why the target was given up, as the URI tells it in its escaped Reason header."""
        value = self.uri.headers.get("Reason")
        if not value:
            return ()
        values = Headers.checked([("Reason", unescape(value))]).values("Reason")
        return tuple(Reason.parse(text) for text in values)

    @property
    def is_private(self) -> bool:
        """True if it may not be shown to users (section 10.1.2)."""
        value = unescape(self.uri.headers.get("Privacy") or "")
        return bool(value) and Privacy.parse(value).hides_history

    def __str__(self) -> str:
        return str(self.address)


@dataclass(frozen=True, slots=True)
class Privacy:
    """What the caller wants hidden: RFC 3323 section 4.2. `values` are in lower case."""

    values: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "Privacy":
        """Read it."""
        parts = tuple(part.strip().lower() for part in text.split(";"))
        if not all(TOKEN.fullmatch(part) for part in parts):
            raise refuse("Privacy", text)
        return cls(parts)

    @property
    def hides_identity(self) -> bool:
        """True if nobody outside the trust domain may learn who calls (RFC 3325 section 9.3)."""
        return not {"id", "user", "header"}.isdisjoint(self.values)

    @property
    def hides_history(self) -> bool:
        """True if the History-Info may not be shown (RFC 7044 section 10.1)."""
        return not {"history", "header", "session"}.isdisjoint(self.values)

    def __str__(self) -> str:
        return ";".join(self.values)


@dataclass(frozen=True, slots=True)
class InfoPackage:
    """The package that an INFO belongs to: RFC 6086 section 7.2. `name` is in lower case."""

    name: str
    params: Params = NO_PARAMS

    @classmethod
    def parse(cls, text: str) -> "InfoPackage":
        """Read it."""
        name, semicolon, rest = text.strip().partition(";")
        if not TOKEN.fullmatch(name.strip()):
            raise refuse("Info-Package", text)
        return cls(name.strip().lower(), Params.parse(semicolon + rest))

    def __str__(self) -> str:
        return f"{self.name}{self.params}"
