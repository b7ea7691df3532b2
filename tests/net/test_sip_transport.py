import asyncio
import os
import socket
import sys
from ipaddress import ip_network

import pytest

from opensip.errors import ConfigError, RemoteProtocolError, TransportFailed
from opensip.net.sip_transport import Listener, _cannot_listen
from opensip.net.tls import TlsConfig
from opensip.sip.flow import Flow
from tests.fakes.sip_node import PING, SipNode, at_end, run


@pytest.mark.parametrize("name", ["UDP", "TCP", "TLS"])
def test_message_there_and_answer_back(listeners, authority, name):
    async def main():
        trust = TlsConfig(ca=authority.ca)
        async with SipNode(listeners[name]) as a, SipNode(listeners[name], client_tls=trust) as b:
            flow = await b.flow_to(a)
            b.transport.send(PING, flow)
            data, came_on = await a.received.get()
            assert data == PING
            assert (came_on.transport, came_on.remote) == (name, flow.local)
            a.transport.send(PING, came_on)
            assert await b.received.get() == (PING, flow)
            assert b.transport.is_open(flow)

    run(main)


@pytest.mark.parametrize("name", ["TCP", "TLS"])
def test_a_connection_leaves_from_the_address_that_is_asked_for(listeners, authority, name):
    async def main():
        trust = TlsConfig(ca=authority.ca)
        source = {"client_tls": trust, "connect_from": "127.0.0.2"}
        async with SipNode(listeners[name]) as a, SipNode(**source) as b:
            flow = await b.flow_to(a)
            b.transport.send(PING, flow)
            _, came_on = await a.received.get()
            assert came_on.remote[0] == flow.local[0] == "127.0.0.2"

    run(main)


def test_connection_is_reused_for_one_name_only(listeners, authority):
    async def main():
        trust = TlsConfig(ca=authority.ca)
        async with SipNode(listeners["TLS"]) as a, SipNode(client_tls=trust) as b:
            first, same = await asyncio.gather(b.flow_to(a), b.flow_to(a))
            assert first == same == await b.flow_to(a)
            assert await b.flow_to(a, "localhost") != first
            assert b.transport.connection_count == 2

    run(main)


def test_closed_connection_is_replaced(listeners):
    async def main():
        async with SipNode(listeners["TCP"]) as a, SipNode() as b:
            first = await b.flow_to(a)
            b.transport.send(b"garbage\r\n" * 4000, first)
            data, _ = await a.received.get()
            assert isinstance(data, RemoteProtocolError)
            assert await b.failed.get() == first
            assert not b.transport.is_open(first)
            assert (await b.flow_to(a)).serial != first.serial
            b.transport.send(PING, first)
            assert await b.failed.get() == first

    run(main)


def test_wrong_host_name_is_refused(listeners, authority):
    async def main():
        trust = TlsConfig(ca=authority.ca)
        async with SipNode(listeners["TLS"]) as a, SipNode(client_tls=trust) as b:
            with pytest.raises(TransportFailed, match=r"other\.example.*certificate"):
                await b.flow_to(a, "other.example")
            assert b.transport.connection_count == 0

    run(main)


def test_too_many_untrusted_connections(listeners):
    async def main():
        async with SipNode(listeners["TCP"]) as a:
            opened = [await asyncio.open_connection("127.0.0.1", a.port) for _ in range(8)]
            opened[0][1].write(PING)
            _, flow = await a.received.get()
            ninth, writer = await asyncio.open_connection("127.0.0.1", a.port)
            assert await at_end(ninth)
            writer.close()
            a.transport.trust(flow)
            a.transport.trust(flow)
            opened.append(await asyncio.open_connection("127.0.0.1", a.port))
            opened[-1][1].write(PING)
            await a.received.get()
            for _, writer in opened:
                writer.close()
            for _ in opened:
                await a.failed.get()
            assert a.transport.connection_count == 0
            assert not a.transport._strangers.per_source

    run(main)


def test_port_in_use_names_address_and_remedy():
    async def main():
        for name, kind in (("UDP", socket.SOCK_DGRAM), ("TCP", socket.SOCK_STREAM)):
            with socket.socket(socket.AF_INET, kind) as other:
                other.bind(("127.0.0.1", 0))
                if name == "TCP":
                    other.listen()
                port = other.getsockname()[1]
                with pytest.raises(ConfigError, match=rf"{name} 127\.0\.0\.1:{port}.*another port"):
                    await SipNode(Listener(name, "127.0.0.1", port)).transport.start()

    run(main)


@pytest.mark.parametrize(
    ("error", "words"), [(99, "no such address"), (13, "higher port"), (24, "open files")]
)
def test_other_reasons_not_to_listen(error, words):
    listener = Listener("UDP", "192.0.2.1", 80)
    assert words in _cannot_listen(listener, OSError(error, os.strerror(error)))


def test_missing_certificate_names_the_file(tmp_path):
    async def main():
        tls = TlsConfig(tmp_path / "none.pem", tmp_path / "none.key")
        node = SipNode(Listener("UDP", "127.0.0.1", 0), Listener("TLS", "127.0.0.1", 0, tls=tls))
        with pytest.raises(ConfigError, match=r"none\.pem"):
            await node.transport.start()

    run(main)


def test_sent_by_names_the_listener(listeners):
    async def main():
        public = Listener("UDP", "127.0.0.1", 0, public_address="203.0.113.5")
        wild = Listener("TCP", "0.0.0.0", 0)
        async with SipNode(public, wild) as a, SipNode(listeners["TCP"]) as b:
            (_, host, udp), (_, _, tcp) = a.transport.bound
            assert a.transport.sent_by(Flow("UDP", (host, udp), ("127.0.0.1", 9))) == (
                f"203.0.113.5:{udp}"
            )
            out = await a.flow_to(b)
            assert a.transport.sent_by(out) == f"127.0.0.1:{tcp}"
            unbound = Flow("TLS", ("::1", 7), ("::1", 9), 77)
            assert a.transport.sent_by(unbound) == "[::1]:7"

    run(main)


def test_sent_by_of_a_wildcard_listener():
    async def main():
        async with SipNode(Listener("UDP", "0.0.0.0", 0)) as a:
            flow = await a.transport.flow_to("UDP", "127.0.0.9", 5060)
            assert a.transport.sent_by(flow) == f"127.0.0.1:{a.port}"

    run(main)


def test_no_way_there(listeners):
    async def main():
        async with SipNode(listeners["TCP"]) as a:
            with pytest.raises(TransportFailed, match="no UDP listener"):
                await a.transport.flow_to("UDP", "127.0.0.1", 5060)
            with pytest.raises(TransportFailed, match="not spoken"):
                await a.transport.flow_to("SCTP", "127.0.0.1", 5060)
            with socket.socket() as unused:
                unused.bind(("127.0.0.1", 0))
                port = unused.getsockname()[1]
                with pytest.raises(TransportFailed, match=f"127.0.0.1:{port}.*refused"):
                    await a.transport.flow_to("TCP", "127.0.0.1", port)

    run(main)


def test_unknown_flow_fails():
    async def main():
        async with SipNode() as a:
            flow = Flow("UDP", ("127.0.0.1", 1), ("127.0.0.1", 2))
            a.transport.send(PING, flow)
            assert await a.failed.get() == flow

    run(main)


def test_close_while_connecting_and_shaking_hands(listeners, authority):
    async def main():
        async with SipNode(listeners["TLS"]) as a:
            silent = socket.create_connection(("127.0.0.1", a.port))
            async with SipNode(client_tls=TlsConfig(ca=authority.ca)) as b:
                with socket.create_server(("127.0.0.1", 0)) as deaf:
                    port = deaf.getsockname()[1]
                    pending = asyncio.create_task(b.transport.flow_to("TLS", "127.0.0.1", port))
                    await asyncio.sleep(0.01)
                    await b.transport.close()
                    with pytest.raises((asyncio.CancelledError, TransportFailed)):
                        await pending
        silent.close()

    run(main)


def test_client_certificate_is_demanded(authority, rsa_pair):
    async def main():
        mutual = TlsConfig(
            rsa_pair.certificate, rsa_pair.key, authority.ca, require_client_certificate=True
        )
        trust = TlsConfig(ca=authority.ca)
        async with (
            SipNode(Listener("TLS", "127.0.0.1", 0, tls=mutual)) as a,
            SipNode(client_tls=trust) as stranger,
            SipNode(client_tls=mutual) as known,
        ):
            known.transport.send(PING, await known.flow_to(a))
            assert (await a.received.get())[0] == PING
            try:
                stranger.transport.send(PING, await stranger.flow_to(a))
            except TransportFailed:
                pass
            else:
                await stranger.failed.get()
            assert a.received.empty()

    run(main)


def test_known_networks_have_a_socket_of_their_own_which_a_reload_may_change():
    def at(*known):
        return Listener("UDP", "127.0.0.1", 0, known=tuple(map(ip_network, known)))

    async def main():
        async with SipNode(at("127.0.0.2/32")) as node:
            bound = node.transport.bound
            assert len(bound) == 1
            queues = node.transport._datagrams
            for known in ("127.0.0.2/32", "127.0.0.3/32"):
                node.transport.use([at(known)], None)
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
                    peer.bind(("127.0.0.3", 0))
                    peer.sendto(PING, bound[0][1:])
                    message, flow = await node.received.get()
                    assert (message, flow.local) == (PING, bound[0][1:])
                    node.transport.send(PING, flow)  # the answer comes from the same port
                    peer.setblocking(False)
                    assert await asyncio.get_running_loop().sock_recv(peer, 2048) == PING
            assert len(queues) == (2 if sys.platform == "linux" else 1)

    run(main)
