"""What the stack does between the calls and the network: loss, lost connections, background."""

import asyncio
import random

import pytest
import structlog

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
        for left in (stack._askers, stack._invites, stack._dialogs, stack._work):
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
        for left in (stack._askers, stack._invites, stack._dialogs, stack._watches):
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
        assert not it.us._stack._work

    with structlog.testing.capture_logs() as logs:
        scene(check)
    assert [line["event"] for line in logs] == ["work_failed"]
