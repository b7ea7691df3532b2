"""TLS contexts for SIP: a strict profile, and one as wide as Bandwidth's SBCs need."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from opensip.errors import ConfigError

Profile = Literal["strict", "bandwidth"]

_CIPHERS: dict[Profile, str] = {
    "strict": "ECDHE+AESGCM:ECDHE+CHACHA20",
    # Bandwidth speaks TLS 1.2 with RSA key exchange and CBC: Python's own list shares none of it
    "bandwidth": (
        "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:"
        "AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA256:AES256-SHA256:AES128-SHA"
    ),
}


@dataclass(frozen=True, slots=True)
class TlsConfig:
    """Files (PEM) and profile of one TLS listener, or of the connections we open.

    `ca` replaces the system's certificate authorities. A client needs a certificate only
    where its peer asks for one.
    """

    certificate: Path | None = None
    key: Path | None = None
    ca: Path | None = None
    profile: Profile = "strict"
    require_client_certificate: bool = False


class _ClientHandshake(ssl.SSLObject):
    """Tells a certificate that is missing from a suite that is not shared.

    Up to TLS 1.2 both end in the alert handshake_failure, but only the first comes after the
    peer has chosen a suite. Errors are named as the alert of TLS 1.3 is.
    """

    def do_handshake(self) -> None:
        """Shake hands; raises SSLError."""
        try:
            super().do_handshake()
        except ssl.SSLError as error:
            if "HANDSHAKE_FAILURE" in (error.reason or "") and self.cipher() is not None:
                why = "[SSL: ALERT_CERTIFICATE_REQUIRED] handshake failure after a suite was chosen"
                raise ssl.SSLError(ssl.SSL_ERROR_SSL, why) from error
            raise


def server_context(config: TlsConfig) -> ssl.SSLContext:
    """Make the context of a listener, or raise ConfigError naming the file and the remedy."""
    if config.certificate is None:
        raise ConfigError("a TLS listener needs a certificate: scripts/certs makes one in certs/")
    context = _context(ssl.PROTOCOL_TLS_SERVER, config)
    if config.require_client_certificate:
        context.verify_mode = ssl.CERT_REQUIRED
        if config.ca is None:
            context.load_default_certs(ssl.Purpose.CLIENT_AUTH)
    return context


def client_context(config: TlsConfig) -> ssl.SSLContext:
    """Make the context of connections we open: the chain is always verified.

    The name is not: OpenSSL knows neither SIP URIs nor that a wildcard is no domain here. It is
    for `tls_identity.check_identity`.
    """
    context = _context(ssl.PROTOCOL_TLS_CLIENT, config)
    context.sslobject_class = _ClientHandshake
    context.check_hostname = False
    if config.ca is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    return context


def expires_at(certificate: Path) -> datetime:
    """Tell when the first certificate of a PEM file expires, in UTC."""
    return _first_certificate(certificate).not_valid_after_utc.astimezone(UTC)


def _context(protocol: int, config: TlsConfig) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_ciphers(_CIPHERS[config.profile])
    if config.certificate is not None:
        _load_certificate(context, config.certificate, config)
    if config.ca is not None:
        try:
            context.load_verify_locations(cafile=config.ca)
        except (OSError, ssl.SSLError) as error:
            raise _unusable("certificate authority file", config.ca, error) from error
    return context


def _load_certificate(context: ssl.SSLContext, certificate: Path, config: TlsConfig) -> None:
    if config.profile == "bandwidth" and not _is_rsa(certificate):
        raise ConfigError(
            f"the TLS certificate {certificate} has no RSA key, and Bandwidth accepts no other: "
            "scripts/certs makes one with RSA-2048"
        )
    key = config.key or certificate
    for what, path in (("certificate", certificate), ("key", key)):
        _read(what, path)  # tells a missing key from a missing certificate, which ssl does not
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"the TLS certificate {certificate} and the key {key} do not go together ({error}): "
            "scripts/certs makes a pair that does"
        ) from error


def _no_password() -> str:
    return ""  # without this, an encrypted key would ask on the terminal and stop the server


def _is_rsa(certificate: Path) -> bool:
    return isinstance(_first_certificate(certificate).public_key(), RSAPublicKey)


def _first_certificate(certificate: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(_read("certificate", certificate))
    except (ValueError, x509.InvalidVersion) as error:
        raise _unusable("certificate", certificate, error) from error


def _read(what: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unusable(what, path, error) from error


def _unusable(what: str, path: Path, error: Exception) -> ConfigError:
    why = getattr(error, "strerror", None) or str(error)
    return ConfigError(f"cannot use the TLS {what} {path}: {why}. scripts/certs makes one")
