"""What a phone needs of the rooms below: an endpoint, a media engine, ports."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Self

from opensip.events import Observer
from opensip.media.engine_choice import open_engine
from opensip.media.ports import PortPool
from opensip.media.session import MediaConfig, MediaSession
from opensip.net.sip_transport import Listener, SipTransport
from opensip.net.tls import TlsConfig
from opensip.ua.admission import Admission, TrunkAdmission
from opensip.ua.endpoint import Endpoint, EndpointConfig
from opensip.ua.server_call import ServerCall


@dataclass(frozen=True, slots=True)
class LineConfig:
    """Where a phone stands. `address` is bound for media, and for SIP where it listens.

    `srtp` is "required", "preferred" or "off"; `ca` and the certificate are PEM files. Connections
    over TCP and TLS leave from `connect_from`; without one the system chooses.
    """

    address: str
    srtp: str = "preferred"
    listeners: tuple[Listener, ...] = ()
    client_tls: TlsConfig | None = None
    user_agent: str = "opensip phone"
    connect_from: str = ""


async def _refuse(call: ServerCall) -> None:
    call.reject(486)  # a caller takes no calls


class Line:
    """An endpoint with media, open inside `async with`."""

    def __init__(
        self,
        config: LineConfig,
        *,
        admitted: tuple[TrunkAdmission, ...] = (),
        on_call: Callable[[ServerCall], Awaitable[None]] = _refuse,
    ) -> None:
        self._config = config
        admission = Admission(
            admitted, realm="phone", secret=secrets.token_bytes(32), strangers="silent",
            normalise=str,
        )  # fmt: skip
        self.endpoint = Endpoint(
            EndpointConfig(
                listeners=config.listeners,
                user_agent=config.user_agent,
                client_tls=config.client_tls,
            ),
            admission=admission,
            on_call=on_call,
            open_transport=partial(SipTransport, connect_from=config.connect_from),
        )

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._engine = open_engine("auto", loop)
        self._ports = PortPool(self._config.address, 0, 0, clock=loop.time)
        await self.endpoint.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.endpoint.close()
        self._engine.close()

    def media(self, observer: Observer | None = None) -> MediaSession:
        """Open the media of one call. Raises MediaError."""
        config = MediaConfig(address=self._config.address, srtp=self._config.srtp)
        return MediaSession(self._engine, self._ports, config, observer=observer)
