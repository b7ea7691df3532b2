"""A network without sockets: datagrams and connections between endpoints, under any clock."""

import asyncio
from itertools import count

from opensip.errors import TransportFailed
from opensip.sip.flow import Flow


class Link:
    """Delivers after `delay` seconds; `drop(data, flow)` decides on each datagram."""

    def __init__(self, *, delay=0.01, drop=lambda data, flow: False):
        self.delay = delay
        self.drop = drop
        self.nodes = {}
        self.sent = []  # (flow of the sender, data), in order
        self.serials = count(1)

    def transport(self, listeners, *, receive, failed, client_tls=None):
        """Make the transport of one endpoint, in place of SipTransport."""
        return LinkTransport(self, listeners, receive, failed)

    def deliver(self, data, flow, source):
        self.sent.append((flow, data))
        if not flow.reliable and self.drop(data, flow):
            return
        loop = asyncio.get_running_loop()
        loop.call_later(self.delay, self._arrive, data, flow, source)

    def _arrive(self, data, flow, source):
        node = self.nodes.get((flow.transport, flow.remote))
        if node is not None:
            node.receive(data, Flow(flow.transport, flow.remote, source, flow.serial))


class LinkTransport:
    def __init__(self, link, listeners, receive, failed):
        self.link = link
        self.listeners = listeners
        self.receive = receive
        self.failed = failed
        self.trusted = []
        self.closed_flows = set()
        self.connection_count = 0

    @property
    def bound(self):
        return [(x.transport, x.host, x.port) for x in self.listeners]

    async def start(self):
        for name, host, port in self.bound:
            self.link.nodes[name, (host, port)] = self

    async def close(self):
        for name, host, port in self.bound:
            self.link.nodes.pop((name, (host, port)), None)

    def send(self, data, flow):
        if flow in self.closed_flows:
            asyncio.get_running_loop().call_soon(self.failed, flow)
        else:
            self.link.deliver(data, flow, flow.local)

    def break_flow(self, flow):
        """Lose a connection."""
        self.closed_flows.add(flow)
        self.failed(flow)

    def is_open(self, flow):
        return flow not in self.closed_flows

    def trust(self, flow):
        self.trusted.append(flow)

    def sent_by(self, flow):
        return f"{flow.local[0]}:{flow.local[1]}"

    async def flow_to(self, transport, host, port, *, server_name=""):
        for name, own, own_port in self.bound:
            if name == transport:
                serial = 0 if name == "UDP" else next(self.link.serials)
                return Flow(transport, (own, own_port), (host, port), serial)
        raise TransportFailed(f"no {transport} here")
