"""Asking the DNS: the records of RFC 3263, cached for as long as they may be kept."""

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from dns.asyncresolver import Resolver
from dns.exception import DNSException
from dns.name import EmptyLabel, LabelTooLong
from dns.resolver import NXDOMAIN, LRUCache, NoAnswer, NoResolverConfiguration

from opensip.errors import TransportFailed

log = structlog.get_logger(__name__)

LIFETIME = 4.0  # seconds for one question, over all servers: a caller waits meanwhile
CACHE_SIZE = 1000


@dataclass(frozen=True, slots=True)
class Naptr:
    """A NAPTR record (RFC 3403) as far as SIP reads it."""

    order: int
    preference: int
    flags: str
    service: str
    replacement: str


@dataclass(frozen=True, slots=True)
class Srv:
    """An SRV record (RFC 2782). A `target` of "" says that the service is not there."""

    priority: int
    weight: int
    port: int
    target: str


class Dns:
    """Asks `servers` ("192.0.2.53", "192.0.2.53:5353", "[2001:db8::1]:53"), else the system's.

    Addresses come by the system's way where no servers are named: /etc/hosts counts then.
    """

    def __init__(self, servers: Sequence[str] = ()) -> None:
        self._servers = tuple(split_server(server) for server in servers)
        self._resolver: Resolver | None = None

    async def naptr(self, name: str) -> list[Naptr]:
        """List the NAPTR records of a name; none where there are none, or nobody answers."""
        return [
            Naptr(
                item.order,
                item.preference,
                item.flags.decode("ascii", "replace").lower(),
                item.service.decode("ascii", "replace").upper(),
                item.replacement.to_text(omit_final_dot=True),
            )
            for item in await self._ask(name, "NAPTR")
        ]

    async def srv(self, name: str) -> list[Srv]:
        """List the SRV records of a name; none where there are none, or nobody answers."""
        return [
            Srv(item.priority, item.weight, item.port, item.target.to_text(omit_final_dot=True))
            for item in await self._ask(name, "SRV")
        ]

    async def addresses(self, host: str) -> list[str]:
        """List the IP addresses of a host, both families; raises TransportFailed without any."""
        if is_address(host):
            return [host]
        if not self._servers:
            return await _system_addresses(host)
        answers = await asyncio.gather(self._ask(host, "A"), self._ask(host, "AAAA"))
        found = [str(item.address) for answer in answers for item in answer]
        if not found:
            raise TransportFailed(f"{host} has no address: no A and no AAAA record")
        return found

    async def _ask(self, name: str, kind: str) -> list[Any]:
        """Ask for records: that there are none, or no answer, leads on to the next rule."""
        if self._resolver is None:
            self._resolver = self._configured()
        if not self._resolver.nameservers:
            return []
        try:
            return list(await self._resolver.resolve(name, kind, search=False))
        except (NXDOMAIN, NoAnswer, EmptyLabel, LabelTooLong):
            return []
        except (DNSException, OSError) as error:
            log.warning("dns_failed", name=name, record=kind, why=str(error))
            return []

    def _configured(self) -> Resolver:
        """Make the resolver, once there is a loop and somebody asks."""
        try:
            resolver = Resolver(configure=not self._servers)
        except NoResolverConfiguration:
            resolver = Resolver(configure=False)
        if self._servers:
            resolver.nameservers = [address for address, _ in self._servers]
            resolver.nameserver_ports = dict(self._servers)
        resolver.cache = LRUCache(CACHE_SIZE)
        resolver.lifetime = LIFETIME
        return resolver


def is_address(host: str) -> bool:
    """Tell an IP address from a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def split_server(server: str) -> tuple[str, int]:
    """Split the address of a name server from its port, 53 by default; raises ValueError."""
    host, port = server, "53"
    if server.startswith("["):
        host, _, rest = server[1:].partition("]")
        port = rest.removeprefix(":") or port
    elif server.count(":") == 1:
        host, _, port = server.partition(":")
    if not is_address(host) or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"{server!r} is no address of a name server such as 192.0.2.53:53")
    return host, int(port)


async def _system_addresses(host: str) -> list[str]:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise TransportFailed(f"{host} has no address: {why}") from error
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
