"""Header fields in their order: RFC 3261 section 7.3."""

import contextlib
from collections.abc import Iterable, Iterator

from opensip.errors import LocalProtocolError, RemoteProtocolError
from opensip.sip.grammar import TOKEN, split

# Compact forms: RFC 3261 section 7.3.3 and those registered since.
COMPACT = {
    "a": "accept-contact",
    "b": "referred-by",
    "c": "content-type",
    "d": "request-disposition",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "j": "reject-contact",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "n": "identity-info",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
    "y": "identity",
}

_COMMON = (
    "Accept", "Allow", "Authorization", "Call-ID", "Contact", "Content-Disposition",
    "Content-Length", "Content-Type", "CSeq", "Date", "Diversion", "Event", "Expires", "From",
    "Max-Forwards", "Min-SE", "P-Asserted-Identity", "Privacy", "Proxy-Authenticate",
    "Proxy-Authorization", "Reason", "Record-Route", "Refer-To", "Referred-By",
    "Remote-Party-ID", "Require", "Route", "Server", "Session-Expires", "Subscription-State",
    "Supported", "To", "User-Agent", "User-to-User", "Via", "Warning", "WWW-Authenticate",
)  # fmt: skip

# Spellings met all the time, so that the usual name needs one look-up.
_KEYS = {name: name.lower() for name in _COMMON}
_KEYS.update((name.lower(), name.lower()) for name in _COMMON)
_KEYS.update(COMPACT)
_KEYS.update((letter.upper(), name) for letter, name in COMPACT.items())


def header_key(name: str) -> str:
    """Give the one key of a header name: lower case, long form."""
    return _KEYS.get(name) or COMPACT.get(name.lower()) or name.lower()


def is_header_name(name: str) -> bool:
    """Tell whether `name` may stand before the colon."""
    return name in _KEYS or TOKEN.fullmatch(name) is not None


class Headers:
    """An immutable ordered multimap of (name, raw value).

    Names are found in any case, and compact forms under their long form; spelling and order
    stay as they came. Each change gives a new object.
    """

    __slots__ = ("_index", "_items")

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        self._items = tuple(items)
        self._index: dict[str, list[str]] | None = None
        for name, value in self._items:
            _check(name, value)

    @classmethod
    def checked(cls, items: Iterable[tuple[str, str]]) -> "Headers":
        """Build from items that the parser, or another Headers, has already checked."""
        headers = cls.__new__(cls)
        headers._items = tuple(items)
        headers._index = None
        return headers

    def get(self, name: str) -> str | None:
        """Give the first raw value of the name."""
        found = (self._index or self._make_index()).get(_KEYS.get(name) or header_key(name))
        return found[0] if found else None

    def get_all(self, name: str) -> tuple[str, ...]:
        """Give the raw values, one for each header line."""
        return tuple((self._index or self._make_index()).get(header_key(name), ()))

    def count(self, name: str) -> int:
        """Tell how many header lines have the name."""
        return len((self._index or self._make_index()).get(_KEYS.get(name) or header_key(name), ()))

    def repeated(self) -> list[str]:
        """Give the key of each name that stands in several lines."""
        index = self._index or self._make_index()
        return [key for key, found in index.items() if len(found) > 1]

    def values(self, name: str) -> tuple[str, ...]:
        """Give the values of a header that is a list, split at its commas, stripped.

        Empty elements are left in: only the caller knows whether they are allowed.
        """
        lines = self.get_all(name)
        return tuple(part.strip() for line in lines for part in split(line, ","))

    def readable_values(self, name: str) -> tuple[str, ...]:
        """Give the values as `values` does, without the lines that cannot be split.

        For what is not worth a call: the word of others on who calls, and why.
        """
        found: list[str] = []
        for line in self.get_all(name):
            with contextlib.suppress(RemoteProtocolError):
                found += (part.strip() for part in split(line, ","))
        return tuple(found)

    def has(self, name: str) -> bool:
        """Tell whether there is such a header."""
        return header_key(name) in (self._index or self._make_index())

    def items(self) -> tuple[tuple[str, str], ...]:
        """All (name, raw value) pairs in order."""
        return self._items

    def add(self, name: str, value: str) -> "Headers":
        """Put a header after all others."""
        _check(name, value)
        return Headers.checked((*self._items, (name, value)))

    def prepend(self, name: str, value: str) -> "Headers":
        """Put a header before all others."""
        _check(name, value)
        return Headers.checked(((name, value), *self._items))

    def extend(self, items: Iterable[tuple[str, str]]) -> "Headers":
        """Put several headers after all others."""
        return Headers.checked((*self._items, *Headers(items)._items))

    def replace(self, name: str, value: str) -> "Headers":
        """Let one header stand for all of that name, in the place of the first, or last."""
        _check(name, value)
        key, items, done = header_key(name), list[tuple[str, str]](), False
        for old in self._items:
            if header_key(old[0]) != key:
                items.append(old)
            elif not done:
                items.append((old[0], value))
                done = True
        return Headers.checked(items if done else (*items, (name, value)))

    def replace_top(self, name: str, value: str) -> "Headers":
        """Change the first value of a list header (the top Via), and leave the others."""
        _check(name, value)
        key, items = header_key(name), list(self._items)
        for at, (old, line) in enumerate(items):
            if header_key(old) == key:
                items[at] = (old, ",".join([value, *split(line, ",")[1:]]))
                break
        return Headers.checked(items)

    def remove(self, name: str) -> "Headers":
        """Leave out every header of that name."""
        key = header_key(name)
        return Headers.checked(item for item in self._items if header_key(item[0]) != key)

    def _make_index(self) -> dict[str, list[str]]:
        index: dict[str, list[str]] = {}
        for name, value in self._items:
            index.setdefault(_KEYS.get(name) or header_key(name), []).append(value)
        self._index = index
        return index

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __eq__(self, other: object) -> bool:
        return self._items == other._items if isinstance(other, Headers) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._items)

    def __repr__(self) -> str:
        return f"Headers({list(self._items)!r})"


def _check(name: str, value: str) -> None:
    """Keep line breaks out: whoever builds a header must encode foreign text."""
    if not is_header_name(name) or "\n" in value or "\r" in value:
        raise LocalProtocolError(f"header {name!r} with value {value[:80]!r}")
