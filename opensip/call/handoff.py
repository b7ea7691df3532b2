"""The context that goes with a call to a human: its forms on the wire, and their reader.

docs/handover.md is the published schema. Lengths: RFC 7434 section 4.3 (128 octets of user
information reach ISDN and contact centres), a kilobyte a header line, four in all.
"""

import base64
import json
import math
import re
import unicodedata
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from opensip.carriers.trunk import ContextForm
from opensip.sip.headers import Headers
from opensip.ua.identity import decode_user_to_user

VERSION = 1

HeaderList = tuple[tuple[str, str], ...]

UUI_OCTETS = 128  # of data; hex doubles it
LINE = 900  # characters of one header's value
TOTAL = 4096  # characters of all headers together, names included

_PROTOCOL_DISCRIMINATOR = b"\x00"  # contact centres drop the first octet of hex data
_CALL_ID, _INTENT, _SUMMARY, _FIELDS, _URL = 48, 48, 400, 300, 250  # characters, before escaping
_LEFT_OUT = "X-Opensip-Left-Out"
_LEAST = 20  # characters; of a summary that is cut shorter nobody makes anything
_CUT = "..."  # ends what was cut; needs no escaping, however often it is escaped
_LAST_LINES = 200  # more never fit, however well they compress
_LARGEST_TRANSCRIPT = 65_536  # octets; a reader inflates no further
_CARD = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
_SOCIAL_SECURITY = re.compile(r"(?<!\d)\d{3}-\d{2}-\d{4}(?!\d)")


@dataclass(frozen=True, slots=True)
class Handoff:
    """What a human should know of the call. `confidence` is 0 to 1, `transcript` its lines.

    `left_out` tells a reader which parts there was no room for.
    """

    call_id: str
    intent: str = ""
    confidence: float = 0.0
    summary: str = ""
    transcript: Sequence[str] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    transcript_url: str = ""
    left_out: Sequence[str] = ()

    def headers(self, profile: ContextForm = "generic", *, budget: int = TOTAL) -> HeaderList:
        """Write the headers of a REFER, INVITE or BYE in at most `budget` characters.

        What matters most comes first; the transcript takes the room that is left. What there
        was no room for is named, if there is room for that.
        """
        kept = self._fitted(profile, budget, "")
        named: set[str] = set()
        while not named.issuperset(missing := self._missing(kept)):
            named.update(missing)  # which takes room too: perhaps another part's
            kept = self._fitted(profile, budget, ",".join(sorted(named)))
        told = ",".join(missing)
        noted = ((name, told if name == _LEFT_OUT else value) for name, value in kept)
        return tuple((name, value) for name, value in noted if value)

    def _missing(self, kept: HeaderList) -> list[str]:
        """Name the parts of the context that do not stand in `kept`."""
        parts = {"fields": self.fields, "summary": self.summary, "transcript": self.transcript}
        names = {name for name, _ in kept}
        return [p for p, told in parts.items() if told and f"X-Opensip-{p.title()}" not in names]

    def _fitted(self, profile: ContextForm, budget: int, left: str) -> HeaderList:
        url = self.transcript_url if _is_url(self.transcript_url) else ""
        wanted: list[tuple[str, Callable[[int], str]]] = [
            ("User-to-User", lambda _: self.user_to_user(profile)),
            ("X-Opensip-Call-Id", lambda _: quote(cleaned(self.call_id, _CALL_ID), safe="@")),
            ("X-Opensip-Intent", lambda _: quote(cleaned(self.intent, _INTENT), safe="")),
            ("X-Opensip-Confidence", lambda _: f"{_share(self.confidence):.2f}"),
            ("X-Opensip-Transcript-Url", lambda _: url),
            (_LEFT_OUT, lambda _: left),
            ("X-Opensip-Fields", lambda _: self._fields()),
            ("X-Opensip-Summary", lambda room: _escaped(self.summary, _SUMMARY, room)),
            ("X-Opensip-Transcript", lambda room: pack(self._last_lines(), room)),
        ]
        kept: list[tuple[str, str]] = []
        for name, write in wanted:
            room = budget - len(name) - len(": \r\n")
            value = write(min(room, LINE))
            if value and len(value) <= room:
                kept.append((name, value))
                budget = room - len(value)
        return tuple(kept)

    def user_to_user(self, profile: ContextForm = "generic") -> str:
        """Write the User-to-User value: hex, or base64 as Bandwidth writes it."""
        if profile == "bandwidth":
            data = base64.b64encode(self._data(UUI_OCTETS)).decode()
            return f"{data};encoding=base64"
        return (_PROTOCOL_DISCRIMINATOR + self._data(UUI_OCTETS - 1)).hex() + ";encoding=hex"

    def refer_to(
        self, target: str, profile: ContextForm = "generic", *, budget: int = TOTAL
    ) -> str:
        """Write a Refer-To value: the context escaped into the URI `target`.

        Everything but unreserved characters is escaped (RFC 3261 section 19.1.1). A `tel:`
        URI can carry no headers.
        """
        if target.lower().startswith("tel:"):
            return f"<{target}>"
        joint, room = "&" if "?" in target else "?", budget
        while headers := self.headers(profile, budget=room):
            escaped = "&".join(f"{name}={quote(value, safe='')}" for name, value in headers)
            if len(escaped) <= budget:
                return f"<{target}{joint}{escaped}>"
            room -= len(escaped) - budget  # escaping made it longer
        return f"<{target}>"

    def _data(self, octets: int) -> bytes:
        """JSON in 7-bit characters; what is least needed is left out until it fits."""
        call_id, intent = cleaned(self.call_id, _CALL_ID), cleaned(self.intent, _INTENT)
        url = self.transcript_url if _is_url(self.transcript_url) else ""
        for length in range(len(intent), -1, -1):
            values = {"v": VERSION, "cid": call_id, "int": intent[:length]}
            values["conf"] = round(_share(self.confidence), 2)
            for data in ([values | {"url": url}] if url else []) + [values]:
                text = json.dumps(data, separators=(",", ":"))
                if len(text) <= octets:
                    return text.encode("ascii")
            url = ""
        return json.dumps({"v": VERSION}, separators=(",", ":")).encode("ascii")

    def _last_lines(self) -> list[str]:
        return [masked(line) for line in self.transcript[-_LAST_LINES:]]

    def _fields(self) -> str:
        """As in a form (order=4711&name=Ann), in pairs as many as fit."""
        pairs: list[tuple[str, str]] = []
        for name, value in self.fields.items():
            pair = (cleaned(name, _FIELDS), cleaned(masked(str(value)), _FIELDS))
            if len(urlencode([*pairs, pair], quote_via=quote)) <= _FIELDS:
                pairs.append(pair)
        return urlencode(pairs, quote_via=quote)


def read_headers(headers: Headers | Iterable[tuple[str, str]]) -> Handoff:
    """Read the context off a request's headers; what is missing or broken stays empty."""
    if not isinstance(headers, Headers):
        headers = Headers(headers)
    data = _first_object(headers.readable_values("User-to-User"))

    def text(name: str, key: str = "") -> str:
        value = headers.get(f"X-Opensip-{name}")
        return cleaned(str(data.get(key, "")) if value is None else unquote(value), LINE)

    return Handoff(
        call_id=text("Call-Id", "cid"),
        intent=text("Intent", "int"),
        confidence=_number(text("Confidence", "conf")),
        summary=text("Summary"),
        transcript=unpack(headers.get("X-Opensip-Transcript") or ""),
        fields=dict(parse_qsl(headers.get("X-Opensip-Fields") or "")),
        transcript_url=text("Transcript-Url", "url"),
        left_out=tuple(filter(None, text("Left-Out").split(","))),
    )


def pack(lines: Sequence[str], room: int) -> str:
    """Deflate and base64url-encode the last lines that fit in `room` characters; "" if none."""
    packed = ""
    for count in range(1, len(lines) + 1):
        text = "\n".join(cleaned(line, LINE) for line in lines[-count:])
        longer = base64.urlsafe_b64encode(zlib.compress(text.encode())).decode().rstrip("=")
        if len(longer) > room:
            break
        packed = longer
    return packed


def unpack(packed: str) -> tuple[str, ...]:
    """Read back what `pack` wrote; nothing if it is broken."""
    try:
        padded = packed.encode() + b"=" * (-len(packed) % 4)
        data = base64.b64decode(padded, altchars=b"-_", validate=True)
        inflated = zlib.decompressobj().decompress(data, _LARGEST_TRANSCRIPT)
    except (ValueError, zlib.error):
        return ()
    text = inflated.decode(errors="replace")
    return tuple(cleaned(line, LINE) for line in text.split("\n")) if text else ()


def cleaned(text: str, length: int) -> str:
    """Cut `text` to `length` characters, every control or invisible one made a space."""
    kept = "".join(" " if unicodedata.category(c) in _UNSEEN else c for c in text[: 4 * length])
    return " ".join(kept.split())[:length]


_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def masked(text: str) -> str:
    """Put *** for numbers of cards (Luhn's check holds) and of US social security."""
    return _SOCIAL_SECURITY.sub("***", _CARD.sub(_mask_card, text))


def _mask_card(match: re.Match[str]) -> str:
    digits = [int(character) for character in match[0] if character.isdecimal()]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return match[0] if (sum(doubled) + sum(digits[-1::-2])) % 10 else "***"


def _escaped(text: str, length: int, room: int) -> str:
    """Percent-encode `length` characters at most, cut so that no escape is halved; dots say so."""
    whole = text = cleaned(masked(text), length)
    escaped = quote(text, safe="")
    while text and len(escaped) > room:
        text = text[: min(len(text) - 1, len(text) * max(room, 0) // len(escaped))]
        escaped = quote(text, safe="") + _CUT
    return escaped if text == whole or len(text) >= _LEAST else ""


def _is_url(text: str) -> bool:
    return len(text) <= _URL and re.fullmatch(r"https?://[!-;=?-~]+", text) is not None


def _share(confidence: float) -> float:
    return min(max(confidence, 0.0), 1.0) if math.isfinite(confidence) else 0.0


def _number(text: str) -> float:
    try:
        return _share(float(text))
    except ValueError:
        return 0.0


def _first_object(values: Iterable[str]) -> dict[str, Any]:
    """The first User-to-User value that holds our JSON; others may be the carrier's own."""
    for value in values:
        try:
            data = json.loads(decode_user_to_user(value))
        except (ValueError, RecursionError):
            continue
        if isinstance(data, dict) and data.get("v") == VERSION:
            return data
    return {}
