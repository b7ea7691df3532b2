import asyncio
from dataclasses import replace

import pytest

from opensip.errors import LocalProtocolError, MediaError, NegotiationError, TransactionTimeout
from opensip.ua.call_failed import CallFailed
from opensip.ua.credentials import Credentials
from tests.fakes.agents import LOCAL, admission
from tests.fakes.scene import scene

OFFER = b"offer"


class Noted:
    def __init__(self):
        self.events = []

    def note(self, event):
        self.events.append(event)


def acknowledge(it, ok, body=b""):
    it.send(it.peer.request("ACK", to_tag=ok.to.tag, branch="ack", body=body))


async def final(it, **more):
    """Let the peer call; give the final response."""
    it.send(it.peer.request("INVITE", **more))
    return await it.peer.get_final()


def test_answer_to_an_offer():
    async def answer(call):
        session = await call.answer(it.words)
        assert session.is_established
        assert session.invite is call.request
        ends.append(await session.wait_ended())

    async def check(inner):
        nonlocal it
        it = inner
        ok = await final(it, body=OFFER, Allow="INVITE, BYE,REFER")
        assert ok.body == b"ours answer 1"
        assert it.words.log == [("answer", OFFER)]
        assert str(ok.contact) == "<sip:127.0.0.1:5060>"
        assert ok.headers.has("Allow")
        acknowledge(it, ok)
        await asyncio.sleep(0.1)
        bye = it.peer.request("BYE", to_tag=ok.to.tag, cseq=2, Reason="Q.850;cause=16")
        it.send(bye)
        assert (await it.peer.get()).status == 200
        await asyncio.sleep(0)
        [end] = ends
        assert (end.by, end.cause, end.sip_status) == ("remote", "bye", None)
        assert end.headers.get("Reason") == "Q.850;cause=16"

    it, ends = None, []
    scene(check, answer)


def test_delayed_offer():
    async def answer(call):
        assert call.offer is None
        await call.answer(it.words)
        await asyncio.sleep(1)

    async def check(inner):
        nonlocal it
        it = inner
        ok = await final(it)
        assert ok.body == b"ours offer 1"
        acknowledge(it, ok, b"their answer")
        await asyncio.sleep(0.1)
        assert it.words.log == [("offer", b""), ("accept", b"their answer")]

    it = None
    scene(check, answer)


def test_answer_in_the_ack_that_cannot_be_used():
    async def answer(call):
        with pytest.raises(NegotiationError):
            await call.answer(it.words)
        done.append(True)

    async def check(inner):
        nonlocal it
        it = inner
        ok = await final(it)
        it.words.refuses = True
        acknowledge(it, ok, b"nonsense")
        assert (await it.peer.get()).method == "BYE"
        assert done

    it, done = None, []
    scene(check, answer)


def test_answer_without_ack_is_sent_again_then_hung_up():
    async def answer(call):
        with pytest.raises(TransactionTimeout):
            await call.answer(it.words)
        done.append(asyncio.get_running_loop().time())

    async def check(inner):
        nonlocal it
        it = inner
        ok = await final(it, body=OFFER)
        count = 0
        while (message := await it.peer.get()).to_bytes() == ok.to_bytes():
            count += 1
        assert message.method == "BYE"
        assert count == 10
        assert done == [pytest.approx(32, abs=0.1)]

    it, done = None, []
    scene(check, answer)


def test_bye_instead_of_the_ack():
    async def answer(call):
        session = await call.answer(it.words)
        ends.append(await session.wait_ended())

    async def check(inner):
        nonlocal it
        it = inner
        ok = await final(it, body=OFFER)
        it.send(it.peer.request("BYE", to_tag=ok.to.tag, cseq=2))
        assert (await it.peer.get()).status == 200
        await asyncio.sleep(0)
        assert ends[0].by == "remote"

    it, ends = None, []
    scene(check, answer)


def test_nothing_in_common_is_488_with_the_reason():
    async def answer(call):
        it.words.refuses = True
        try:
            await call.answer(it.words)
        except NegotiationError as error:
            call.reject_error(error)

    async def check(inner):
        nonlocal it
        it = inner
        response = await final(it, body=OFFER)
        assert response.status == 488
        assert response.headers.get("Warning") == '305 127.0.0.1:5060 "no codec in common"'

    it = None
    scene(check, answer)


def test_media_that_cannot_be_had_is_503():
    async def answer(call):
        call.reject_error(MediaError("no port is free"))

    async def check(it):
        response = await final(it, body=OFFER)
        assert response.status == 503
        assert response.headers.get("Retry-After")

    scene(check, answer)


def test_rejection_with_a_contact():
    async def redirect(call):
        call.reject(302, headers=[("Contact", "<sip:elsewhere@example.com>")])
        assert not call.is_open
        call.reject(486)
        call.provisional(180)
        with pytest.raises(CallFailed):
            await call.answer(it.words)

    async def check(inner):
        nonlocal it
        it = inner
        response = await final(it)
        assert response.status == 302
        assert response.headers.get("Contact") == "<sip:elsewhere@example.com>"

    it = None
    scene(check, redirect)


def test_success_is_no_rejection():
    async def answer(call):
        with pytest.raises(LocalProtocolError):
            call.reject(200)
        call.reject(486)

    async def check(it):
        assert (await final(it)).status == 486

    scene(check, answer)


@pytest.mark.parametrize("method", ["CANCEL", "BYE"])
def test_caller_that_gives_up_before_the_answer(method):
    async def answer(call):
        call.provisional(183, body=b"early")
        await call.wait_cancelled()
        assert not call.is_open
        with pytest.raises(CallFailed, match="487"):
            await call.answer(it.words)
        done.append(True)

    async def check(inner):
        nonlocal it
        it = inner
        await it.ask("INVITE", body=OFFER)
        early = await it.peer.get()
        assert early.body == b"early"
        if method == "CANCEL":
            it.send(it.peer.request("CANCEL", Via=it.peer.request().headers.get("Via")))
        else:
            it.send(it.peer.request("BYE", to_tag=early.to.tag, cseq=2))
        got = {(r.cseq.method, r.status) for r in [await it.peer.get() for _ in range(2)]}
        assert got == {(method, 200), ("INVITE", 487)}
        assert done

    it, done = None, []
    scene(check, answer)


def test_cancel_that_crosses_the_answer_changes_nothing():
    async def answer(call):
        cancelled = asyncio.create_task(call.wait_cancelled())
        session = await call.answer(it.words)
        await asyncio.sleep(1)
        assert session.is_established
        assert not cancelled.done()
        cancelled.cancel()
        done.append(True)

    async def check(inner):
        nonlocal it
        it = inner
        ok = await final(it, body=OFFER)
        it.send(it.peer.request("CANCEL", Via=it.peer.request().headers.get("Via")))
        acknowledge(it, ok)
        assert (await it.peer.get()).cseq.method == "CANCEL"
        await asyncio.sleep(2)
        assert done

    it, done = None, []
    scene(check, answer)


def test_an_offer_among_other_parts_is_found_and_the_rest_is_kept():
    async def answer(call):
        calls.append(call)
        await call.answer(it.words)
        await asyncio.sleep(1)

    async def check(inner):
        nonlocal it
        it = inner
        body = (
            b"--b1\r\nContent-Type: application/pidf+xml\r\nContent-ID: <t@a>\r\n\r\n<presence/>"
            b"\r\n--b1\r\nContent-Type: application/sdp\r\n\r\noffer\r\n--b1--\r\n"
        )
        ok = await final(it, body=body, Content_Type="multipart/mixed;boundary=b1")
        assert (ok.status, ok.body) == (200, b"ours answer 1")
        acknowledge(it, ok)
        await asyncio.sleep(0.1)
        assert it.words.log == [("answer", OFFER)]
        assert calls[0].request.body == body

    it, calls = None, []
    scene(check, answer)


def test_a_challenge_to_our_bye_is_answered_with_the_trunks_credentials():
    """Some carriers challenge what we send in calls that they brought."""
    secret = Credentials("us", "secret", frozenset({"carrier"}))
    trunk = replace(LOCAL, credentials=secret)

    async def answer(call):
        session = await call.answer(it.words)
        await session.bye()

    async def check(inner):
        nonlocal it
        it = inner
        acknowledge(it, await final(it, body=OFFER))
        bye = await it.peer.get()
        challenge = 'Digest realm="carrier", nonce="n", algorithm=MD5, qop="auth"'
        it.answer(bye, 407, Proxy_Authenticate=challenge)
        again = await it.peer.get()
        assert again.method == "BYE"
        assert 'username="us"' in again.headers.get("Proxy-Authorization")
        it.answer(again, 200)

    it = None
    scene(check, answer, doors=admission(trunk))


def test_a_call_without_contact_leaves_nothing_behind():
    async def check(it):
        request = it.peer.request("INVITE", body=OFFER)
        it.send(request.with_headers(request.headers.remove("Contact")))
        assert (await it.peer.get_final()).status == 400
        it.us.observe(request.call_id, observer := Noted())
        assert observer.events == []  # kept messages would come first

    scene(check)
