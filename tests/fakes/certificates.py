"""Certificates for tests: one authority, and what it signs."""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Pair:
    certificate: Path
    key: Path


class Authority:
    """Signs certificates for host names and addresses; its own stands in `ca`."""

    def __init__(self, directory: Path, name: str = "opensip test authority") -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        built = self._builder(self._name, self._key).add_extension(constraints, critical=True)
        self.ca = self._write("ca.pem", built.sign(self._key, hashes.SHA256()))

    def sign(self, *names: str, rsa_key: bool = False, expired: bool = False) -> Pair:
        """Make a key and a certificate for host names, addresses and SIP URIs."""
        key: Key = (
            rsa.generate_private_key(public_exponent=65537, key_size=2048)
            if rsa_key
            else ec.generate_private_key(ec.SECP256R1())
        )
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        san = x509.SubjectAlternativeName([_general_name(n) for n in names])
        built = self._builder(name, key, expired=expired).add_extension(san, critical=False)
        stem = f"{names[0].replace(':', '-')}-{'rsa' if rsa_key else 'ec'}{'-old' * expired}"
        certificate = self._write(f"{stem}.pem", built.sign(self._key, hashes.SHA256()))
        key_path = self._directory / f"{stem}.key"
        key_path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return Pair(certificate, key_path)

    def _builder(
        self, subject: x509.Name, key: Key, *, expired: bool = False
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC) - timedelta(days=2) * expired
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
        )

    def _write(self, name: str, certificate: x509.Certificate) -> Path:
        path = self._directory / name
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return path


def _general_name(name: str) -> x509.GeneralName:
    if ":" in name and name.startswith("sip"):
        return x509.UniformResourceIdentifier(name)
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def rsa_pair(authority):
    return authority.sign("localhost", "127.0.0.1", rsa_key=True)


@pytest.fixture(scope="session")
def ec_pair(authority):
    return authority.sign("sip.example", "127.0.0.1")
