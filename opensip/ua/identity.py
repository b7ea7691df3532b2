"""Who calls, and what the trunk tells of the call. Pure."""

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from opensip.errors import RemoteProtocolError
from opensip.sip.fields import UserToUser
from opensip.sip.identity_fields import HistoryEntry
from opensip.sip.message import Request
from opensip.sip.uri import NameAddr

_PARTY = "Remote-Party-ID"  # draft-ietf-sip-privacy-04, still what many carriers send
_NAMELESS = frozenset({"anonymous", "restricted", "unavailable", "unknown", "private"})
_JWT = re.compile(r"(eyJ[A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{4,}={0,2}")


@dataclass(frozen=True, slots=True)
class CallerIdentity:
    """The caller: `number` as the trunk writes it, "" if withheld; `source` is the header.

    `privacy` is true if the caller asked not to be shown (RFC 3323): the number of a trusted
    header may serve us, but is not to be passed on.
    """

    number: str
    display_name: str
    source: Literal["pai", "rpid", "from"]
    privacy: bool


def caller(request: Request, trusted: bool) -> CallerIdentity:
    """Tell who calls: P-Asserted-Identity, Remote-Party-ID, From; untrusted trunks only From."""
    privacy = _wants_privacy(request)
    if trusted:
        asserted, party = _addresses(request, "P-Asserted-Identity"), _addresses(request, _PARTY)
        if asserted:
            # A sip or sips identity comes first; a tel one may stand beside it (RFC 3325 9.1).
            return _identity(min(asserted, key=_is_tel), "pai", privacy)
        if party:
            calling = min(party, key=_is_other_party)
            return _identity(calling, "rpid", privacy or _is_private_party(calling))
    nameless = not _number(request.from_)
    return _identity(request.from_, "from", privacy or nameless)


def context(request: Request, headers: Sequence[str]) -> dict[str, str]:
    """Give what a trusted trunk tells as variables for the agent.

    `user_to_user` (`user_to_user_2`, … for more), decoded; `diversion` and `diversion_reason`
    of the last diversion (RFC 5806); `history`, the targets before us that may be shown (RFC
    7044), with spaces between; `referred_by`, who transferred the caller to us (RFC 3892), whose
    word alone that is; each of the configured `headers` under its name in lower
    case with "_" for "-". Never call it for a trunk that is not trusted.
    """
    variables: dict[str, str] = {}
    for at, value in enumerate(request.headers.readable_values("User-to-User"), start=1):
        decoded = decode_user_to_user(value)
        if decoded:
            variables["user_to_user" if at == 1 else f"user_to_user_{at}"] = decoded
    if diversions := _addresses(request, "Diversion"):
        variables["diversion"] = _number(diversions[0])
        variables["diversion_reason"] = printable(diversions[0].params.get("reason") or "unknown")
    if history := [_number(entry.address) for entry in _history(request)]:
        variables["history"] = " ".join(filter(None, history))
    if referrers := _addresses(request, "Referred-By"):
        variables["referred_by"] = _number(referrers[0]) or printable(referrers[0].uri.host)
    for name in headers:
        found = request.headers.get(name)
        if found is not None:
            variables[name.lower().replace("-", "_")] = printable(found)
    return variables


def decode_user_to_user(value: str) -> str:
    """Read a User-to-User value (RFC 7433) as text: hex, base64, jwt, quoted or token.

    Hex loses a leading protocol discriminator of zero. Of a JWT the claims are given, not
    verified. What cannot be decoded to text stays as it is written; "" if it is no value.
    """
    try:
        field = UserToUser.parse(value)
    except RemoteProtocolError:
        return ""
    data = field.data
    if field.quoted or field.encoding in ("ascii", "text"):
        return printable(data)
    if jwt := _JWT.fullmatch(data):
        return _from_base64(jwt[2]) or printable(data)
    # Without a name it is hex by RFC 7433, but what is no hex is what carriers make of it.
    if field.encoding in (None, "hex") and _HEX.fullmatch(data):
        return _text(bytes.fromhex(data).removeprefix(b"\0")) or data
    if field.encoding in (None, "base64") and _BASE64.fullmatch(data):
        return _from_base64(data) or data
    return printable(data)


def printable(text: str) -> str:
    """Make foreign text fit for logs, screens and prompts: one line, no control characters."""
    if text.isascii() and text.isprintable():
        return text.strip()  # nearly all of it
    octets = text.encode("utf-8", "surrogateescape")
    shown = octets.decode("utf-8", "replace")
    return "".join(c if c.isprintable() else " " for c in shown).strip()


def _identity(
    address: NameAddr, source: Literal["pai", "rpid", "from"], privacy: bool
) -> CallerIdentity:
    return CallerIdentity(_number(address), printable(address.display_name or ""), source, privacy)


def _number(address: NameAddr) -> str:
    user = (address.uri.user or "").partition(";")[0]
    return "" if user.lower() in _NAMELESS else printable(user)


def _addresses(request: Request, name: str) -> list[NameAddr]:
    return list(_readable(request.headers.readable_values(name)))


def _readable(values: Iterable[str]) -> Iterable[NameAddr]:
    for value in values:
        try:
            yield NameAddr.parse(value)
        except RemoteProtocolError:
            continue  # one header that cannot be read must not cost the call


def _history(request: Request) -> list[HistoryEntry]:
    """Give what History-Info tells of earlier targets: the last one is how the call found us."""
    entries = []
    for value in request.headers.readable_values("History-Info"):
        try:
            entry = HistoryEntry.parse(value)
            entries.append((entry, entry.is_private))
        except RemoteProtocolError:
            continue  # one that cannot be read must not cost the call
    return [entry for entry, is_private in entries[:-1] if not is_private]


def _is_tel(address: NameAddr) -> bool:
    return address.uri.scheme == "tel"


def _is_other_party(address: NameAddr) -> int:
    """Put who calls first, then who says nothing: `party=called` may stand beside it."""
    return {"calling": 0, "": 1}.get((address.params.get("party") or "").lower(), 2)


def _is_private_party(address: NameAddr) -> bool:
    return (address.params.get("privacy") or "off").lower() not in ("off", "no")


def _wants_privacy(request: Request) -> bool:
    tokens = ";".join(request.headers.get_all("Privacy")).lower().replace(",", ";").split(";")
    return any(token.strip() not in ("", "none") for token in tokens)


def _from_base64(data: str) -> str:
    padded = data.rstrip("=") + "=" * (-len(data.rstrip("=")) % 4)
    try:
        return _text(base64.b64decode(padded, altchars=b"-_" if {*"-_"} & {*data} else None))
    except (binascii.Error, ValueError):
        return ""


def _text(octets: bytes) -> str:
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        return ""
    return text if text.replace("\n", " ").replace("\t", " ").isprintable() else ""
