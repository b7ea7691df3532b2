"""How calls of ours are made: the endpoint as they see it, and what a trunk wants of them."""

from typing import Protocol

from opensip.carriers import Trunk
from opensip.events import Observer
from opensip.media.session import MediaSession
from opensip.net.tls import TlsConfig
from opensip.sip.flow import Flow
from opensip.sip.uri import NameAddr, Uri
from opensip.ua.client_call import ClientCall
from opensip.ua.credentials import Credentials
from opensip.ua.redirects import MayFollow
from opensip.ua.ways import Destination

Fields = tuple[tuple[str, str], ...]


class Dialler(Protocol):
    """What dialling needs of the endpoint."""

    async def flow_to(self, destination: Destination) -> Flow:
        """Find the way to a destination, or raise TransportFailed."""

    def contact(self, flow: Flow, *, secure: bool) -> str:
        """Write our Contact as the peer at the other end of a flow can reach it."""

    async def dial(
        self,
        to: Uri,
        *,
        from_: NameAddr,
        negotiator: MediaSession,
        headers: tuple[tuple[str, str], ...],
        credentials: Credentials | None,
        target: Destination,
        ring_timeout: float,
        observer: Observer,
        may_follow: MayFollow,
    ) -> ClientCall:
        """Send an INVITE; raises TransportFailed where no way leads there."""


class WayOut(Protocol):
    """Tells how a trunk's requests go out."""

    def __call__(self, trunk: Trunk, to: Uri) -> tuple[Destination, Fields]:
        """Give where requests for `to` go, and the route that is preloaded."""


def way_out(trunk: Trunk, to: Uri) -> tuple[Destination, Fields]:
    """Go as the trunk's own settings say."""
    return destination(trunk, to), preloaded_route(trunk)


def replace_user(termination: Uri, number: str) -> Uri:
    """Put a dialled number into the trunk's termination URI."""
    return Uri(
        termination.scheme,
        user=number,
        host=termination.host,
        port=termination.port,
        params=termination.params,
    )


def destination(trunk: Trunk, to: Uri, tls: TlsConfig | None = None) -> Destination:
    """Say where requests for `to` go: by the trunk's outbound proxy, if it has one."""
    return Destination(Uri.parse(trunk.proxy) if trunk.proxy else to, trunk.tls_name, tls)


def preloaded_route(trunk: Trunk) -> Fields:
    """Preload the route through a proxy that routes loosely (RFC 3261 section 8.1.2)."""
    loose = trunk.proxy and Uri.parse(trunk.proxy).params.has("lr")
    return (("Route", f"<{trunk.proxy}>"),) if loose else ()


def credentials_of(trunk: Trunk, to: Uri) -> Credentials | None:
    """Give the trunk's, for its realms alone; a trunk that names none has its host for one."""
    if not trunk.username:
        return None
    return Credentials(trunk.username, trunk.password, frozenset(trunk.realms or (to.host,)))
