import asyncio
import ssl

import pytest

from opensip.errors import TransportFailed
from opensip.net.sip_transport import Listener
from opensip.net.tls import TlsConfig, server_context
from opensip.net.tls_identity import WrongIdentity
from opensip.net.tls_probe import shake_hands, would_fit
from tests.fakes.sip_node import SipNode
from tests.fakes.tls_peer import demanding_peer


def probing(pair, question):
    async def main():
        tls = TlsConfig(pair.certificate, pair.key)
        async with SipNode(Listener("TLS", "127.0.0.1", 0, tls=tls)) as node:
            return await question(node.port)

    return asyncio.run(main())


def test_what_was_agreed(authority, ec_pair):
    trust = TlsConfig(ca=authority.ca)
    seen = probing(
        ec_pair, lambda port: shake_hands("127.0.0.1", port, trust, "sip.example", within=2)
    )
    assert seen.version == "TLSv1.3"
    assert seen.names == ("sip.example", "127.0.0.1")
    assert "GMT" in seen.expires


def test_refusals_in_words(authority, ec_pair):
    def ask(tls, name):
        return probing(ec_pair, lambda port: shake_hands("127.0.0.1", port, tls, name, within=2))

    with pytest.raises(WrongIdentity, match="wrong name"):
        ask(TlsConfig(ca=authority.ca), "other.example")
    with pytest.raises(TransportFailed, match="unknown CA"):
        ask(TlsConfig(), "sip.example")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_certificate_of_ours_that_is_missing_is_told(authority, ec_pair, version):
    """Up to TLS 1.2 the alert is the same as for want of a common suite."""

    async def main(port):
        trust = TlsConfig(ca=authority.ca)
        with pytest.raises(TransportFailed, match="missing client certificate"):
            await shake_hands("127.0.0.1", port, trust, "sip.example", within=2, patience=2)

    with demanding_peer(ec_pair, authority.ca, version) as port:
        asyncio.run(main(port))


def test_the_wider_profile_would_fit(authority, rsa_pair):
    async def main():
        context = server_context(TlsConfig(rsa_pair.certificate, rsa_pair.key, profile="bandwidth"))
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("AES128-SHA")
        server = await asyncio.start_server(
            lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context
        )
        port = server.sockets[0].getsockname()[1]
        trust = TlsConfig(ca=authority.ca)
        try:
            with pytest.raises(TransportFailed):
                await shake_hands("127.0.0.1", port, trust, "localhost", within=2)
            assert await would_fit("127.0.0.1", port, trust, "localhost", within=2)
            assert not await would_fit("127.0.0.1", port, TlsConfig(), "localhost", within=2)
        finally:
            server.close()
            await asyncio.sleep(0.01)

    asyncio.run(main())
