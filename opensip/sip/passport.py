"""Identity and the PASSporT in it: RFC 8224, 8225, 8588. Pure: who signed it is told elsewhere.

Errors carry the status that RFC 8224 section 6.2.2 has for them.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from opensip.errors import RemoteProtocolError
from opensip.sip.grammar import Params, split
from opensip.sip.reasons import reason_of
from opensip.sip.uri import Uri

MAX_TOKEN = 8192  # characters; with a display card (RFC 9795) they come near four thousand
MAX_FIELD = 2 * MAX_TOKEN  # with where its certificate is; to read more takes long
SIGNATURE = 64  # octets of an ES256 signature, r and s: RFC 7518 section 3.4

_TOKEN = re.compile(r"([A-Za-z0-9_-]*)\.([A-Za-z0-9_-]*)\.([A-Za-z0-9_-]+)")
_INFO = re.compile(r"<([^<>\s]+)>")
_SEPARATORS = re.compile(r"[\s.()/-]")
_TELEPHONE = re.compile(r"\+?([0-9*#]{1,32})")
_LEVELS = frozenset("ABC")  # of attestation: full, partial, gateway (RFC 8588 section 4)
_MAX_ORIGID = 64  # characters; it is a UUID
_LAST_SECOND = 2**40  # in 36 000 years; what is later is no time, and no float can hold it

_Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Party:
    """One end of a call as a PASSporT names it: telephone number ("tn") or URI."""

    kind: str  # "tn" | "uri"
    value: str

    @classmethod
    def of(cls, text: str) -> "Party":
        """Bring a number or a URI to its canonical form: RFC 8224 sections 8.3 and 8.5."""
        digits = telephone(text)
        return cls("tn", digits) if digits else cls("uri", _canonical_uri(text))


@dataclass(frozen=True, slots=True)
class IdentityField:
    """One Identity header: RFC 8224 section 4. `ppt` is "" where none is told."""

    token: str
    info: str
    alg: str = "ES256"
    ppt: str = ""

    @classmethod
    def parse(cls, text: str) -> "IdentityField":
        """Read it; raises 436 where `info` is no URI in brackets, 438 for the rest."""
        if len(text) > MAX_FIELD:
            raise invalid(f"an Identity of {len(text)} characters, more than {MAX_FIELD}")
        token, *rest = _parts(text)
        if len(token) > MAX_TOKEN or not _TOKEN.fullmatch(token.strip()):
            raise invalid("no PASSporT of three parts")
        info, others = "", []
        for part in rest:
            name, _, value = part.partition("=")
            if name.strip().lower() == "info":
                info = _bracketed(value)
            else:
                others.append(part)
        if not info:
            raise refused(436, "Identity without info: nobody says where its certificate is")
        params = _params(others)
        ppt = (params.get("ppt") or "").lower()
        return cls(token.strip(), info, params.get("alg") or "ES256", ppt)

    @property
    def is_compact(self) -> bool:
        """True if header and claims are left out, to be made from the request (section 7)."""
        return self.token.startswith("..")


@dataclass(frozen=True, slots=True)
class Passport:
    """What was signed: RFC 8225. `iat` is in seconds since 1970.

    `attest` ("A", "B" or "C") and `origid` are those of RFC 8588, "" in any other kind.
    """

    ppt: str
    x5u: str
    iat: int
    orig: Party
    dest: tuple[Party, ...]
    attest: str
    origid: str
    signing_input: bytes
    signature: bytes

    @classmethod
    def read(cls, field: IdentityField) -> "Passport":
        """Read the full form; raises 436, 437 or 438 for what RFC 8224 and 8588 forbid."""
        head, body, tail = field.token.split(".")
        header, claims = _decoded(head), _decoded(body)
        _check_header(header, field)
        return cls._of(field, claims, f"{head}.{body}".encode(), tail)

    @classmethod
    def rebuild(
        cls, field: IdentityField, *, iat: int, orig: Party, dest: Iterable[Party]
    ) -> "Passport":
        """Make the PASSporT of a compact form from what the request says; `iat` is its Date.

        Of kinds with claims of their own no compact form can be made (RFC 8588 section 5).
        """
        if field.ppt:
            raise invalid(f"a compact form of {field.ppt!r}, whose claims nobody can know")
        header = {"alg": "ES256", "typ": "passport", "x5u": field.info}
        _check_header(header, field)
        claims = {"dest": _by_kind(dest), "iat": iat, "orig": {orig.kind: orig.value}}
        signing_input = signing_input_of(header, claims)
        return cls._of(field, claims, signing_input, field.token.removeprefix(".."))

    @classmethod
    def _of(cls, field: IdentityField, claims: _Object, signed: bytes, tail: str) -> "Passport":
        iat, signature = claims.get("iat"), _octets(tail)
        if type(iat) is not int or not 0 <= iat < _LAST_SECOND:
            raise invalid("no iat, or one that is no time")
        if len(signature) != SIGNATURE:
            raise invalid(f"a signature of {len(signature)} octets; ES256 has {SIGNATURE}")
        [orig, *more] = _parties(claims.get("orig"), "orig")
        if more:
            raise invalid("more than one orig")
        attest, origid = _shaken(claims) if field.ppt == "shaken" else ("", "")
        dest = tuple(_parties(claims.get("dest"), "dest"))
        return cls(field.ppt, field.info, iat, orig, dest, attest, origid, signed, signature)


def canonical(value: _Object) -> str:
    """Write JSON in the form that is signed: RFC 8225 section 9."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def signing_input_of(header: _Object, claims: _Object) -> bytes:
    """Make the octets that are signed (RFC 7515 section 5.1)."""
    parts = (canonical(part).encode("utf-8", "surrogateescape") for part in (header, claims))
    return b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)


def telephone(text: str) -> str:
    """Give the digits of a telephone number without plus and separators; "" if it is none.

    RFC 8224 section 8.3. National numbers are to be completed before.
    """
    found = _TELEPHONE.fullmatch(_SEPARATORS.sub("", text))
    return found[1] if found else ""


def refused(status: int, why: str) -> RemoteProtocolError:
    """Make the error for a PASSporT that does not hold: RFC 8224 section 6.2.2."""
    return RemoteProtocolError(why, sip_status=status, reason=phrase(status))


def phrase(status: int) -> str:
    """Give the reason phrase of RFC 8224 section 6.2.2, which has its own for 403."""
    return "Stale Date" if status == 403 else reason_of(status)


def invalid(why: str) -> RemoteProtocolError:
    """Make the error for what is no PASSporT, or not one for this call: 438."""
    return refused(438, why)


def _parts(text: str) -> list[str]:
    try:
        return split(text.strip(), ";")
    except RemoteProtocolError as error:
        raise invalid(str(error)) from error


def _params(parts: list[str]) -> Params:
    try:
        return Params.parse("".join(f";{part}" for part in parts))
    except RemoteProtocolError as error:
        raise invalid(str(error)) from error


def _bracketed(value: str) -> str:
    found = _INFO.fullmatch(value.strip())
    return found[1] if found else ""


def _check_header(header: _Object, field: IdentityField) -> None:
    if header.get("alg") != "ES256" or field.alg != "ES256":
        raise refused(437, f"algorithm {header.get('alg')!r}: ES256 alone is taken")
    if header.get("typ") != "passport":
        raise refused(437, f"type {header.get('typ')!r} is no passport")
    if header.get("ppt", "") != field.ppt:
        raise invalid("ppt of the header and of the PASSporT differ")
    if header.get("x5u") != field.info:
        raise refused(436, "info of the header and x5u of the PASSporT differ")
    if "crit" in header:  # RFC 7515 section 4.1.11: what must be understood is not
        raise refused(437, "extensions that must be understood, and are not")


def _shaken(claims: _Object) -> tuple[str, str]:
    attest, origid = claims.get("attest"), claims.get("origid")
    if not isinstance(attest, str) or attest not in _LEVELS:
        raise invalid("shaken without an attest of A, B or C")
    if not isinstance(origid, str) or not 0 < len(origid) <= _MAX_ORIGID or not origid.isascii():
        raise invalid("shaken without an origid")
    return attest, "".join(c if c.isprintable() else " " for c in origid)


def _parties(value: Any, what: str) -> list[Party]:
    """Read orig, one string a kind, or dest, a list a kind (RFC 8225 section 5.2.1)."""
    found = []
    for kind in ("tn", "uri"):
        named = value.get(kind, []) if isinstance(value, dict) else []
        for one in named if isinstance(named, list) else [named]:
            if not isinstance(one, str):
                raise invalid(f"{what} that holds no text")
            found.append(Party(kind, telephone(one) if kind == "tn" else _canonical_uri(one)))
    if not found:
        raise invalid(f"no {what}")
    return found


def _by_kind(parties: Iterable[Party]) -> dict[str, list[str]]:
    kinds: dict[str, list[str]] = {}
    for party in parties:
        kinds.setdefault(party.kind, []).append(party.value)
    return {kind: sorted(values) for kind, values in kinds.items()}


def _canonical_uri(text: str) -> str:
    """Keep of a SIP URI what tells who it is: scheme, user and host."""
    try:
        uri = Uri.parse(text)
    except RemoteProtocolError:
        return text
    return f"{uri.scheme}:{uri.user}@{uri.host.lower()}" if uri.user else text


def _decoded(part: str) -> _Object:
    try:
        value = json.loads(
            _octets(part), object_pairs_hook=_without_doubles, parse_constant=_no_constant
        )
    except (ValueError, RecursionError):
        raise invalid("a part that is no JSON") from None
    if not isinstance(value, dict):
        raise invalid("a part that is no object")
    return value


def _octets(part: str) -> bytes:
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise invalid("a part that is no base64url") from None


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Two readers of one name that stands twice may each take another (RFC 7515 section 4).
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name twice")
    return made


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
