"""Who signs for callers, in tests: roots, signers with a TNAuthList, Identity headers.

It imports nothing of opensip: what it writes is what a foreign signer would.
"""

import base64
import json
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

TN_AUTH_LIST = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.26")
UNUSED = (  # of an authority's key
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
    *("key_agreement", "encipher_only", "decipher_only"),
)
URL = "https://certs.example/signer.pem"


def der(tag, content):
    """Write one value of DER."""
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes(2, "big")
    return bytes([tag, 0x82]) + length + content


def provider(code):
    """Write a TNEntry: a service provider code."""
    return der(0xA0, der(0x16, code.encode()))


def numbers(first, count):
    """Write a TNEntry: a range of numbers."""
    return der(0xA1, der(0x30, der(0x16, first.encode()) + der(0x02, count.to_bytes(3, "big"))))


def number(one):
    """Write a TNEntry: one number."""
    return der(0xA2, der(0x16, one.encode()))


def base64url(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def compact_json(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


@dataclass(frozen=True)
class StirSigner:
    """A signer: `chain` is what stands at its URL."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    chain: bytes

    def signature(self, signing_input):
        r, s = decode_dss_signature(self.key.sign(signing_input, ec.ECDSA(hashes.SHA256())))
        return base64url(r.to_bytes(32, "big") + s.to_bytes(32, "big"))

    def token(self, header, claims):
        """Sign what is given, whatever it is."""
        parts = [base64url(compact_json(part)) for part in (header, claims)]
        return ".".join([*parts, self.signature(".".join(parts).encode())])

    def identity(
        self, orig="15551112222", dest="15553334444", *, url=URL, iat=None, attest="A", **claims
    ):
        """Write an Identity header of the shaken kind."""
        body = {
            "attest": attest,
            "dest": {"tn": [dest]},
            "iat": int(time.time()) if iat is None else iat,
            "orig": {"uri" if ":" in orig else "tn": orig},
            "origid": str(uuid.UUID(int=7)),
        } | claims
        header = {"alg": "ES256", "ppt": "shaken", "typ": "passport", "x5u": url}
        return f"{self.token(header, body)};info=<{url}>;alg=ES256;ppt=shaken"

    def compact(self, orig, dest, *, iat, url=URL):
        """Write an Identity header of the base kind, header and claims left out."""
        header = {"alg": "ES256", "typ": "passport", "x5u": url}
        body = {"dest": {"tn": [dest]}, "iat": iat, "orig": {"tn": orig}}
        return f"..{self.token(header, body).rpartition('.')[2]};info=<{url}>;alg=ES256"


class StirAuthority:
    """A root; `pem` is what [identity] anchors wants."""

    def __init__(self, name="STI test root"):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._ca(self.name, self.key, self.name, self.key)
        self.pem = pem(self.certificate)

    def signer(
        self,
        *entries,
        name="SHAKEN 1234",
        curve=ec.SECP256R1,
        age=timedelta(hours=1),
        life=timedelta(days=1),
        through=False,
        octets=None,
    ):
        """Make a signer for `entries`, else a provider; `through` an authority between."""
        issuer, issuer_key, between = self.name, self.key, b""
        if through:
            issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "STI test issuer")])
            issuer_key = ec.generate_private_key(ec.SECP256R1())
            between = pem(self._ca(issuer, issuer_key, self.name, self.key))
        key = ec.generate_private_key(curve())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        built = _builder((subject, key), (issuer, issuer_key), age, life).add_extension(
            x509.BasicConstraints(ca=False, path_length=None), critical=True
        )
        if octets is None:
            octets = der(0x30, b"".join(entries or (provider("1234"),)))
        if octets:
            unknown = x509.UnrecognizedExtension(TN_AUTH_LIST, octets)
            built = built.add_extension(unknown, critical=False)
        signed = built.sign(issuer_key, hashes.SHA256())
        return StirSigner(key, signed, pem(signed) + between)

    def _ca(self, subject, key, issuer, issuer_key):
        usage = dict.fromkeys(UNUSED, False)
        return (
            _builder((subject, key), (issuer, issuer_key), timedelta(days=9), timedelta(days=99))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(**usage, key_cert_sign=True, crl_sign=True), critical=True)
            .sign(issuer_key, hashes.SHA256())
        )


def _builder(holder, issued_by, age, life):
    (subject, key), (issuer, issuer_key) = holder, issued_by
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - age)
        .not_valid_after(now - age + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )


@pytest.fixture(scope="session")
def stir():
    return StirAuthority()


@pytest.fixture(scope="session")
def signer(stir):
    return stir.signer()
