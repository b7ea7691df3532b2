"""What an endpoint is told at its start."""

from dataclasses import dataclass, field

from opensip.net.limits import ConnectionLimits
from opensip.net.sip_transport import Listener
from opensip.net.tls import TlsConfig
from opensip.sip.timers import Timers
from opensip.ua.abuse import AbuseLimits


@dataclass(frozen=True, slots=True)
class EndpointConfig:
    """What an endpoint listens on and how it behaves.

    `max_calls` bounds the inbound calls at once; more are answered with 503. `client_tls` is
    for the connections we open. `name_servers` take the place of the system's. A target that
    failed is not tried again for `blacklist_seconds` while there is another.
    `connections` and `abuse` bound what strangers may take.
    """

    listeners: tuple[Listener, ...]
    user_agent: str
    timers: Timers = field(default_factory=Timers)
    client_tls: TlsConfig | None = None
    max_calls: int | None = None
    name_servers: tuple[str, ...] = ()
    blacklist_seconds: float = 60.0
    connections: ConnectionLimits = field(default_factory=ConnectionLimits)
    abuse: AbuseLimits = field(default_factory=AbuseLimits)
