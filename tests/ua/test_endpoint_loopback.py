"""Whole calls between two endpoints over real sockets."""

import asyncio

import pytest

from opensip.net.sip_transport import Listener
from opensip.net.tls import TlsConfig
from tests.fakes.agents import CALLER, Words, endpoint, uri_of


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
