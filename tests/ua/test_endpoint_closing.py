"""An endpoint that drains and closes, and what becomes of its calls."""

import asyncio

import pytest

from tests.fakes.agents import Words
from tests.fakes.scene import scene


def test_draining_refuses_new_calls_only():
    async def check(it):
        await it.ask("INVITE")
        await it.peer.get()
        it.us.drain()
        assert it.us.is_draining
        for method in ("INVITE", "OPTIONS"):
            response = await it.ask(method, Call_ID="new", branch="new")
            if method == "INVITE":
                assert response.status == 503
            assert response.status == 503
            assert response.headers.get("Retry-After")
        assert it.us.counts()["calls"] == 1

    scene(check)


def test_closing_ends_the_calls():
    async def answer(call):
        session = await call.answer(Words())
        try:
            await session.wait_ended()
        finally:
            await session.bye()

    async def check(it):
        await it.ask("INVITE", body=b"offer")
        ok = await it.peer.get()
        it.send(it.peer.request("ACK", to_tag=ok.to.tag, branch="2"))
        await asyncio.sleep(0.1)
        closing = asyncio.create_task(it.us.close())
        bye = await it.peer.get()
        assert bye.method == "BYE"
        await closing

    scene(check, answer)


def test_closing_hangs_up_calls_that_we_made():
    async def check(it):
        await it.talk()
        await it.us.close()
        assert (await it.peer.get()).method == "BYE"

    scene(check)


def test_closing_waits_for_the_end_of_a_cancelled_call():
    async def check(it):
        call, invite = await it.dial()
        it.answer(invite, 180)
        await asyncio.sleep(0.1)
        call.cancel()
        closing = asyncio.create_task(it.us.close())
        cancel = await it.peer.get()
        it.answer(cancel, 200)
        await asyncio.sleep(0.4)
        assert not closing.done()
        it.answer(invite, 487)
        assert (await it.peer.get()).method == "ACK"
        await closing

    scene(check)


def test_closing_hangs_up_a_call_whose_answer_crosses_the_cancel():
    async def check(it):
        call, invite = await it.dial()
        it.answer(invite, 180)
        await asyncio.sleep(0.1)
        call.cancel()
        closing = asyncio.create_task(it.us.close())
        it.answer(invite, 200, body=b"answer")
        got = [(await it.peer.get()) for _ in range(3)]
        assert [m.method for m in got] == ["CANCEL", "ACK", "BYE"]
        assert not closing.done()
        it.answer(got[2], 200)
        await closing

    scene(check)


def test_closing_does_not_wait_for_ever():
    async def check(it):
        await it.dial()
        await it.us.close()
        assert asyncio.get_running_loop().time() == pytest.approx(2, abs=0.1)

    scene(check)
