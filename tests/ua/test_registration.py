import asyncio

import pytest

from opensip.sip.uri import Uri
from opensip.ua.credentials import Credentials
from opensip.ua.registration import LOOK, Registration, RegistrationConfig
from opensip.ua.ways import Destination
from tests.fakes.scene import scene

REGISTRAR = Uri.parse("sip:127.0.0.9")
CHALLENGE = 'Digest realm="reg", nonce="n1", qop="auth", algorithm=SHA-256'


def registering(check, *, transport="UDP", credentials=None, answers=None, **more):
    """Run `check(scene, registration)`; without `answers` the check answers itself."""

    async def main(it):
        where = Destination(Uri.parse(f"sip:127.0.0.9:5060;transport={transport.lower()}"))
        config = RegistrationConfig(
            REGISTRAR, Uri.parse("sip:alice@reg.test"), where, credentials, **more
        )
        core = it.us.core
        it.made = Registration(core, config, find_ways=core.ways, random=lambda: 0.0)
        running = asyncio.create_task(it.made.run())
        try:
            await check(it, it.made)
        finally:
            running.cancel()

    scene(main, transport=transport)


async def grant(it, seconds=600, status=200, **more):
    """Answer the next REGISTER as a registrar does; give it."""
    request = await it.peer.get()
    assert request.method == "REGISTER"
    contact = f"{request.contact};expires={seconds}"
    others = "<sip:alice@192.0.2.77>;expires=9999, <sip:[>"
    it.send(it.peer.answer(request, status, contact=False, Contact=f"{others}, {contact}", **more))
    await asyncio.sleep(0.1)
    return request


def test_registers_and_refreshes():
    async def check(it, made):
        first = await grant(it, 600, Service_Route="<sip:a;lr>, <sip:b;lr>")
        assert str(first.uri) == "sip:127.0.0.9"
        assert str(first.to) == "<sip:alice@reg.test>"
        assert str(first.contact) == "<sip:alice@127.0.0.1:5060>"
        assert first.headers.get("Expires") == "3600"
        status = made.status()
        assert status["state"] == "registered"
        assert status["seconds_left"] == 600
        assert status["service_route"] == ["<sip:a;lr>", "<sip:b;lr>"]
        before = asyncio.get_running_loop().time()
        again = await grant(it)
        assert asyncio.get_running_loop().time() - before == pytest.approx(450, abs=1)
        assert (again.call_id, again.cseq.number) == (first.call_id, first.cseq.number + 1)
        assert again.from_.tag == first.from_.tag

    registering(check)


def test_challenge_is_answered():
    async def check(it, made):
        request = await it.peer.get()
        it.answer(request, 401, contact=False, WWW_Authenticate=CHALLENGE)
        second = await grant(it)
        assert 'username="alice"' in second.headers.get("Authorization")
        assert 'uri="sip:127.0.0.9"' in second.headers.get("Authorization")
        assert made.state == "registered"

    registering(check, credentials=Credentials("alice", "pw", frozenset({"reg"})))


def test_wrong_password_is_not_tried_at_once_again():
    async def check(it, made):
        for _ in range(2):
            request = await it.peer.get()
            it.answer(request, 401, contact=False, WWW_Authenticate=CHALLENGE)
        await asyncio.sleep(1)
        assert (made.state, made.why) == ("refused", "401 Unauthorized")
        await it.peer.silence(10)
        assert (await it.peer.get()).method == "REGISTER"
        assert asyncio.get_running_loop().time() == pytest.approx(15, abs=1)

    registering(check, credentials=Credentials("alice", "pw", frozenset({"reg"})))


def test_interval_too_brief():
    async def check(it, made):
        it.answer(await it.peer.get(), 423, contact=False, Min_Expires="1800")
        assert (await grant(it, 1800)).headers.get("Expires") == "1800"
        assert made.state == "registered"

    registering(check, seconds=60.0)


def test_retry_after_and_longer_waits():
    async def check(it, made):
        it.answer(await it.peer.get(), 503, contact=False, Retry_After="100")
        await it.peer.silence(99)
        await it.peer.get()
        await it.peer.silence(0.4)
        assert made.status()["state"] == "refused"

    registering(check)


def test_nobody_there():
    async def check(it, made):
        await asyncio.sleep(33)
        assert made.state == "unreachable"
        assert "no answer to REGISTER" in made.status()["why"]
        assert made.status()["seconds_left"] == 0

    registering(check)


def test_lost_connection_is_a_reason_to_register_anew():
    async def check(it, made):
        await grant(it)
        flow = made._flow
        it.us.core._transport.break_flow(flow)
        before = asyncio.get_running_loop().time()
        await grant(it)
        assert asyncio.get_running_loop().time() - before < LOOK + 1
        assert made._flow != flow

    registering(check, transport="TCP")


def test_registration_is_taken_back():
    async def check(it, made):
        await grant(it)
        leaving = asyncio.create_task(made.leave())
        assert (await grant(it, 0)).headers.get("Expires") == "0"
        await leaving
        await made.leave()  # there is nothing left to take back
        await it.peer.silence()

    registering(check)


def test_taking_back_does_not_wait_for_ever():
    async def check(it, made):
        await grant(it)
        await asyncio.wait_for(made.leave(), 3)

    registering(check)


def test_expires_header_counts_where_no_contact_is_listed():
    async def check(it, made):
        request = await it.peer.get()
        it.answer(request, 200, contact=False, Expires="77")
        await asyncio.sleep(0.1)
        assert made.status()["seconds_left"] == 77

    registering(check)
