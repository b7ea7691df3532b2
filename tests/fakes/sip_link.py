"""A network without sockets: datagrams and connections between endpoints, under any clock."""

import asyncio
from itertools import count

from opensip.errors import TransportFailed
from opensip.sip.flow import Flow
from opensip.sip.headers import Headers
from opensip.sip.message import Request, parse_message, response_to
from opensip.sip.uri import Uri
from tests.fakes.virtual_time_loop import VirtualTimeLoop


class Link:
    """Delivers after `delay` seconds; `drop(data, flow)` decides on each datagram."""

    def __init__(self, *, delay=0.01, drop=lambda data, flow: False):
        self.delay = delay
        self.drop = drop
        self.nodes = {}
        self.sent = []  # (flow of the sender, data), in order
        self.serials = count(1)

    def transport(self, listeners, *, receive, failed, **_):
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
        self.unreachable = set()
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

    async def flow_to(self, transport, host, port, *, server_name="", tls=None):
        for name, own, own_port in self.bound:
            if name == transport and (host, port) not in self.unreachable:
                serial = 0 if name == "UDP" else next(self.link.serials)
                return Flow(transport, (own, own_port), (host, port), serial)
        raise TransportFailed(f"no {transport} here")


class Peer:
    """A peer that is no endpoint of ours: sends what it is told, keeps what it gets."""

    def __init__(self, link, host="127.0.0.9", port=5060, transport="UDP", serial=0):
        self.link = link
        self.address = (host, port)
        self.name = transport
        self.serial = serial
        self.inbox = asyncio.Queue()
        link.nodes[transport, self.address] = self

    def receive(self, data, flow):
        self.serial = flow.serial
        self.inbox.put_nowait(parse_message(data))

    @property
    def where(self):
        return f"{self.address[0]}:{self.address[1]}"

    def send(self, message, to):
        """Send a message, or bytes, to an address."""
        data = message if isinstance(message, bytes) else message.to_bytes()
        self.link.deliver(data, Flow(self.name, self.address, to, self.serial), self.address)

    async def get(self):
        """Wait for the next message."""
        return await self.inbox.get()

    async def get_final(self):
        """Wait for the next final response."""
        while (response := await self.get()).status < 200:
            pass
        return response

    async def silence(self, seconds=1.0):
        """Assert that nothing comes for so long."""
        await asyncio.sleep(seconds)
        assert self.inbox.empty(), self.inbox.get_nowait()

    def request(
        self, method="INVITE", *, to_tag=None, cseq=1, branch="1", body=b"", uri=None, **more
    ):
        """Make a request of this peer. Keywords are headers; None leaves one out."""
        tag = f";tag={to_tag}" if to_tag else ""
        headers = {
            "Via": f"SIP/2.0/{self.name} {self.where};branch=z9hG4bK{method}{branch};rport",
            "Max-Forwards": "70",
            "From": "<sip:peer@peer.example>;tag=p1",
            "To": f"<sip:bob@127.0.0.1>{tag}",
            "Call-ID": f"call@{self.address[0]}",
            "CSeq": f"{cseq} {method}",
            "Contact": f"<sip:peer@{self.where}>",
        }
        headers |= {"Content-Type": "application/sdp"} if body else {}
        headers |= {name.replace("_", "-"): value for name, value in more.items()}
        items = [(name, value) for name, value in headers.items() if value is not None]
        return Request(method, Uri.parse(uri or "sip:bob@127.0.0.1"), Headers(items), body)

    def answer(self, request, status, *, tag="p1", body=b"", contact=True, **headers):
        """Make the response of this peer to a request of ours."""
        items = [("Contact", f"<sip:peer@{self.where}>")] if contact else []
        items += [(name.replace("_", "-"), value) for name, value in headers.items()]
        return response_to(request, status, to_tag=tag, headers=items, body=body)


def run(main):
    """Run a coroutine function under virtual time."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())
