"""Requests that are too large for a datagram: RFC 3261 section 18.1.1."""

import asyncio

import pytest

from opensip.net.sip_transport import Listener
from opensip.ua.call_failed import CallFailed
from tests.fakes.agents import CALLER
from tests.fakes.scene import US, scene
from tests.fakes.sip_link import Peer

LONG = [("X-Transcript", "x" * 1200)]
BOTH = {"listeners": (Listener("UDP", *US), Listener("TCP", *US))}


def test_a_large_request_goes_by_tcp_and_what_follows_as_it_leads():
    async def check(it):
        wide = Peer(it.link, transport="TCP")
        to = it.peer.request().contact.uri
        call = await it.us.dial(to, from_=CALLER, negotiator=it.words, headers=LONG)
        invite = await wide.get()
        assert invite.via.transport == "TCP"
        wide.send(wide.answer(invite, 200, body=b"answer"), US)
        assert (await it.peer.get()).method == "ACK"
        session = await call.wait_answered()
        bye = asyncio.create_task(session.bye())
        it.answer(await it.peer.get(), 200)
        await bye
        assert not it.us._stack._outgoing._detoured

    scene(check, **BOTH)


def test_where_tcp_is_refused_it_goes_as_a_datagram_all_the_same():
    async def check(it):
        _, invite = await it.dial(headers=LONG)
        assert invite.via.transport == "UDP"

    scene(check)


def test_an_invite_that_is_not_out_yet_is_never_sent_once_it_is_cancelled():
    async def check(it):
        to = it.peer.request().contact.uri
        call = await it.us.dial(to, from_=CALLER, negotiator=it.words, headers=LONG)
        call.cancel()
        with pytest.raises(CallFailed, match="487"):
            await call.wait_answered()
        await it.peer.silence()
        outgoing = it.us._stack._outgoing
        assert not outgoing._askers
        assert not outgoing._detoured

    scene(check)


def test_the_ack_with_a_large_answer_goes_by_tcp():
    async def check(it):
        wide = Peer(it.link, transport="TCP")
        session = await it.talk()
        ack = session.dialog.create_ack(1, b"x" * 1500)
        it.us._stack.acknowledge(ack, session.flow)
        assert (await wide.get()).body == b"x" * 1500

    scene(check, **BOTH)
