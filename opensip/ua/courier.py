"""Carrying out the commands of a usage: each request by the flow where it belongs."""

from collections.abc import Iterable
from typing import assert_never

from opensip.errors import TransportFailed
from opensip.net.resolver import DEFAULT_PORT, is_address
from opensip.sip.flow import Flow
from opensip.sip.message import Request
from opensip.sip.transaction import TransactionKey
from opensip.sip.uri import Uri
from opensip.sip.usage import Acknowledge, Ask, Cancel, Command, Respond, next_hop
from opensip.ua.core import Asker, Core


class Courier:
    """Carries out the commands of one call.

    With `returns`, requests go back by `flow` as long as it is open: a connection serves both
    ways (RFC 5923), and who is behind a NAT can be reached by no other way. Else, and where the
    flow is closed, they go where their Route or Request-URI leads.
    """

    def __init__(self, core: Core, flow: Flow, *, returns: bool) -> None:
        self.flow = flow
        self._core = core
        self._returns = returns

    def carry_out(
        self, commands: Iterable[Command], asker: Asker, invite: TransactionKey | None = None
    ) -> None:
        """Carry out commands in their order.

        `asker` learns of the responses; `invite` is what `Cancel` means.
        """
        for command in commands:
            match command:
                case Respond(key, response):
                    self._core.respond(key, response)
                case Ask(request) | Acknowledge(request):
                    self.send(request, asker)
                case Cancel():
                    if invite is not None:
                        self._core.cancel(invite)
                case _:
                    assert_never(command)

    def send(self, request: Request, asker: Asker) -> None:
        """Send a request; `asker` learns of its responses."""
        flow = self._near(next_hop(request))
        if flow is None:
            self._core.spawn(self._send_far(request, asker))
        else:
            self._send_by(flow, request, asker)

    def _send_by(self, flow: Flow, request: Request, asker: Asker) -> None:
        if request.method == "ACK":
            self._core.acknowledge(request, flow)
        else:
            self._core.ask(request, flow, asker)

    async def _send_far(self, request: Request, asker: Asker) -> None:
        """Send a request to where there is no connection yet, or to a name to be looked up."""
        try:
            flow = await self._core.flow_to(next_hop(request))
        except TransportFailed:
            flow = self.flow  # the peer was there when it called
        if self._core.is_open(flow):
            self._send_by(flow, request, asker)
        else:
            asker.transaction_failed(TransactionKey("client", "", request.method), 503)

    def _near(self, uri: Uri) -> Flow | None:
        """Give the flow of a request where that takes no look-up and no new connection."""
        if self._returns and self._core.is_open(self.flow):
            return self.flow
        if self.flow.reliable or uri.scheme != "sip" or not is_address(uri.host):
            return None
        if (uri.transport or "udp") != "udp":
            return None
        return Flow("UDP", self.flow.local, (uri.host, uri.port or DEFAULT_PORT["UDP"]))


def is_way_back(request: Request, flow: Flow) -> bool:
    """Tell whether requests to the sender of an INVITE should go back as it came.

    Over a connection: where the sender is the peer itself or a proxy that stays in the path.
    Over UDP: where the sender is behind a NAT, for it names an address that it does not have.
    """
    if flow.reliable:
        return len(request.vias) == 1 or request.headers.has("Record-Route")
    via = request.via
    return is_address(via.host) and via.host != flow.remote[0]
