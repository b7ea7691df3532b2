"""Fetching what a stranger names: HTTPS to public addresses, in bounds of size, time and ports.

The address that was looked at is the one that is connected to, so that a name cannot lead
elsewhere the second time it is asked for. No redirection is followed.
"""

import asyncio
import http.client
import io
import ipaddress
import re
import ssl
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path
from urllib.parse import urlsplit

from opensip.errors import ConfigError, TransportFailed

PORTS = (443, 8443)  # where certificates stand, unless the rules say otherwise (ATIS-1000074)
MAX_URL = 512  # characters
MAX_ADDRESSES = 3  # of one host that are tried
MAX_BODY = 65_536  # octets; a chain of certificates takes a tenth of it
_MAX_HEAD = 16_384  # octets of status line and headers
_CHUNK = 16_384

_UNICAST = IPv6Network("2000::/3")  # all of IPv6 that is given out: RFC 4291 section 2.4
# Networks of IPv6 that lead to addresses of IPv4 which nobody looked at: NAT64, 6to4, Teredo.
_TUNNELS = tuple(
    IPv6Network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)
_PATH = re.compile(r"[!-~]*")
_HOST = re.compile(r"[A-Za-z0-9_.:-]{1,253}")
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age=([0-9]{1,9})\b", re.IGNORECASE)
_UNCACHED = re.compile(r"(?:^|[\s,])no-(?:store|cache)\b", re.IGNORECASE)

Network = IPv4Network | IPv6Network
Lookup = Callable[[str], Awaitable[list[str]]]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class HttpsRules:
    """Where fetching may lead. `networks` are allowed though they are not public.

    `ca` is a PEM file in place of the system's authorities.
    """

    ports: tuple[int, ...] = PORTS
    networks: tuple[Network, ...] = ()
    ca: Path | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """What came back. `max_age` is in seconds, None where the server does not tell."""

    body: bytes
    max_age: int | None = None


class GuardedHttps:
    """Fetches pages within `rules`; `lookup` gives the addresses of a host."""

    def __init__(self, rules: HttpsRules, lookup: Lookup) -> None:
        self._rules = rules
        self._lookup = lookup
        self._tls = https_context(rules.ca)

    async def get(self, url: str) -> Page:
        """Fetch `url`, or raise TransportFailed that says why not. The caller bounds the time."""
        host, port, path = self._checked(url)
        reader, writer = await self._connect(host, port)
        try:
            writer.write(_request(host, port, path))
            return _page(await _read(reader), host)
        except OSError as error:
            raise TransportFailed(f"{host} broke off: {error}") from error
        finally:
            writer.transport.abort()  # nothing is left to say: no farewell is waited for

    async def _connect(self, host: str, port: int) -> Streams:
        why: Exception | None = None
        for address in allowed(host, await self._lookup(host), self._rules.networks):
            try:
                return await asyncio.open_connection(
                    address, port, ssl=self._tls, server_hostname=host, limit=_CHUNK
                )
            except (OSError, ValueError) as error:  # ValueError: a name that TLS cannot ask for
                why = error
        raise TransportFailed(f"{host} cannot be reached over TLS: {why or 'no address'}")

    def _checked(self, url: str) -> tuple[str, int, str]:
        """Take a URL apart, or refuse it: only https, no user, a port of the rules."""
        if len(url) > MAX_URL or not _PATH.fullmatch(url):
            raise TransportFailed("a URL that is too long, or has characters that no URL has")
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or 443
        except ValueError as error:
            raise TransportFailed(f"no URL: {error}") from error
        if parts.scheme != "https" or parts.username is not None or not _HOST.fullmatch(host):
            raise TransportFailed("a URL that is not https://host/path")
        if port not in self._rules.ports:
            raise TransportFailed(f"port {port} is not one of {self._rules.ports}")
        return host, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def allowed(host: str, addresses: list[str], networks: Iterable[Network]) -> list[str]:
    """Give the addresses to try, or raise TransportFailed.

    One that is neither public nor of `networks` forbids the name altogether.
    """
    for text in addresses:
        address = _plain(ipaddress.ip_address(text))
        if not (_is_public(address) or any(address in net for net in networks)):
            raise TransportFailed(f"{host} leads to {address}, which is not public")
    return addresses[:MAX_ADDRESSES]


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    return getattr(address, "ipv4_mapped", None) or address


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and (
        address not in _UNICAST or any(address in net for net in _TUNNELS)
    ):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def https_context(ca: Path | None) -> ssl.SSLContext:
    """Make what servers are verified with: `ca`, a PEM file, else the system's authorities."""
    try:
        context = ssl.create_default_context(cafile=ca)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"cannot use the certificate authority file {ca}: {error}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Python 3.13 asks for extensions that an authority of one's own often lacks, 3.12 does not.
    context.verify_flags &= ~ssl.VerifyFlags.VERIFY_X509_STRICT
    return context


def _request(host: str, port: int, path: str) -> bytes:
    name = f"[{host}]" if ":" in host else host
    where = name if port == 443 else f"{name}:{port}"
    return (
        f"GET {path} HTTP/1.1\r\nHost: {where}\r\nUser-Agent: opensip\r\n"
        "Accept: application/pem-certificate-chain, application/x-pem-file, */*;q=0.1\r\n"
        "Accept-Encoding: identity\r\nConnection: close\r\n\r\n"
    ).encode("ascii")


async def _read(reader: asyncio.StreamReader) -> bytes:
    received = bytearray()
    while more := await reader.read(_CHUNK):
        received += more
        if len(received) > _MAX_HEAD + MAX_BODY:
            raise TransportFailed(f"more than {MAX_BODY} octets")
    return bytes(received)


def _page(received: bytes, host: str) -> Page:
    response = http.client.HTTPResponse(_Received(received))  # type: ignore[arg-type]  # all it asks of a socket
    try:
        response.begin()
        body = response.read(MAX_BODY + 1)
    except (http.client.HTTPException, ValueError, OSError) as error:
        raise TransportFailed(f"{host} sent no HTTP: {error!r}") from error
    if response.status != 200:
        raise TransportFailed(f"{host} answered {response.status}")
    if len(body) > MAX_BODY or response.length:
        raise TransportFailed(f"{host} sent more than {MAX_BODY} octets, or less than it said")
    return Page(body, _max_age(response.getheader("Cache-Control") or ""))


def _max_age(control: str) -> int | None:
    if _UNCACHED.search(control):
        return 0
    found = _MAX_AGE.search(control)
    return int(found[1]) if found else None


class _Received:
    """What the standard library's reader of responses wants of a socket."""

    def __init__(self, received: bytes) -> None:
        self._received = received

    def makefile(self, _mode: str) -> io.BytesIO:
        """Give what was received as a file."""
        return io.BytesIO(self._received)
