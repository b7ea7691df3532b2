"""Endpoints for tests: open to 127.0.0.0/8, with a negotiator that only keeps count."""

from ipaddress import ip_network

from opensip.errors import NegotiationError, RemoteProtocolError
from opensip.net.sip_transport import Listener
from opensip.sip.uri import NameAddr, Uri
from opensip.ua.admission import Admission, TrunkAdmission
from opensip.ua.endpoint import Endpoint, EndpointConfig

LOCAL = TrunkAdmission("local", networks=(ip_network("127.0.0.0/8"),))
CALLER = NameAddr.parse('"Alice" <sip:alice@caller.example>')


class Words:
    """A negotiator whose SDP is a word and a number.

    `refuses` makes it find nothing in common; what begins with "garbage" it cannot read.
    """

    def __init__(self, name="words"):
        self.name = name
        self.refuses = False
        self.log = []

    def _next(self, what, taken=b""):
        if taken.startswith(b"garbage"):
            raise RemoteProtocolError("SDP that cannot be read")
        if self.refuses:
            raise NegotiationError("no codec in common")
        self.log.append((what, taken))
        return f"{self.name} {what} {len(self.log)}".encode()

    def answer(self, offer):
        return self._next("answer", offer)

    def offer(self):
        return self._next("offer")

    def accept(self, answer):
        self._next("accept", answer)


def admission(*trunks, **more):
    options = {"realm": "opensip.test", "secret": b"secret", "normalise": str} | more
    return Admission(trunks or (LOCAL,), **options)


async def nobody(call):
    """Reject every call."""
    call.reject(486)


def endpoint(
    on_call=nobody, *, link=None, host="127.0.0.1", port=0, transport="UDP", doors=None, **config
):
    """Make an endpoint: on a link, or on real sockets."""
    config.setdefault("listeners", (Listener(transport, host, port),))
    more = {"open_transport": link.transport} if link else {}
    return Endpoint(
        EndpointConfig(user_agent="opensip test", **config),
        admission=doors or admission(),
        on_call=on_call,
        **more,
    )


def uri_of(agent, user="bob"):
    """Give the URI under which an endpoint is reached."""
    name, host, port = agent.bound[0]
    return Uri.parse(f"sip:{user}@{host}:{port};transport={name.lower()}")
