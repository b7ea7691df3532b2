"""Where a SIP URI leads: explicit host and port, transport parameter, A and AAAA records."""

import asyncio
import ipaddress
import socket
from dataclasses import dataclass

from opensip.errors import TransportFailed
from opensip.sip.uri import Uri

DEFAULT_PORT = {"UDP": 5060, "TCP": 5060, "TLS": 5061}  # RFC 3261 section 19.1.2


@dataclass(frozen=True, slots=True)
class Target:
    """One address to try. `server_name` is what a TLS certificate must be made out to."""

    transport: str
    host: str
    port: int
    server_name: str


async def resolve(uri: Uri) -> list[Target]:
    """List the addresses of a SIP URI, the preferred first (RFC 3263 section 4, without SRV).

    Raises TransportFailed where the name has no address or the transport is not spoken.
    """
    transport = transport_of(uri)
    host = uri.host.strip("[]")
    port = uri.port or DEFAULT_PORT[transport]
    return [Target(transport, address, port, host) for address in await addresses(host)]


def transport_of(uri: Uri) -> str:
    """Choose the transport of a URI: its parameter, else TLS for sips, else UDP."""
    if uri.scheme not in ("sip", "sips") or not uri.host:
        raise TransportFailed(f"{uri} names no SIP host to send to")
    named = (uri.params.get("transport") or "").upper()
    if uri.scheme == "sips":
        named = "TLS" if named in ("", "TCP", "TLS") else named
    if named and (named not in DEFAULT_PORT or (uri.scheme == "sips" and named != "TLS")):
        raise TransportFailed(f"the transport of {uri} is not spoken here")
    return named or "UDP"


async def addresses(host: str) -> list[str]:
    """List the IP addresses of a host name; an address stands for itself."""
    if is_address(host):
        return [host]
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise TransportFailed(f"{host} has no address: {error.strerror or error}") from error
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


def is_address(host: str) -> bool:
    """Tell an IP address from a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
