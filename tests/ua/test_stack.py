"""What the stack does between the calls and the network: loss, lost connections, background."""

import asyncio
import random

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from opensip.sip.message import Response
from opensip.ua.call_failed import CallFailed
from tests.fakes.agents import CALLER, Words, endpoint, nobody, uri_of
from tests.fakes.scene import scene
from tests.fakes.sip_link import Link, run


async def answer(call):
    call.provisional(180)
    await asyncio.sleep(0.5)
    session = await call.answer(Words())
    await session.wait_ended()


@pytest.mark.parametrize("seed", range(5))
def test_calls_come_through_where_a_tenth_of_the_datagrams_is_lost(seed):
    dice = random.Random(seed)

    async def main():
        link = Link(drop=lambda data, flow: dice.random() < 0.1)
        callee = endpoint(answer, link=link, port=5060)
        caller = endpoint(link=link, port=5070)
        await callee.start()
        await caller.start()

        async def talk():
            call = await caller.dial(uri_of(callee), from_=CALLER, negotiator=Words())
            session = await call.wait_answered()
            await asyncio.sleep(2)
            await session.bye()
            return (await session.wait_ended()).by

        ends = await asyncio.gather(*(talk() for _ in range(10)))
        assert ends == ["local"] * 10
        await asyncio.sleep(70)
        for agent in (callee, caller):
            assert not any(agent.counts().values())
            await agent.close()

    run(main)


def test_nothing_is_left_of_a_call():
    async def check(it):
        session = await it.talk()
        bye = asyncio.create_task(session.bye())
        it.answer(await it.peer.get(), 200)
        await bye
        await asyncio.sleep(40)
        stack = it.us._stack
        for left in (
            stack._outgoing._askers,
            stack._invites,
            stack._dialogs,
            stack._background._tasks,
        ):
            assert not left

    scene(check)


def test_refused_invites_leave_nothing():
    async def check(it):
        call, invite = await it.dial()
        it.answer(invite, 486)
        with pytest.raises(CallFailed):
            await call.wait_answered()
        it.send(it.peer.request("INVITE"))
        await asyncio.sleep(80)
        stack = it.us._stack
        for left in (stack._outgoing._askers, stack._invites, stack._dialogs, stack._watches):
            assert not left

    scene(check, nobody)


def test_bug_in_one_call_does_not_stop_the_next_event():
    async def check(it):
        session = await it.talk()

        def fail(kind, body):
            raise ZeroDivisionError

        session.on_info = fail
        info = {"body": b"Signal=5", "Content_Type": "application/dtmf-relay"}
        assert (await it.ask_within(session, "INFO", **info)).status == 200
        assert (await it.ask("OPTIONS", Call_ID="2", branch="2")).status == 200

    with structlog.testing.capture_logs() as logs:
        scene(check)
    assert [line["event"] for line in logs] == ["event_failed"]


def test_background_work_that_fails_is_logged_and_dropped():
    async def check(it):
        async def fail():
            raise ZeroDivisionError

        it.us._stack.spawn(fail())
        await asyncio.sleep(1)
        assert not it.us._stack._background

    with structlog.testing.capture_logs() as logs:
        scene(check)
    assert [line["event"] for line in logs] == ["work_failed"]


PIECES = [
    b"INVITE", b"BYE", b"CANCEL", b"ACK", b"OPTIONS", b" sip:bob@127.0.0.1 SIP/2.0\r\n",
    b"SIP/2.0 200 OK\r\n", b"Via: SIP/2.0/UDP 127.0.0.9;branch=z9hG4bK1;rport\r\n",
    b"From: <sip:a@b>;tag=1\r\n", b"To: <sip:b@c>\r\n", b"To: <sip:b@c>;tag=2\r\n",
    b"Call-ID: x\r\n", b"CSeq: 1 INVITE\r\n", b"CSeq: 99999999999 BYE\r\n", b"\r\n", b"\xff\x00",
    b"Contact: <sip:a@127.0.0.9>\r\n", b"Contact: *\r\n", b"Content-Length: 5\r\n", b"Route: x\r\n",
    b"Record-Route: <sip:\r\n", b"Require: a\r\n", b"Authorization: Digest\r\n",
]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=12), max_size=6))
def test_whatever_comes_the_next_request_is_answered(datagrams):
    async def check(it):
        for pieces in datagrams:
            it.send(b"".join(pieces))
        await asyncio.sleep(1)
        it.send(it.peer.request("OPTIONS", Call_ID="last", branch="last"))
        while True:
            response = await it.peer.get()
            if isinstance(response, Response) and response.headers.get("Call-ID") == "last":
                break
        assert response.status == 200

    with structlog.testing.capture_logs() as logs:
        scene(check, nobody)
    assert not [line for line in logs if line["event"] in ("message_failed", "event_failed")]


def test_responses_go_by_a_new_connection_where_that_of_the_request_is_gone():
    async def check(it):
        it.send(it.peer.request("INVITE"))
        assert [(await it.peer.get()).status for _ in range(2)] == [100, 180]
        transport = it.us._stack._transport
        transport.break_flow(it.calls[0].flow)
        it.calls[0].reject(486)
        assert (await it.peer.get()).status == 486
        assert it.peer.serial not in (0, 9)

    scene(check, transport="TCP")


def test_a_call_whose_peer_cannot_be_reached_any_more_is_lost():
    async def check(it):
        it.send(it.peer.request("INVITE"))
        assert [(await it.peer.get()).status for _ in range(2)] == [100, 180]
        transport = it.us._stack._transport
        transport.unreachable.add(it.peer.address)
        transport.break_flow(it.calls[0].flow)
        it.calls[0].provisional(183)
        await asyncio.sleep(1)
        assert not it.calls[0].is_open
        assert not it.us.counts()["dialogs"]

    scene(check, transport="TCP")
