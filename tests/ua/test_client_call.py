import asyncio

import pytest

from opensip.errors import NegotiationError, RemoteProtocolError, TransportFailed
from opensip.sip.uri import Uri
from opensip.ua.call_failed import CallFailed
from tests.fakes.agents import CALLER, Words
from tests.fakes.scene import scene


def test_invite_says_who_and_what_we_are():
    async def check(it):
        _, invite = await it.dial(headers=[("P-Asserted-Identity", "<sip:+1555@us>")])
        assert str(invite.uri) == "sip:peer@127.0.0.9:5060"
        assert str(invite.to) == "<sip:peer@127.0.0.9:5060>"
        assert str(invite.from_.uri) == "sip:alice@caller.example"
        assert invite.from_.tag
        assert str(invite.contact) == "<sip:127.0.0.1:5060>"
        assert invite.via.rport == 0
        assert invite.body == b"ours offer 1"
        for name in ("Allow", "Supported", "User-Agent", "P-Asserted-Identity", "Max-Forwards"):
            assert invite.headers.has(name)

    scene(check)


def test_answer_is_acknowledged_again_and_again():
    async def check(it):
        call, invite = await it.dial()
        ringing = []
        call.on_progress = ringing.append
        it.answer(invite, 100)
        it.answer(invite, 180)
        for _ in range(3):
            it.answer(invite, 200, body=b"answer", Allow="INVITE, REFER")
            assert (await it.peer.get()).method == "ACK"
        session = await call.wait_answered()
        assert [r.status for r in ringing] == [r.status for r in call.progress] == [180]
        assert session.peer_allows == {"INVITE", "REFER"}
        assert it.words.log[-1] == ("accept", b"answer")
        assert not call.is_open
        call.cancel()
        await it.peer.silence()

    scene(check)


@pytest.mark.parametrize(
    ("status", "headers"),
    [(486, {}), (603, {}), (302, {"Contact": "<sip:other@else.example>"}), (404, {})],
)
def test_refusal(status, headers):
    async def check(it):
        call, invite = await it.dial()
        it.answer(invite, status, contact=False, **headers)
        assert (await it.peer.get()).method == "ACK"
        with pytest.raises(CallFailed) as failed:
            await call.wait_answered()
        assert failed.value.status == failed.value.sip_status == status
        assert failed.value.headers.get("Contact") == headers.get("Contact")
        await it.peer.silence()

    scene(check)


def test_nobody_there():
    async def check(it):
        call, _ = await it.dial(ring_timeout=90)
        with pytest.raises(CallFailed, match="408"):
            await call.wait_answered()
        assert asyncio.get_running_loop().time() == pytest.approx(32, abs=0.1)

    scene(check)


def test_no_answer_in_time_is_cancelled():
    async def check(it):
        call, invite = await it.dial(ring_timeout=20)
        it.answer(invite, 180)
        with pytest.raises(CallFailed, match="408 No Answer"):
            await call.wait_answered()
        cancel = await it.peer.get()
        assert cancel.method == "CANCEL"
        assert cancel.via.branch == invite.via.branch
        it.answer(cancel, 200)
        it.answer(invite, 487)
        assert (await it.peer.get()).method == "ACK"
        await asyncio.sleep(40)
        assert it.us.counts()["transactions"] == 0

    scene(check)


def test_answer_that_crosses_the_cancel_is_hung_up():
    async def check(it):
        call, invite = await it.dial()
        it.answer(invite, 180)
        await asyncio.sleep(0.1)
        call.cancel()
        with pytest.raises(CallFailed, match="487"):
            await call.wait_answered()
        it.answer(invite, 200, body=b"answer")
        got = [(await it.peer.get()) for _ in range(3)]
        assert [m.method for m in got] == ["CANCEL", "ACK", "BYE"]
        it.answer(got[2], 200)
        await asyncio.sleep(40)
        assert it.us.counts()["dialogs"] == it.us.counts()["transactions"] == 0

    scene(check)


def test_an_answer_that_meets_the_end_of_who_waits_is_hung_up():
    """The 200 is there before our CANCEL, and nobody is there any more to take the session."""

    async def check(it):
        call, invite = await it.dial()

        async def wait():
            try:
                await call.wait_answered()
            finally:
                call.cancel()

        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0.1)
        call._answered.add_done_callback(lambda _: waiting.cancel())
        it.answer(invite, 200, body=b"answer")
        with pytest.raises(asyncio.CancelledError):
            await waiting
        got = [(await it.peer.get()) for _ in range(2)]
        assert [m.method for m in got] == ["ACK", "BYE"]
        it.answer(got[1], 200)
        await asyncio.sleep(40)
        assert it.us.counts()["dialogs"] == it.us.counts()["transactions"] == 0

    scene(check)


def test_a_session_that_was_taken_outlives_a_late_cancel():
    async def check(it):
        call, invite = await it.dial()
        it.answer(invite, 200, body=b"answer")
        session = await call.wait_answered()
        call.cancel()
        assert session.is_established

    scene(check)


def test_cancel_waits_for_a_provisional_response():
    async def check(it):
        call, invite = await it.dial()
        call.cancel()
        await asyncio.sleep(0.3)
        assert it.peer.inbox.empty()
        it.answer(invite, 100)
        assert (await it.peer.get()).method == "CANCEL"

    scene(check)


def test_answer_of_the_183_stands_where_the_200_has_none():
    async def check(it):
        call, invite = await it.dial()
        it.answer(invite, 183, body=b"early")
        it.answer(invite, 200)
        await call.wait_answered()
        assert it.words.log[-1] == ("accept", b"early")

    scene(check)


def test_answer_that_cannot_be_used_is_hung_up():
    async def check(it):
        call, invite = await it.dial()
        it.words.refuses = True
        it.answer(invite, 200, body=b"answer")
        assert [(await it.peer.get()).method for _ in range(2)] == ["ACK", "BYE"]
        with pytest.raises(NegotiationError):
            await call.wait_answered()

    scene(check)


def test_second_fork_is_acknowledged_and_hung_up():
    async def check(it):
        call, invite = await it.dial()
        it.answer(invite, 200, body=b"answer", tag="one")
        assert (await it.peer.get()).method == "ACK"
        it.answer(invite, 200, body=b"answer", tag="two")
        ack, bye = await it.peer.get(), await it.peer.get()
        assert (ack.method, bye.method) == ("ACK", "BYE")
        assert ack.to.tag == bye.to.tag == "two"
        assert (await call.wait_answered()).is_established

    scene(check)


def test_no_way_there():
    async def check(it):
        with pytest.raises(TransportFailed):
            await it.us.dial(
                Uri.parse("sip:a@127.0.0.9;transport=tls"), from_=CALLER, negotiator=Words()
            )

    scene(check)


def test_lost_connection_fails_the_call():
    async def check(it):
        call, _ = await it.dial()
        [node] = [n for n in it.link.nodes.values() if n is not it.peer]
        node.break_flow(call._flow)
        with pytest.raises(CallFailed, match="503"):
            await call.wait_answered()

    async def over_tcp(it):
        it.peer.request, plain = (
            lambda *a, **k: plain(*a, Contact="<sip:peer@127.0.0.9:5060;transport=tcp>", **k),
            it.peer.request,
        )
        await check(it)

    scene(over_tcp, transport="TCP")


def test_outcome_that_nobody_asks_for_is_no_error():
    async def check(it):
        _, invite = await it.dial()
        it.answer(invite, 486)
        await asyncio.sleep(1)

    scene(check)


def test_target_is_where_the_invite_goes():
    async def check(it):
        far = Uri.parse("sip:+1555@trunk.example")
        await it.us.dial(
            far, from_=CALLER, negotiator=it.words, target=it.peer.request().contact.uri
        )
        assert str((await it.peer.get()).uri) == "sip:+1555@trunk.example"

    scene(check)


def test_the_session_timer_is_asked_for_and_422_is_followed():
    async def check(it):
        call, invite = await it.dial()
        assert invite.headers.get("Session-Expires") == "1800"
        assert invite.headers.get("Min-SE") == "90"
        it.answer(invite, 422, Min_SE="3600")
        assert (await it.peer.get()).method == "ACK"
        again = await it.peer.get()
        assert again.headers.get_all("Session-Expires") == ("3600",)
        it.answer(
            again,
            200,
            body=b"answer",
            Session_Expires="3600;refresher=uac",
            Require="timer",
            Allow="UPDATE",
        )
        assert (await it.peer.get()).method == "ACK"
        await call.wait_answered()
        assert (await it.peer.get()).method == "UPDATE"
        assert asyncio.get_running_loop().time() == pytest.approx(1800, abs=1)

    scene(check)


def test_an_answer_among_other_parts_is_found():
    async def check(it):
        call, invite = await it.dial()
        body = b"--b\r\n\r\nhello\r\n--b\r\nContent-Type: application/sdp\r\n\r\nanswer\r\n--b--"
        ok = it.peer.answer(invite, 200, body=body)
        it.send(ok.with_headers(ok.headers.replace("Content-Type", "multipart/mixed;boundary=b")))
        assert (await it.peer.get()).method == "ACK"
        await call.wait_answered()
        assert it.words.log[-1] == ("accept", b"answer")

    scene(check)


def test_an_answer_that_cannot_be_read_ends_the_call():
    async def check(it):
        call, invite = await it.dial()
        it.answer(invite, 200, body=b"garbage")
        assert (await it.peer.get()).method == "ACK"
        with pytest.raises(RemoteProtocolError, match="cannot be read"):
            await call.wait_answered()
        bye = await it.peer.get()
        assert bye.method == "BYE"
        it.answer(bye, 200)

    scene(check)
