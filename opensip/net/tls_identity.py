"""Whom a certificate stands for: RFC 5922. And why a handshake failed, in words."""

import ipaddress
import ssl
from collections.abc import Mapping, Sequence
from typing import Any

from opensip.errors import OpenSipError, RemoteProtocolError
from opensip.net.dns import is_address
from opensip.sip.uri import Uri

Certificate = Mapping[str, Any]  # as SSLObject.getpeercert() gives it

_NAME_IT = "name its root: --ca FILE, or `ca` of the trunk or of [tls]"

# OpenSSL's X509_V_ERR_*: what is wrong, and what to do
_VERDICTS = {
    7: "unknown CA: its issuer has the name of a trusted one, but another key",
    9: "the certificate is not valid yet: compare the clocks of both machines",
    10: "the certificate has expired: its owner must renew it",
    18: f"unknown CA: the certificate is self-signed; if it is to be trusted, {_NAME_IT}",
    19: f"unknown CA: the chain ends in a root that is not trusted; {_NAME_IT}",
    20: f"unknown CA: its issuer is not trusted; {_NAME_IT}",
    21: f"unknown CA: the peer sends no chain up to a trusted root; {_NAME_IT}",
    26: "the certificate is not made for this use (extended key usage)",
}

# OpenSSL's names of alerts and errors, as they stand in SSLError.reason
_REASONS = (
    ("PEER_DID_NOT_RETURN_A_CERTIFICATE", "missing client certificate: the peer showed none"),
    (
        "ALERT_CERTIFICATE_REQUIRED",
        "missing client certificate: the peer demands one that it trusts; set certificate and key",
    ),
    ("ALERT_CERTIFICATE_EXPIRED", "the peer says that our certificate has expired: renew it"),
    ("ALERT_UNKNOWN_CA", "the peer does not know the CA of our certificate"),
    ("ALERT_BAD_CERTIFICATE", "the peer does not take our certificate"),
    ("NO_SHARED_CIPHER", "no cipher suite in common: the peer may need the profile bandwidth"),
    ("HANDSHAKE_FAILURE", "no cipher suite in common: the peer may need the profile bandwidth"),
    ("PROTOCOL_VERSION", "no TLS version in common: 1.2 is the oldest spoken here"),
    ("UNSUPPORTED_PROTOCOL", "no TLS version in common: 1.2 is the oldest spoken here"),
    ("WRONG_VERSION_NUMBER", "the peer does not speak TLS on this port"),
    ("HTTP_REQUEST", "the peer does not speak TLS, but HTTP"),
)


class WrongIdentity(OpenSipError):
    """The certificate is good, but made out to somebody else."""


def identities(certificate: Certificate) -> tuple[str, ...]:
    """List the domains and addresses that a certificate stands for (RFC 5922 section 7.1).

    SIP URIs of domains first; DNS names only where there are none of these; the common name
    only of a certificate without any subjectAltName.
    """
    names: Sequence[tuple[str, str]] = certificate.get("subjectAltName", ())
    domains = [domain for kind, value in names if kind == "URI" and (domain := _domain(value))]
    hosts = domains or [value for kind, value in names if kind == "DNS"]
    if not names:
        subject = [pair for part in certificate.get("subject", ()) for pair in part]
        hosts = [value for kind, value in subject if kind == "commonName"]
    addresses = [value for kind, value in names if kind == "IP Address"]
    return tuple(dict.fromkeys([host.lower().rstrip(".") for host in hosts] + addresses))


def check_identity(certificate: Certificate, name: str) -> None:
    """Raise WrongIdentity unless a certificate stands for `name`.

    Names are compared whole: a wildcard stands for itself alone (section 7.2).
    """
    there = identities(certificate)
    wanted = name.lower().rstrip(".")
    if is_address(wanted):
        if any(is_address(one) and _same_address(one, wanted) for one in there):
            return
    elif wanted in there:
        return
    said = ", ".join(there) or "nobody"
    raise WrongIdentity(
        f"wrong name: the certificate is made out to {said}, not to {name}; if that is the peer "
        "all the same, set tls_name to a name of its certificate"
    )


def why_failed(error: BaseException) -> str:
    """Say in words why a handshake, or a connection at its end, failed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _VERDICTS.get(error.verify_code, error.verify_message)
    if isinstance(error, ssl.SSLError):
        reason = str(error).upper().replace(" ", "_")
        return next((words for name, words in _REASONS if name in reason), str(error))
    if isinstance(error, TimeoutError):
        return "the handshake was not complete in time"
    if isinstance(error, ConnectionError):
        return "the peer hung up during the handshake"
    return str(error) or type(error).__name__


def _domain(text: str) -> str:
    """Give the domain of a SIP URI that names a domain, not a user."""
    try:
        uri = Uri.parse(text)
    except RemoteProtocolError:
        return ""
    return uri.host if uri.scheme in ("sip", "sips") and uri.user is None else ""


def _same_address(one: str, other: str) -> bool:
    return ipaddress.ip_address(one) == ipaddress.ip_address(other)
