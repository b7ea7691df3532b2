"""Ringing of a call that came in, which the peer acknowledges or does not (RFC 3262)."""

import asyncio

import pytest

from tests.fakes.scene import scene


def test_ringing_that_is_acknowledged_where_the_peer_demands_it():
    async def ring(call):
        call.provisional(180)
        await call.wait_cancelled()

    async def check(it):
        await it.ask("INVITE", body=b"offer", Require="100rel")
        first, again = await it.peer.get(), await it.peer.get()
        assert first.to_bytes() == again.to_bytes()
        assert (first.status, first.headers.get("Require")) == (180, "100rel")
        rack = f"{first.headers.get('RSeq')} 1 INVITE"
        prack = it.peer.request("PRACK", to_tag=first.to.tag, cseq=2, RAck=rack)
        it.send(prack)
        assert (await it.peer.get()).status == 200
        await it.peer.silence(20)
        it.send(it.peer.request("PRACK", to_tag=first.to.tag, cseq=3, branch="3", RAck=rack))
        assert (await it.peer.get()).status == 481

    scene(check, ring)


@pytest.mark.parametrize(("supported", "reliable"), [("100rel", True), ("timer", False)])
def test_ringing_that_is_acknowledged_where_we_wish(supported, reliable):
    async def ring(call):
        call.provisional(180, reliable=True)
        await call.wait_cancelled()

    async def check(it):
        await it.ask("INVITE", body=b"offer", Supported=supported)
        assert (await it.peer.get()).headers.has("RSeq") == reliable

    scene(check, ring)


def test_ringing_that_nobody_acknowledges():
    async def ring(call):
        call.provisional(180)
        await call.wait_cancelled()
        done.append(True)

    async def check(it):
        it.send(it.peer.request("INVITE", body=b"offer", Require="100rel"))
        assert (await it.peer.get_final()).status == 504
        await asyncio.sleep(0)
        assert done

    done = []
    scene(check, ring)
