import asyncio
import socket
import struct

import pytest
import structlog

from opensip.net.limits import ConnectionLimits
from opensip.net.tls import TlsConfig, client_context, server_context
from tests.fakes.sip_node import PING, SipNode, at_end, run


def test_plain_bytes_on_a_tls_port_end_the_handshake(listeners):
    async def main():
        async with SipNode(listeners["TLS"]) as a:
            reader, writer = await asyncio.open_connection("127.0.0.1", a.port)
            writer.write(PING)
            assert await at_end(reader)
            writer.close()
            assert a.received.empty()
            assert a.failed.empty()

    run(main)


def test_message_with_the_end_of_the_handshake_is_not_lost(listeners, authority):
    async def main():
        async with SipNode(listeners["TLS"]) as a:
            context = client_context(TlsConfig(ca=authority.ca))
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", a.port, ssl=context, server_hostname="localhost"
            )
            writer.write(PING[:30])
            await asyncio.sleep(0)
            writer.write(PING[30:] + PING)
            assert (await a.received.get())[0] == PING
            _, flow = await a.received.get()
            a.transport.send(b"answer", flow)
            assert await reader.readexactly(6) == b"answer"
            writer.close()
            await a.failed.get()

    run(main)


def test_keep_alive_is_answered(listeners):
    async def main():
        async with SipNode(listeners["TCP"]) as a:
            reader, writer = await asyncio.open_connection("127.0.0.1", a.port)
            writer.write(b"\r\n\r\n")
            assert await reader.readexactly(2) == b"\r\n"
            writer.close()
            await a.failed.get()

    run(main)


@pytest.mark.parametrize("trusted", [True, False])
def test_strangers_may_not_idle(listeners, trusted):
    limits = ConnectionLimits(idle=0.01)

    async def main():
        async with SipNode(listeners["TCP"], limits=limits) as a, SipNode() as b:
            flow = await b.flow_to(a)
            b.transport.send(PING, flow)
            _, came_on = await a.received.get()
            if trusted:
                a.transport.trust(came_on)
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(a.failed.get(), 0.03)
            else:
                assert await a.failed.get() == came_on

    run(main)


def test_first_message_must_come_soon(listeners):
    limits = ConnectionLimits(message=0.01)

    async def main():
        async with SipNode(listeners["TCP"], limits=limits) as a, SipNode() as b:
            b.transport.send(PING[:20], await b.flow_to(a))
            await a.failed.get()
            assert a.received.empty()

    run(main)


def test_known_peer_may_not_leave_a_message_half_sent(listeners):
    limits = ConnectionLimits(message=0.01)

    async def main():
        async with SipNode(listeners["TCP"], limits=limits) as a, SipNode() as b:
            flow = await b.flow_to(a)
            b.transport.send(PING, flow)
            _, came_on = await a.received.get()
            a.transport.trust(came_on)
            b.transport.send(PING[:20], flow)
            assert await a.failed.get() == came_on

    run(main)


def test_peer_that_never_reads_is_given_up(listeners, monkeypatch):
    monkeypatch.setattr("opensip.net.stream_connection.MAX_UNSENT", 1000)

    async def main():
        async with SipNode(listeners["TCP"]) as a:
            with socket.create_connection(("127.0.0.1", a.port)) as peer:
                peer.sendall(PING)
                _, flow = await a.received.get()
                a.transport.send(b"x" * (8 << 20), flow)
                assert await a.failed.get() == flow

    run(main)


@pytest.mark.parametrize("word", [b"", b"\r\n"])
def test_a_peer_that_hangs_up_without_a_word_is_logged(authority, rsa_pair, word):
    """Its alert may be lost: it closed before it had read what we sent after the handshake."""

    async def main():
        async def hang_up(_, writer):
            writer.write(word)
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            await asyncio.sleep(0.01)
            writer.transport.abort()

        context = server_context(TlsConfig(rsa_pair.certificate, rsa_pair.key))
        server = await asyncio.start_server(hang_up, "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        async with SipNode(client_tls=TlsConfig(ca=authority.ca)) as node:
            flow = await node.transport.flow_to("TLS", "127.0.0.1", port)
            assert await node.failed.get() == flow
        server.close()

    with structlog.testing.capture_logs() as logs:
        run(main)
    whys = [line["why"] for line in logs if line["event"] == "connection_failed"]
    assert [why.partition(":")[0] for why in whys] == (
        [] if word else ["the peer hung up before it said a word"]
    )
