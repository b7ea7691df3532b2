import socket

from tests.fakes.sip_node import PING, SipNode, run


def test_datagram_limits(listeners):
    async def main():
        async with SipNode(listeners["UDP"]) as a:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
                peer.connect(("127.0.0.1", a.port))
                peer.send(b"\r\n\r\n")
                peer.send(PING + b"x" * 20_000)
            error, flow = await a.received.get()
            assert error.sip_status == 513
            assert error.head.startswith(PING)
            assert flow.transport == "UDP"

    run(main)
