"""Other ways than the one that was meant; on the wire: test_outgoing.py, test_stack.py."""

import asyncio

import pytest

from opensip.errors import TransportFailed
from opensip.sip.flow import Flow
from opensip.ua.detours import LARGE, MEMORY, PATIENCE, Detours, is_large
from tests.fakes.sip_exchange import TCP, UDP, answer_to, make_request
from tests.fakes.sip_link import run


class Transport:
    """Gives a TCP flow after `delay` seconds, or none."""

    def __init__(self, *, delay=0.0, fails=False):
        self.delay, self.fails, self.asked = delay, fails, []

    async def flow_to(self, transport, host, port, *, server_name=""):
        self.asked.append((transport, host, port, server_name))
        await asyncio.sleep(self.delay)
        if self.fails:
            raise TransportFailed("refused")
        return Flow(transport, UDP.local, (host, port), 1)


def test_what_would_not_go_in_one_packet_is_large():
    small, large = make_request(body=b"x" * 100), make_request(body=b"x" * (LARGE - 300))
    assert not is_large(small, UDP)
    assert is_large(large, UDP)
    assert is_large(make_request(headers=(("X-A", "y" * 1200),)), UDP)
    assert not is_large(large, TCP)


def test_a_peer_with_tcp_gets_it_by_tcp():
    async def main():
        transport = Transport()
        wide = await Detours(transport).wide(UDP)
        assert (wide.transport, wide.remote) == ("TCP", UDP.remote)

    run(main)


@pytest.mark.parametrize("transport", [Transport(fails=True), Transport(delay=60)])
def test_a_peer_without_is_known_for_a_while(transport):
    async def main():
        loop = asyncio.get_running_loop()
        detours = Detours(transport)
        for _ in range(3):
            assert await detours.wide(UDP) == UDP
        assert len(transport.asked) == 1
        assert loop.time() <= PATIENCE
        await asyncio.sleep(MEMORY + 1)
        await detours.wide(UDP)
        assert len(transport.asked) == 2

    transport.asked.clear()
    run(main)


def test_a_response_goes_to_the_address_of_the_request_and_the_port_of_its_via():
    async def main():
        transport = Transport()
        detours = Detours(transport)
        via = "SIP/2.0/TCP peer.example;branch=z9hG4bK1"
        request = make_request(via=via)
        await detours.back(answer_to(request, 200).to_bytes(), TCP)
        other = make_request(via="SIP/2.0/TCP peer.example:5099;branch=z9hG4bK1")
        await detours.back(answer_to(other, 200).to_bytes(), TCP)
        host = TCP.remote[0]
        assert transport.asked == [
            ("TCP", host, 5060, "peer.example"),
            ("TCP", host, 5099, "peer.example"),
        ]
        with pytest.raises(TransportFailed):
            await detours.back(b"SIP/2.0 200 OK\r\n\r\n", TCP)

    run(main)
