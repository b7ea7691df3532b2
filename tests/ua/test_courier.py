import asyncio

import pytest

from opensip.errors import TransportFailed
from opensip.sip.flow import Flow
from opensip.sip.headers import Headers
from opensip.sip.message import Request
from opensip.sip.uri import Uri
from opensip.sip.usage import Acknowledge, Ask, Cancel
from opensip.ua.courier import Courier, is_way_back
from tests.fakes.sip_link import run

UDP = Flow("UDP", ("127.0.0.1", 5060), ("127.0.0.9", 1024))
TCP = Flow("TCP", ("127.0.0.1", 5060), ("127.0.0.9", 1024), 3)
FAR = Flow("TCP", ("127.0.0.1", 5060), ("192.0.2.7", 5060), 4)


class Core:
    """Keeps what goes where."""

    def __init__(self, *, closed=(), far=FAR):
        self.closed, self.far, self.sent = closed, far, []

    def ask(self, request, flow, asker):
        self.sent.append((request.method, flow))

    def acknowledge(self, request, flow):
        self.sent.append((request.method, flow))

    def cancel(self, key):
        self.sent.append(("CANCEL", key))

    def is_open(self, flow):
        return flow not in self.closed

    async def flow_to(self, uri):
        if self.far is None:
            raise TransportFailed(str(uri))
        return self.far

    def spawn(self, work):
        self.task = asyncio.get_running_loop().create_task(work)


class Asker:
    failed = None

    def transaction_failed(self, key, status):
        self.failed = (key.method, status)


def request(uri, method="BYE", *routes):
    return Request(method, Uri.parse(uri), Headers([("Route", route) for route in routes]))


def send(what, core, flow, *, returns=False):
    asker = Asker()

    async def main():
        Courier(core, flow, returns=returns).carry_out([Ask(what)], asker)
        await asyncio.sleep(1)

    run(main)
    return asker


@pytest.mark.parametrize(
    ("what", "flow", "returns", "chosen"),
    [
        (request("sip:a@10.0.0.1:5070"), UDP, False, ("10.0.0.1", 5070)),
        (request("sip:a@10.0.0.1"), UDP, False, ("10.0.0.1", 5060)),
        (request("sip:a@10.0.0.1", "BYE", "<sip:10.0.0.2:99;lr>"), UDP, False, ("10.0.0.2", 99)),
        (request("sip:a@10.0.0.1"), UDP, True, ("127.0.0.9", 1024)),
        (request("sip:a@10.0.0.1;transport=tcp"), TCP, True, ("127.0.0.9", 1024)),
        (request("sip:a@10.0.0.1;transport=tcp"), TCP, False, ("192.0.2.7", 5060)),
        (request("sip:a@10.0.0.1;transport=tcp"), UDP, False, ("192.0.2.7", 5060)),
        (request("sip:a@name.example"), UDP, False, ("192.0.2.7", 5060)),
    ],
)
def test_where_a_request_goes(what, flow, returns, chosen):
    core = Core()
    send(what, core, flow, returns=returns)
    [(method, used)] = core.sent
    assert (method, used.remote) == ("BYE", chosen)


def test_closed_connection_is_replaced_by_a_new_one():
    core = Core(closed=[TCP])
    send(request("sip:a@10.0.0.1;transport=tcp"), core, TCP, returns=True)
    assert core.sent == [("BYE", FAR)]


def test_way_that_cannot_be_found_is_the_known_one():
    core = Core(far=None)
    assert send(request("sip:a@name.example"), core, UDP).failed is None
    assert core.sent == [("BYE", UDP)]


def test_no_way_at_all():
    core = Core(closed=[TCP], far=None)
    assert send(request("sip:a@10.0.0.1"), core, TCP).failed == ("BYE", 503)
    assert core.sent == []


def test_ack_and_cancel():
    core = Core()
    commands = [Acknowledge(request("sip:a@10.0.0.1", "ACK")), Cancel()]
    Courier(core, UDP, returns=True).carry_out(commands, Asker(), "key")
    Courier(core, UDP, returns=True).carry_out([Cancel()], Asker())
    assert core.sent == [("ACK", UDP), ("CANCEL", "key")]


def invite(*vias, **headers):
    return Request(
        "INVITE", Uri.parse("sip:a@b"), Headers([("Via", v) for v in vias] + list(headers.items()))
    )


@pytest.mark.parametrize(
    ("message", "flow", "back"),
    [
        (invite("SIP/2.0/TCP 10.0.0.1"), TCP, True),
        (invite("SIP/2.0/TCP 10.0.0.1", "SIP/2.0/TCP 10.0.0.2"), TCP, False),
        (
            Request(
                "INVITE",
                Uri.parse("sip:a@b"),
                Headers(
                    [
                        ("Via", "SIP/2.0/TCP 1.1.1.1, SIP/2.0/UDP 2.2.2.2"),
                        ("Record-Route", "<sip:1.1.1.1;lr>"),
                    ]
                ),
            ),
            TCP,
            True,
        ),
        (invite("SIP/2.0/UDP 127.0.0.9:5060"), UDP, False),
        (invite("SIP/2.0/UDP 10.0.0.1:5060"), UDP, True),
        (invite("SIP/2.0/UDP pbx.example:5060"), UDP, False),
    ],
)
def test_way_back(message, flow, back):
    assert is_way_back(message, flow) is back
