import asyncio

import pytest

from opensip.ua.credentials import Credentials
from tests.fakes.scene import scene

OURS = Credentials("alice", "pw", frozenset({"opensip.test"}))
CHALLENGE = 'Digest realm="opensip.test", nonce="1", qop="auth", algorithm=MD5'


def telling(check, **options):
    async def main(it):
        session = await it.talk()
        it.told = asyncio.create_task(session.info("application/dtmf", b"5"))
        await check(it, session)

    scene(main, **options)


@pytest.mark.parametrize("status", [200, 415])
def test_the_answer_of_the_peer_is_told(status):
    async def check(it, session):
        request = await it.peer.get()
        assert (request.method, request.body) == ("INFO", b"5")
        assert request.content_type == "application/dtmf"
        assert request.to.tag
        it.answer(request, 100, contact=False)
        it.answer(request, status, contact=False)
        assert await it.told == status

    telling(check)


def test_silence_is_408():
    async def check(it, session):
        assert await it.told == 408

    telling(check)


def test_a_call_that_is_over_sends_nothing():
    async def check(it, session):
        it.answer(await it.peer.get(), 200, contact=False)
        await it.told
        session.hang_up()
        assert await session.info("application/dtmf", b"6") == 481

    telling(check)


def test_a_challenge_is_answered_once():
    async def check(it):
        call, invite = await it.dial(credentials=OURS)
        it.answer(invite, 200, body=b"answer")
        assert (await it.peer.get()).method == "ACK"
        session = await call.wait_answered()
        told = asyncio.create_task(session.info("application/dtmf", b"5"))
        first = await it.peer.get()
        it.answer(first, 407, contact=False, Proxy_Authenticate=CHALLENGE)
        second = await it.peer.get()
        assert second.cseq.number == first.cseq.number + 1
        assert second.headers.has("Proxy-Authorization")
        assert second.body == b"5"
        it.answer(second, 200, contact=False)
        it.answer(second, 200, contact=False)
        assert await told == 200

    scene(check)
