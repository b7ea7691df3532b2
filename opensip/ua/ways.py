"""The ways to a destination, tried one after another: RFC 3263 section 4.3."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from opensip.errors import TransportFailed
from opensip.net.dns import Dns
from opensip.net.resolver import Resolver, Target
from opensip.net.sip_transport import SipTransport
from opensip.net.tls import TlsConfig
from opensip.sip.flow import Flow
from opensip.sip.message import Request, Response
from opensip.sip.uri import Uri
from opensip.ua.core import Core

MAX_LISTED = 10_000  # targets: a bound on memory
MAX_RETRY_AFTER = 3600.0  # seconds that a peer may keep us away


@dataclass(frozen=True, slots=True)
class Destination:
    """Where requests are to go. A certificate there says `tls_name`, else the URI's host.

    `tls` is used in place of the endpoint's own for connections.
    """

    uri: Uri
    tls_name: str = ""
    tls: TlsConfig | None = None


class Blacklist:
    """Remembers targets that failed, for `seconds` each, or as long as they asked for."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until: dict[Target, float] = {}

    def add(self, target: Target, *, now: float, seconds: float | None = None) -> None:
        """Keep away from a target."""
        if len(self._until) >= MAX_LISTED:
            self._until.clear()
        self._until[target] = now + (self._seconds if seconds is None else seconds)

    def remove(self, target: Target) -> None:
        """Forget that a target failed: it answers."""
        self._until.pop(target, None)

    def has(self, target: Target, *, now: float) -> bool:
        """Tell whether to keep away from a target."""
        if now < self._until.get(target, now):
            return True
        self._until.pop(target, None)
        return False

    def in_order(self, targets: list[Target], *, now: float) -> list[Target]:
        """Put the targets that failed lately last: if all did, they are tried all the same."""
        return sorted(targets, key=lambda target: self.has(target, now=now))


class Ways:
    """Gives a flow to each target of a destination in turn, but those that failed lately last."""

    def __init__(
        self,
        resolver: Resolver,
        transport: SipTransport,
        blacklist: Blacklist,
        destination: Destination,
    ) -> None:
        self._resolver = resolver
        self._transport = transport
        self._blacklist = blacklist
        self._destination = destination
        self._left: list[Target] | None = None
        self.target: Target | None = None  # that the last flow leads to

    @property
    def has_more(self) -> bool:
        """True while there are targets that were not tried."""
        return self._left is None or bool(self._left)

    async def next_flow(self) -> Flow:
        """Give a flow to the next target that can be reached, or raise TransportFailed."""
        where = self._destination
        failure = TransportFailed(f"{where.uri} has no further address")
        if self._left is None:
            found = await self._resolver.resolve(where.uri, server_name=where.tls_name)
            self._left = self._blacklist.in_order(found, now=self._now())
        while self._left:
            self.target = target = self._left.pop(0)
            try:
                return await self._transport.flow_to(
                    target.transport,
                    target.host,
                    target.port,
                    server_name=target.server_name,
                    tls=where.tls,
                )
            except TransportFailed as error:
                self.failed()
                failure = error
        raise failure

    def again(self, to: Uri, uri: Uri) -> "Ways":
        """Find the ways to where a request to `to` was redirected; a proxy stays the way."""
        where = self._destination
        if where.uri == to:
            where = replace(where, uri=uri)
        return Ways(self._resolver, self._transport, self._blacklist, where)

    def leads_to(self, host: str) -> bool:
        """Tell whether a host is the destination's own: its name, or its address tried last."""
        own = {self._destination.uri.host.lower()}
        if self.target is not None:
            own.add(self.target.host.lower())
        return host.lower() in own

    def failed(self, response: Response | None = None) -> None:
        """Note that the target did not answer, or not well; Retry-After of `response` counts."""
        if self.target is not None:
            seconds = retry_after(response) if response is not None else None
            self._blacklist.add(self.target, now=self._now(), seconds=seconds)

    def answered(self) -> None:
        """Note that the target answers."""
        if self.target is not None:
            self._blacklist.remove(self.target)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


class WayFinder:
    """Finds the ways to destinations: one resolver and one blacklist for all of an endpoint."""

    def __init__(
        self, transport: SipTransport, name_servers: Sequence[str], blacklist_seconds: float
    ) -> None:
        self.resolver = Resolver(Dns(name_servers))
        self._transport = transport
        self._blacklist = Blacklist(blacklist_seconds)

    def ways(self, destination: Destination) -> Ways:
        """Find all ways to a destination, to be tried one after another."""
        return Ways(self.resolver, self._transport, self._blacklist, destination)


def as_destination(where: Uri | Destination) -> Destination:
    """Take a URI for the destination that it is."""
    return Destination(where) if isinstance(where, Uri) else where


def retry_after(response: Response) -> float | None:
    """Read Retry-After: seconds, an hour at most; None where there is none."""
    text = (response.headers.get("Retry-After") or "").strip()
    digits = text[: len(text) - len(text.lstrip("0123456789"))]
    return min(float(digits), MAX_RETRY_AFTER) if digits and len(digits) < 10 else None


def invite_again(invite: Request, core: Core, flow: Flow, uri: Uri | None = None) -> Request:
    """Make the INVITE for the next target: without answers to the last one's challenges.

    `uri` is where it was redirected to.
    """
    headers = invite.headers.remove("Authorization").remove("Proxy-Authorization")
    headers = headers.replace("CSeq", f"{invite.cseq.number + 1} INVITE")
    contact = core.contact(flow, secure=invite.uri.is_secure)
    headers = headers.replace("Contact", contact)
    return Request("INVITE", uri or invite.uri, headers, invite.body)
