"""Ways in place of the one that was meant: RFC 3261 sections 18.1.1 and 18.2.2."""

import asyncio

from opensip.errors import RemoteProtocolError, TransportFailed
from opensip.net.resolver import DEFAULT_PORT
from opensip.net.sip_transport import SipTransport
from opensip.sip.flow import Flow
from opensip.sip.message import Request, parse_message

LARGE = 1300  # octets: above it a datagram may be cut into fragments, which many firewalls drop
OF_VIA = 100  # octets that the layer adds: Via and Content-Length
PATIENCE = 2.0  # seconds: a peer that drops what it does not serve holds no call up for longer
MEMORY = 600.0  # seconds for which a peer without TCP is not asked again
MAX_PEERS = 10_000  # remembered at once


class Detours:
    """Finds another flow to the peer of a flow."""

    def __init__(self, transport: SipTransport) -> None:
        self._transport = transport
        self._narrow: dict[tuple[str, int], float] = {}  # peers without TCP, and until when

    async def wide(self, flow: Flow) -> Flow:
        """Give a TCP flow for a request that is too large for UDP; `flow` where there is none."""
        now = asyncio.get_running_loop().time()
        if now < self._narrow.get(flow.remote, now):
            return flow
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._transport.flow_to("TCP", *flow.remote)
        except (TransportFailed, TimeoutError):
            if len(self._narrow) >= MAX_PEERS:
                self._narrow.clear()
            self._narrow[flow.remote] = now + MEMORY
            return flow

    async def back(self, data: bytes, flow: Flow) -> Flow:
        """Connect to whoever sent a request by `flow`, which is closed; `data` is the response.

        The port is that of its Via, for the sender's own was the lost connection's. Raises
        TransportFailed.
        """
        try:
            via = parse_message(data).via
        except RemoteProtocolError as error:
            raise TransportFailed(f"a response without a Via: {error}") from error
        port = via.port or DEFAULT_PORT[flow.transport]
        return await self._transport.flow_to(
            flow.transport, flow.remote[0], port, server_name=via.host
        )


def is_large(request: Request, flow: Flow) -> bool:
    """Tell whether a request should not go as a datagram."""
    if flow.reliable:
        return False
    headers = sum(len(name) + len(value) + 4 for name, value in request.headers)
    return OF_VIA + len(str(request.uri)) + headers + len(request.body) > LARGE
