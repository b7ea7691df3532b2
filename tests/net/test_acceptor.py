"""Who may connect, and what TLS they are shown, decided before the handshake."""

import asyncio
import ssl
from ipaddress import ip_network

import pytest

from opensip.errors import ConfigError, TransportFailed
from opensip.net.acceptor import Anyone, Listener, SourceTls
from opensip.net.limits import ConnectionLimits
from opensip.net.tls import TlsConfig, client_context
from tests.fakes.sip_node import PING, SipNode, at_end


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request):
    """Both loops: what is done before a handshake has hung one of them before."""
    module = pytest.importorskip(request.param)

    def bounded(main):
        async def within():
            async with asyncio.timeout(5):
                return await main()

        return module.run(within())

    return bounded


def listener(pair, authority, **more):
    tls = TlsConfig(pair.certificate, pair.key, authority.ca, **more)
    return Listener("TLS", "127.0.0.1", 0, tls=tls)


def demanding(pair, authority, name=""):
    """Ask peers from 127.0.0.2 for a certificate, and nobody else."""
    tls = TlsConfig(pair.certificate, pair.key, authority.ca)
    mutual = TlsConfig(pair.certificate, pair.key, authority.ca, require_client_certificate=True)
    by_source = (SourceTls((ip_network("127.0.0.2/32"),), mutual, name),)
    return Listener("TLS", "127.0.0.1", 0, tls=tls, by_source=by_source)


async def connect(node, context, source="127.0.0.1"):
    return await asyncio.open_connection(
        "127.0.0.1", node.port, ssl=context, server_hostname="x", local_addr=(source, 0)
    )


async def refused(node, context, source="127.0.0.2"):
    """Connect and be refused; return what the server says of it."""
    writer = None
    try:
        reader, writer = await connect(node, context, source)
        writer.write(PING)
        assert await at_end(reader)
    except OSError:
        pass
    finally:
        if writer is not None:
            writer.close()
    assert node.received.empty()
    return (await node.refused.get())[2]


def test_open_handshakes_count_against_their_source(run, rsa_pair, authority):
    async def main():
        limits = ConnectionLimits(per_source=2)
        async with SipNode(listener(rsa_pair, authority), limits=limits) as node:
            silent = [await asyncio.open_connection("127.0.0.1", node.port) for _ in range(2)]
            third, writer = await asyncio.open_connection("127.0.0.1", node.port)
            assert await at_end(third)
            writer.close()
            assert await node.refused.get() == (
                "connection", "127.0.0.1", "too many connections not yet trusted",
            )  # fmt: skip
            client = client_context(TlsConfig(ca=authority.ca))
            _, other = await connect(node, client, "127.0.0.3")  # others are not hurt
            other.close()
            for _, writer in silent:
                writer.close()
            for _ in silent:
                assert (await node.refused.get())[0] == "tls"
            assert "127.0.0.1" not in node.transport._strangers.per_source

    run(main)


def test_handshakes_of_strangers_take_turns(run, rsa_pair, authority, monkeypatch):
    monkeypatch.setattr("opensip.net.acceptor.SPACING", 60.0)

    async def main():
        async with SipNode(listener(rsa_pair, authority), known=("127.0.0.9",)) as node:
            client = client_context(TlsConfig(ca=authority.ca))
            _, first = await connect(node, client, "127.0.0.2")
            second = asyncio.create_task(connect(node, client, "127.0.0.3"))
            _, ours = await connect(node, client, "127.0.0.9")  # who is known waits for nobody
            assert not second.done()
            first.close()
            ours.close()
        with pytest.raises(OSError):  # noqa: PT011 - let go of by who closed
            await second

    run(main)


def test_handshakes_of_all_strangers_are_bounded(run, rsa_pair, authority):
    async def main():
        limits = ConnectionLimits(handshakes=1)
        node = SipNode(listener(rsa_pair, authority), limits=limits, known=("127.0.0.9",))
        async with node:
            _, silent = await asyncio.open_connection("127.0.0.1", node.port)
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", node.port, local_addr=("127.0.0.2", 0)
            )
            assert await at_end(reader)
            writer.close()
            assert "handshakes" in (await node.refused.get())[2]
            client = client_context(TlsConfig(ca=authority.ca))
            _, ours = await connect(node, client, "127.0.0.9")
            ours.close()
            silent.close()

    run(main)


def test_banned_source_may_not_connect(run, rsa_pair, authority):
    async def main():
        async with SipNode(listener(rsa_pair, authority), banned=("127.0.0.1",)) as node:
            reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
            assert await at_end(reader)
            writer.close()
            assert await node.refused.get() == ("connection", "127.0.0.1", "is banned")

    run(main)


def test_without_a_porter_everybody_is_a_stranger(run, listeners):
    anyone = Anyone()
    assert not anyone.is_known("192.0.2.1")
    assert not anyone.is_banned("192.0.2.1", now=0)
    anyone.refuse_connection("tls", "192.0.2.1", "why", now=0)


def test_handshake_must_come_to_its_end(run, rsa_pair, authority):
    async def main():
        limits = ConnectionLimits(handshake=0.05)
        async with SipNode(listener(rsa_pair, authority), limits=limits) as node:
            reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
            assert await at_end(reader)
            writer.close()
            assert (await node.refused.get())[0] == "tls"
            assert not node.transport._strangers.per_source
            assert node.transport._strangers.handshakes == 0

    run(main)


def test_certificate_is_asked_of_a_source_network_only(run, rsa_pair, ec_pair, authority):
    async def main():
        async with SipNode(demanding(rsa_pair, authority)) as node:
            bare = client_context(TlsConfig(ca=authority.ca))
            _, writer = await connect(node, bare)
            writer.write(PING)
            assert (await node.received.get())[0] == PING
            writer.close()
            assert "missing client certificate" in await refused(node, bare)
            ours = TlsConfig(ec_pair.certificate, ec_pair.key, authority.ca)
            _, writer = await connect(node, client_context(ours), "127.0.0.2")
            writer.write(PING)
            assert (await node.received.get())[0] == PING
            writer.close()

    run(main)


def test_client_certificate_of_another_name(run, rsa_pair, ec_pair, authority):
    async def main():
        async with SipNode(demanding(rsa_pair, authority, "carrier.example")) as node:
            ours = client_context(TlsConfig(ec_pair.certificate, ec_pair.key, authority.ca))
            why = await refused(node, ours)
            assert "wrong name: the certificate is made out to sip.example" in why
            assert not node.transport._strangers.per_source
            good = authority.sign("sip:carrier.example")
            _, writer = await connect(
                node,
                client_context(TlsConfig(good.certificate, good.key, authority.ca)),
                "127.0.0.2",
            )
            writer.write(PING)
            assert (await node.received.get())[0] == PING
            writer.close()

    run(main)


def test_expired_and_unknown_client_certificates(run, rsa_pair, authority, tmp_path):
    async def main():
        async with SipNode(demanding(rsa_pair, authority)) as node:
            old = authority.sign("old.example", expired=True)
            context = client_context(TlsConfig(old.certificate, old.key, authority.ca))
            assert "expired" in await refused(node, context)
            foreign = type(authority)(tmp_path).sign("foreign.example")
            context = client_context(TlsConfig(foreign.certificate, foreign.key, authority.ca))
            assert "unknown CA" in await refused(node, context)

    run(main)


def test_profile_by_source(run, rsa_pair, authority):
    async def main():
        wide = TlsConfig(rsa_pair.certificate, rsa_pair.key, profile="bandwidth")
        strict = TlsConfig(rsa_pair.certificate, rsa_pair.key)
        by_source = (SourceTls((ip_network("127.0.0.2/32"),), wide),)
        at = Listener("TLS", "127.0.0.1", 0, tls=strict, by_source=by_source)
        async with SipNode(at) as node:
            old = client_context(TlsConfig(ca=authority.ca, profile="bandwidth"))
            old.maximum_version = ssl.TLSVersion.TLSv1_2
            old.set_ciphers("AES128-SHA")
            _, writer = await connect(node, old, "127.0.0.2")
            assert writer.get_extra_info("cipher")[0] == "AES128-SHA"
            writer.close()
            assert "no cipher suite in common" in await refused(node, old, "127.0.0.1")

    run(main)


def test_reload_shows_the_new_certificate_and_keeps_what_is_open(
    run, rsa_pair, ec_pair, authority, tmp_path
):
    async def main():
        trust = TlsConfig(ca=authority.ca)
        at = listener(rsa_pair, authority)
        async with SipNode(at) as node, SipNode(client_tls=trust) as peer:
            before = await peer.flow_to(node, "localhost")
            renewed = listener(ec_pair, authority)
            node.transport.use([renewed], None)
            after = await peer.flow_to(node, "sip.example")
            for flow in (before, after):
                peer.transport.send(PING, flow)
                assert (await node.received.get())[0] == PING
            with pytest.raises(TransportFailed, match="wrong name"):
                await peer.flow_to(node, "other.example")
            gone = TlsConfig(tmp_path / "none.pem")
            with pytest.raises(ConfigError, match=r"none\.pem"):
                node.transport.use([Listener("TLS", "127.0.0.1", 0, tls=gone)], None)
            assert (await peer.flow_to(node, "127.0.0.1")).serial

    run(main)
