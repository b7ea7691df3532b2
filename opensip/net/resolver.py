"""Where a SIP URI leads: NAPTR, SRV, A and AAAA records (RFC 3263 section 4)."""

import asyncio
import random as dice
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from opensip.errors import TransportFailed
from opensip.net.dns import Dns, Srv, is_address
from opensip.sip.uri import Uri

__all__ = ["DEFAULT_PORT", "Resolver", "Target", "in_order", "is_address", "transport_of"]

DEFAULT_PORT = {"UDP": 5060, "TCP": 5060, "TLS": 5061}  # RFC 3261 section 19.1.2
MAX_TARGETS = 16  # of one URI: a zone may not make one call try for ever

_SERVICES = {"SIPS+D2T": "TLS", "SIP+D2U": "UDP", "SIP+D2T": "TCP"}
_SRV_NAME = {"TLS": "_sips._tcp.", "TCP": "_sip._tcp.", "UDP": "_sip._udp."}
_OURS = ("UDP", "TCP", "TLS")  # what we prefer where no NAPTR says what the peer prefers


@dataclass(frozen=True, slots=True)
class Target:
    """One address to try. `server_name` is what a TLS certificate must be made out to."""

    transport: str
    host: str
    port: int
    server_name: str

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.transport} {host}:{self.port}"


class Resolver:
    """Finds the targets of URIs by `dns`; `random` (0 up to 1) chooses among SRV weights."""

    def __init__(self, dns: Dns | None = None, *, random: Callable[[], float] = dice.random):
        self._dns = dns or Dns()
        self._random = random

    async def resolve(self, uri: Uri, *, server_name: str = "") -> list[Target]:
        """List the targets of a SIP URI in the order in which they are to be tried.

        A certificate must be made out to `server_name`, else to the domain of the URI: what
        DNS says on the way is not authenticated (RFC 5922 section 7.3). Raises TransportFailed
        where the name leads nowhere or the transport is not spoken.
        """
        transport = transport_of(uri)
        host = (uri.params.get("maddr") or uri.host).strip("[]")
        name = server_name or host
        if is_address(host) or uri.port is not None:
            port = uri.port or DEFAULT_PORT[transport]
            return await self._at(transport, host, port, name)
        if found := await self._by_service(uri, host, name):
            return found[:MAX_TARGETS]
        return await self._at(transport, host, DEFAULT_PORT[transport], name)

    async def _by_service(self, uri: Uri, host: str, name: str) -> list[Target]:
        """Find the targets that SRV records name."""
        if host == "localhost":
            return []  # RFC 6761 section 6.3: nothing of it is in the DNS
        services = await self._services(uri, host)
        answers = await asyncio.gather(*(self._dns.srv(service) for _, service in services))
        found: list[Target] = []
        for (transport, _), records in zip(services, answers, strict=True):
            for record in in_order(records, self._random):
                found += await self._of_record(transport, record, name)
        return found

    async def _services(self, uri: Uri, host: str) -> list[tuple[str, str]]:
        """Find transports and the names of their SRV records, the preferred first."""
        if uri.params.get("transport"):
            transport = transport_of(uri)
            return [(transport, _SRV_NAME[transport] + host)]
        spoken = ("TLS",) if uri.is_secure else _OURS
        records = [
            record
            for record in await self._dns.naptr(host)
            if record.flags == "s" and _SERVICES.get(record.service) in spoken
        ]
        records.sort(key=lambda record: (record.order, record.preference))
        if records:
            return [(_SERVICES[record.service], record.replacement) for record in records]
        return [(transport, _SRV_NAME[transport] + host) for transport in spoken]

    async def _of_record(self, transport: str, record: Srv, name: str) -> list[Target]:
        try:
            return await self._at(transport, record.target, record.port, name)
        except TransportFailed:
            return []  # another record may lead there

    async def _at(self, transport: str, host: str, port: int, name: str) -> list[Target]:
        addresses = await self._dns.addresses(host)
        return [Target(transport, address, port, name) for address in addresses]


def in_order(records: Sequence[Srv], random: Callable[[], float]) -> list[Srv]:
    """Order SRV records by priority, and by weighted chance within one: RFC 2782.

    `random` gives numbers from 0 up to 1.
    """
    ordered: list[Srv] = []
    there = [record for record in records if record.target]
    for _, group in groupby(sorted(there, key=_rank), key=lambda record: record.priority):
        left = list(group)
        while left:
            aim = random() * sum(record.weight for record in left)
            chosen = left[0]
            for record in left:
                chosen = record
                aim -= record.weight
                if aim <= 0:
                    break
            left.remove(chosen)
            ordered.append(chosen)
    return ordered


def _rank(record: Srv) -> tuple[int, int]:
    return record.priority, record.weight  # those without weight first: a small chance is left


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
