"""DTLS-SRTP in descriptions: a=fingerprint (RFC 8122) and a=setup (RFC 4145, RFC 5763)."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from opensip.errors import NegotiationError, RemoteProtocolError
from opensip.sdp.description import WORD, MediaDescription, SessionDescription

# Octets of each hash that we trust, the strongest last; SHA-1 and MD5 have been broken.
HASHES = {"sha-256": 32, "sha-384": 48, "sha-512": 64}

_TLS_ID = re.compile(r"[0-9A-Za-z+/_-]{20,255}")
_FINGERPRINT = re.compile(rf"({WORD}) +([0-9A-Fa-f]{{2}}(?::[0-9A-Fa-f]{{2}})*) *")
# What each setup lets the other side be: RFC 4145 section 4.1.
_ANSWERS = {"active": ("passive",), "passive": ("active",), "actpass": ("active", "passive")}


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The hash of a certificate, by which a description names it."""

    algorithm: str
    digest: bytes

    @classmethod
    def parse(cls, value: str) -> "Fingerprint":
        """Read the value of a=fingerprint. Raises RemoteProtocolError."""
        found = _FINGERPRINT.fullmatch(value)
        if not found:
            raise RemoteProtocolError(f"SDP fingerprint {value[:40]!r} is malformed")
        algorithm, digest = found[1].lower(), bytes.fromhex(found[2].replace(":", ""))
        if len(digest) != HASHES.get(algorithm, len(digest)):
            raise RemoteProtocolError(f"SDP fingerprint has {len(digest)} octets of {algorithm}")
        return cls(algorithm, digest)

    def __str__(self) -> str:
        return f"{self.algorithm} {self.digest.hex(':').upper()}"


@dataclass(frozen=True, slots=True)
class OwnDtls:
    """What we say of ourselves. `role` is "active" or "passive" once that is settled, else "".

    `ufrag` and `password` are those of ICE; `mux` offers RTCP on the port of RTP (RFC 5761);
    `tls_id` names the association (RFC 8842).
    """

    fingerprint: Fingerprint
    ufrag: str
    password: str
    role: str = ""
    mux: bool = True
    tls_id: str = ""


@dataclass(frozen=True, slots=True)
class DtlsPeer:
    """What is agreed: a certificate with one of `fingerprints`, and our `role`.

    One that differs is another association; so is one with another `tls_id` (RFC 8842 section 5).
    """

    fingerprints: tuple[Fingerprint, ...]
    role: str
    tls_id: str = ""

    @property
    def is_client(self) -> bool:
        """Whether the ClientHello is ours."""
        return self.role == "active"


def read_peer(
    own: OwnDtls, described: SessionDescription, media: MediaDescription, *, offered: str = ""
) -> DtlsPeer | None:
    """Read what the peer says of its DTLS; None where it says nothing.

    `offered` is our setup where this is an answer. Raises NegotiationError for hashes that
    nobody should trust, and for roles that do not fit.
    """
    values = media.get_all("fingerprint") or [
        value for name, value in described.attributes if name == "fingerprint"
    ]
    if not values:
        return None
    fingerprints = _strongest(_known(values))
    if not fingerprints:
        named = ", ".join(dict.fromkeys(value.split(" ")[0][:20] for value in values))
        raise NegotiationError(f"offered fingerprints by {named}; we can {', '.join(HASHES)}")
    theirs = media.get("setup") or described.get("setup") or "active"  # RFC 4145 section 4
    role = _role(theirs.strip().lower(), own.role, offered)
    tls_id = (media.get("tls-id") or described.get("tls-id") or "").strip()
    return DtlsPeer(fingerprints, role, tls_id if _TLS_ID.fullmatch(tls_id) else "")


def dtls_attributes(own: OwnDtls, setup: str, *, named: bool = True) -> Iterator[tuple[str, str]]:
    """Write what stands in the media section: RFC 5763 section 5.

    The association is `named` in every offer, and to who named it (RFC 8842 section 5).
    """
    yield "fingerprint", str(own.fingerprint)
    yield "setup", setup
    if named and own.tls_id:
        yield "tls-id", own.tls_id


def _role(theirs: str, current: str, offered: str) -> str:
    """Choose our role: the settled one where it may stay (RFC 8842 section 5.3).

    Else "active", as RFC 5763 section 5 recommends: it saves half a round trip.
    """
    possible = _ANSWERS.get(theirs, ())
    if offered:
        allowed = ("active", "passive") if offered == "actpass" else (offered,)
        possible = tuple(r for r in possible if r in allowed) if theirs != "actpass" else ()
    if not possible:
        beside = f" to our {offered}" if offered else ""
        raise NegotiationError(f"setup {theirs[:20]}{beside}; we can active and passive")
    return current if current in possible else possible[0]


def _known(values: Iterable[str]) -> Iterator[Fingerprint]:
    """Give those of hashes that we trust; a malformed line counts for nothing."""
    for value in values:
        try:
            fingerprint = Fingerprint.parse(value)
        except RemoteProtocolError:
            continue
        if fingerprint.algorithm in HASHES:
            yield fingerprint


def _strongest(known: Iterable[Fingerprint]) -> tuple[Fingerprint, ...]:
    """Keep those of the strongest hash: RFC 8122 section 5, so that no weaker one opens a way."""
    order = list(HASHES)
    found = sorted(known, key=lambda f: order.index(f.algorithm))
    return tuple(f for f in found if f.algorithm == found[-1].algorithm)
