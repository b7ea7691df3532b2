"""Whole calls between two endpoints over real sockets."""

import asyncio
import socket
from ipaddress import ip_network

import pytest

from opensip.net.sip_transport import Listener
from opensip.net.tls import TlsConfig
from opensip.sip.uri import Uri
from opensip.ua.admission import TrunkAdmission
from tests.fakes.agents import CALLER, Words, admission, endpoint, uri_of


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request):
    return pytest.importorskip(request.param).run


@pytest.mark.parametrize("name", ["UDP", "TCP", "TLS"])
def test_call_is_answered_and_hung_up_by_the_caller(name, run, authority, rsa_pair):
    tls = TlsConfig(rsa_pair.certificate, rsa_pair.key, authority.ca)
    ends = []

    async def answer(call):
        call.provisional(180)
        session = await call.answer(Words("callee"))
        ends.append(await session.wait_ended())

    async def main():
        listeners = (Listener(name, "127.0.0.1", 0, tls=tls if name == "TLS" else None),)
        callee = endpoint(answer, listeners=listeners)
        caller = endpoint(listeners=listeners, client_tls=tls)
        await callee.start()
        await caller.start()
        words = Words("caller")
        call = await caller.dial(uri_of(callee), from_=CALLER, negotiator=words)
        session = await call.wait_answered()
        assert [response.status for response in call.progress] == [180]
        assert words.log == [("offer", b""), ("accept", b"callee answer 1")]
        await session.bye()
        await asyncio.sleep(0)
        assert ends[0].by == "remote"
        assert callee.counts()["dialogs"] == caller.counts()["dialogs"] == 0
        await caller.close()
        await callee.close()

    async def bounded():
        async with asyncio.timeout(5):
            await main()

    run(bounded())


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")
@pytest.mark.parametrize("name", ["UDP", "TCP"])
def test_ipv6_beside_ipv4_on_one_port(name, run):
    doors = admission(TrunkAdmission("local", networks=(ip_network("::1/128"),)))

    async def answer(call):
        await (await call.answer(Words())).wait_ended()

    async def main():
        four = endpoint(listeners=(Listener(name, "0.0.0.0", 0),))
        await four.start()
        port = four.bound[0][2]
        six = endpoint(answer, doors=doors, listeners=(Listener(name, "::", port),))
        caller = endpoint(listeners=(Listener(name, "::1", 0),))
        await six.start()
        await caller.start()
        to = Uri.parse(f"sip:bob@[::1]:{port};transport={name.lower()}")
        call = await caller.dial(to, from_=CALLER, negotiator=Words())
        session = await call.wait_answered()
        assert session.dialog.remote_target.host == "::1"
        await session.bye()
        for agent in (four, six, caller):
            await agent.close()

    async def bounded():
        async with asyncio.timeout(5):
            await main()

    run(bounded())
