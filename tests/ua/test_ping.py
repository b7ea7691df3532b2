"""Steps of a ping over real sockets."""

import asyncio
import socket

from opensip.net.resolver import Resolver
from opensip.net.sip_transport import Listener
from opensip.net.tls import TlsConfig
from opensip.sip.timers import Timers
from opensip.sip.uri import Uri
from opensip.ua.ping import ping
from opensip.ua.ways import Destination
from tests.fakes.agents import endpoint
from tests.fakes.tls_peer import demanding_peer


def steps(uri, *, tls=None, name="", listeners=()):
    """Ping an endpoint that listens on `listeners`; `{port}` in the URI is its port."""

    async def main():
        there = endpoint(listeners=listeners)
        if listeners:
            await there.start()
        here = endpoint(
            listeners=(Listener("UDP", "127.0.0.1", 0),), timers=Timers(t1=0.01), client_tls=tls
        )
        await here.start()
        port = there.bound[0][2] if listeners else 0
        to = Uri.parse(uri.format(port=port))
        found = [
            step
            async for step in ping(
                here.core, Resolver(), to, Destination(to, name), tls or TlsConfig()
            )
        ]
        await here.close()
        await there.close()
        return found

    return asyncio.run(asyncio.wait_for(main(), 5))


def good(found):
    return [(step.name, step.good) for step in found]


def test_udp():
    found = steps("sip:127.0.0.1:{port}", listeners=(Listener("UDP", "127.0.0.1", 0),))
    assert good(found) == [("DNS", True), ("OPTIONS", True)]
    assert found[1].said.startswith("200 OK from UDP 127.0.0.1:")


def test_tls(authority, ec_pair):
    at = Listener("TLS", "127.0.0.1", 0, tls=TlsConfig(ec_pair.certificate, ec_pair.key))
    uri, trust = "sip:127.0.0.1:{port};transport=tls", TlsConfig(ca=authority.ca)
    found = steps(uri, tls=trust, name="sip.example", listeners=(at,))
    assert good(found) == [("DNS", True), ("TCP", True), ("TLS", True), ("OPTIONS", True)]
    assert "chain good; made out to sip.example" in found[2].said
    wrong = steps(uri, tls=trust, name="other.example", listeners=(at,))
    assert good(wrong)[-1] == ("TLS", False)
    assert "wrong name" in wrong[-1].said
    assert "tls_name" in wrong[-1].advice
    unknown = steps(uri, name="sip.example", listeners=(at,))
    assert "unknown CA" in unknown[-1].said
    assert "`ca`" in unknown[-1].advice


def test_a_certificate_of_ours_is_demanded(authority, ec_pair):
    """TLS 1.3 tells after the handshake: by then the OPTIONS is on its way."""
    with demanding_peer(ec_pair, authority.ca) as port:
        uri = f"sip:127.0.0.1:{port};transport=tls"
        found = steps(uri, tls=TlsConfig(ca=authority.ca), name="sip.example")
    assert good(found)[-1] == ("OPTIONS", False)
    assert "missing client certificate" in found[-1].said
    assert "set certificate and key" in found[-1].advice


def test_nothing_listens_there():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        found = steps(f"sip:127.0.0.1:{port};transport=tcp")
    assert good(found) == [("DNS", True), ("TCP", False)]
    assert "nothing listens" in found[1].advice


def test_no_such_name():
    found = steps("sip:nowhere.invalid:5060")
    assert good(found) == [("DNS", False)]


def test_no_answer():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        found = steps(f"sip:127.0.0.1:{silent.getsockname()[1]}")
    assert good(found) == [("DNS", True), ("OPTIONS", False)]
    assert "no answer" in found[1].said
    assert "add our address" in found[1].advice
