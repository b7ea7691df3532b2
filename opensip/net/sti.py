"""Certificates that callers are signed for with: RFC 8226, ATIS-1000080. Pure, but for `anchors`.

Revocation lists are not asked: a certificate counts until it expires or its root is taken away.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import verification

from opensip.errors import ConfigError
from opensip.sip.passport import refused

MAX_CHAIN = 5  # certificates that a signer may show: its own and those on the way to a root

_TN_AUTHORIZATION_LIST = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.26")
_SEQUENCE, _TEXT = 0x30, 0x16  # tags of DER: SEQUENCE, IA5String
_PROVIDER, _RANGE, _ONE = 0xA0, 0xA1, 0xA2  # explicit tags of the choice TNEntry


@dataclass(frozen=True, slots=True)
class Range:
    """Telephone numbers that a certificate is for: `count` of them from `first` on."""

    first: str
    count: int

    def holds(self, number: str) -> bool:
        """Tell whether `number`, digits alone, is one of them."""
        if not number.isdecimal() or not self.first.isdecimal() or len(number) != len(self.first):
            return self.count == 1 and number == self.first
        return 0 <= int(number) - int(self.first) < self.count


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs: a certificate whose chain has been checked.

    `ranges` of () means a provider, who answers for any number; `providers` are its codes.
    """

    key: ec.EllipticCurvePublicKey
    providers: tuple[str, ...]
    ranges: tuple[Range, ...]

    def signed(self, signing_input: bytes, signature: bytes) -> bool:
        """Tell whether an ES256 signature, r and s of 32 octets each, is of this signer."""
        r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
        try:
            self.key.verify(encode_dss_signature(r, s), signing_input, ec.ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True

    def may_sign_for(self, number: str) -> bool:
        """Tell whether the number, digits alone, is within what the certificate is for."""
        return bool(self.providers) or any(one.holds(number) for one in self.ranges)


class Anchors:
    """The roots that are trusted to say who may sign for callers."""

    def __init__(self, roots: bytes) -> None:
        """Take roots in PEM; raises ValueError where there is none."""
        self._store = verification.Store(x509.load_pem_x509_certificates(roots))

    def signer(self, chain: bytes, *, now: datetime) -> Signer:
        """Check a chain, PEM with the signer's certificate first, or that one alone in DER.

        Raises RemoteProtocolError 437 that says what is wrong. `now` is aware.
        """
        leaf, *others = _certificates(chain)
        builder = verification.PolicyBuilder().store(self._store).time(now)
        # Whom a signer's certificate stands for is told by its list of numbers, not by names.
        policies = builder.max_chain_depth(MAX_CHAIN).extension_policies(
            ca_policy=verification.ExtensionPolicy.webpki_defaults_ca(),
            ee_policy=verification.ExtensionPolicy.permit_all(),
        )
        if not leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc:
            raise refused(437, "the signer's certificate has expired or is not valid yet")
        with _refusing("is not trusted"):
            policies.build_client_verifier().verify(leaf, others)
            key = leaf.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(
            key.curve, ec.SECP256R1
        ):
            raise refused(437, "the signer's key is not of P-256")
        return Signer(key, *_authority(leaf))


def anchors(file: Path) -> Anchors:
    """Read the roots of a PEM file, or raise ConfigError that names file and remedy."""
    try:
        return Anchors(file.read_bytes())
    except (OSError, ValueError, x509.InvalidVersion) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ConfigError(
            f"cannot use the roots in {file}: {why}. It wants certificates in PEM, such as the "
            "list of the STI policy administrator"
        ) from error


@contextmanager
def _refusing(why: str) -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what a reader merely warns of is nothing to trust
            yield
    except Exception as error:  # a stranger's octets, of which their reader says no in many ways
        raise refused(437, f"the signer's certificate {why}: {error}") from error


def _certificates(chain: bytes) -> list[x509.Certificate]:
    with _refusing("cannot be read"):
        if b"-----BEGIN" in chain:
            found = x509.load_pem_x509_certificates(chain)
        else:
            found = [x509.load_der_x509_certificate(chain)]
    if len(found) > MAX_CHAIN:
        raise refused(437, f"the signer shows {len(found)} certificates; {MAX_CHAIN} at most")
    return found


def _authority(leaf: x509.Certificate) -> tuple[tuple[str, ...], tuple[Range, ...]]:
    """Read the TNAuthList of a certificate: codes of providers, and numbers (RFC 8226 9)."""
    providers, ranges = [], []
    with _refusing("is not made for telephone numbers"):
        found = leaf.extensions.get_extension_for_oid(_TN_AUTHORIZATION_LIST).value
        octets = found.value if isinstance(found, x509.UnrecognizedExtension) else b""
        for entry in _entries(octets):
            if isinstance(entry, Range):
                ranges.append(entry)
            else:
                providers.append(entry)
    return tuple(providers), tuple(ranges)


def _entries(octets: bytes) -> Iterator[str | Range]:
    [(tag, content)] = _values(octets)
    if tag != _SEQUENCE:
        raise ValueError("no TNAuthorizationList")
    for kind, choice in _values(content):
        [(tag, value)] = _values(choice)
        if (kind, tag) == (_PROVIDER, _TEXT):
            yield value.decode("ascii")
        elif (kind, tag) == (_ONE, _TEXT):
            yield Range(value.decode("ascii"), 1)
        elif (kind, tag) == (_RANGE, _SEQUENCE):
            (_, first), (_, count) = _values(value)
            yield Range(first.decode("ascii"), int.from_bytes(count, "big"))
        else:
            raise ValueError(f"no TNEntry: {kind:#x}")


def _values(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """Read the values of DER one after the other: tag and content."""
    at = 0
    while at < len(octets):
        tag, length = octets[at], octets[at + 1]
        at += 2
        if length & 0x80:  # the length stands in as many octets
            width = length & 0x7F
            length = int.from_bytes(octets[at : at + width], "big")
            at += width
        if at + length > len(octets):
            raise ValueError("DER that ends too early")
        yield tag, octets[at : at + length]
        at += length
