"""What an endpoint is told at its start."""

from dataclasses import dataclass, field

from opensip.net.sip_transport import Listener
from opensip.net.tls import TlsConfig
from opensip.sip.timers import Timers


@dataclass(frozen=True, slots=True)
class EndpointConfig:
    """What an endpoint listens on and how it behaves.

    `max_calls` bounds the inbound calls at once; more are answered with 503. `client_tls` is
    for the connections we open.
    """

    listeners: tuple[Listener, ...]
    user_agent: str
    timers: Timers = field(default_factory=Timers)
    client_tls: TlsConfig | None = None
    max_calls: int | None = None
