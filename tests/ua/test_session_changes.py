"""UPDATE, PRACK and session timers on the wire; re-INVITE: test_invite_session.py."""

import asyncio

import pytest

from opensip.errors import NegotiationError
from opensip.ua.call_failed import CallFailed
from tests.fakes.scene import scene

TIMER = {"Supported": "timer", "Session_Expires": "90;refresher=uac"}


async def answer(call, it):
    """Answer a call, and stay until it ends."""
    it.session = session = await call.answer(it.words)
    it.ends.append(await session.wait_ended())


def called(check, **invite):
    """Let the peer call and be answered; run `check(scene, our 200)`."""

    async def take(call):
        await answer(call, it)

    async def main(inner):
        nonlocal it
        it = inner
        it.ends = []
        it.send(it.peer.request("INVITE", body=b"offer", **invite))
        ok = await it.peer.get_final()
        it.send(it.peer.request("ACK", to_tag=ok.to.tag, branch="ack"))
        await asyncio.sleep(0.1)
        await check(it, ok)

    it = None
    scene(main, take)


def test_we_update_where_the_peer_takes_it():
    async def check(it):
        session = await it.talk(Allow="INVITE, UPDATE")
        changing = asyncio.create_task(session.update())
        update = await it.peer.get()
        assert (update.method, update.body) == ("UPDATE", b"ours offer 3")
        assert "timer" in update.headers.get("Supported")
        it.answer(update, 200, body=b"changed")
        await changing
        assert it.words.log[-1] == ("accept", b"changed")

    scene(check)


def test_else_we_reinvite():
    async def check(it):
        session = await it.talk()
        changing = asyncio.create_task(session.update())
        invite = await it.peer.get()
        assert invite.method == "INVITE"
        it.answer(invite, 488)
        with pytest.raises(CallFailed, match="488"):
            await changing

    scene(check)


def test_update_that_collides_is_sent_again():
    async def check(it):
        session = await it.talk(Allow="UPDATE")
        changing = asyncio.create_task(session.update())
        it.answer(await it.peer.get(), 491)
        update = await it.peer.get()
        assert 2.1 <= asyncio.get_running_loop().time() <= 4.2
        it.answer(update, 200, body=b"changed")
        await changing

    scene(check)


def test_answer_to_an_update_that_cannot_be_used():
    async def check(it):
        session = await it.talk(Allow="UPDATE")
        changing = asyncio.create_task(session.update())
        update = await it.peer.get()
        it.words.refuses = True
        it.answer(update, 200, body=b"nonsense")
        assert (await it.peer.get()).method == "BYE"
        with pytest.raises(NegotiationError):
            await changing

    scene(check)


def test_nobody_answers_what_was_proposed():
    async def check(it):
        session = await it.talk()
        proposing = asyncio.create_task(session.reinvite(vital=False))
        assert (await it.peer.get()).body == b"ours offer 3"
        with pytest.raises(CallFailed, match="408"):
            await proposing
        assert asyncio.get_running_loop().time() == pytest.approx(32, abs=1)
        assert session.is_established

    scene(check)


def test_what_is_not_waited_for_any_more_does_not_end_the_session_either():
    async def check(it):
        session = await it.talk()
        proposing = asyncio.create_task(session.reinvite(vital=False))
        await it.peer.get()
        proposing.cancel()
        changing = asyncio.create_task(session.reinvite())
        while (invite := await it.peer.get()).body != b"ours offer 4":
            assert invite.body == b"ours offer 3"
        it.answer(invite, 200, body=b"held")
        await changing

    scene(check)


def test_an_answer_to_a_proposal_that_cannot_be_used_lets_us_offer_again():
    async def check(it):
        session = await it.talk()
        proposing = asyncio.create_task(session.reinvite(vital=False))
        invite = await it.peer.get()
        it.words.refuses = True
        it.answer(invite, 200, body=b"nonsense")
        assert (await it.peer.get()).method == "ACK"
        with pytest.raises(NegotiationError):
            await proposing
        it.words.refuses = False
        changing = asyncio.create_task(session.reinvite())
        it.answer(await it.peer.get(), 200, body=b"as before")
        await changing

    scene(check)


def test_update_of_the_peer():
    async def check(it, ok):
        update = it.peer.request("UPDATE", to_tag=ok.to.tag, cseq=2, body=b"hold")
        it.send(update)
        held = await it.peer.get()
        assert (held.status, held.body) == (200, b"ours answer 2")
        it.words.refuses = True
        it.send(it.peer.request("UPDATE", to_tag=ok.to.tag, cseq=3, body=b"video", branch="3"))
        refused = await it.peer.get()
        assert (refused.status, refused.headers.get("Warning")[:3]) == (488, "305")

    called(check)


def test_the_peer_refreshes_or_the_call_ends():
    async def check(it, ok):
        assert ok.headers.get("Session-Expires") == "90;refresher=uac"
        assert ok.headers.get("Require") == "timer"
        await asyncio.sleep(45)
        it.send(it.peer.request("UPDATE", to_tag=ok.to.tag, cseq=2, **TIMER))
        refreshed = await it.peer.get()
        assert refreshed.headers.get("Session-Expires") == "90;refresher=uac"
        bye = await it.peer.get()
        assert bye.method == "BYE"
        assert asyncio.get_running_loop().time() == pytest.approx(45 + 60, abs=0.5)
        [end] = it.ends
        assert (end.by, end.cause) == ("lost", "session expired")

    called(check, **TIMER)


@pytest.mark.parametrize(("allow", "method"), [("INVITE, UPDATE", "UPDATE"), ("INVITE", "INVITE")])
def test_we_refresh(allow, method):
    async def check(it, ok):
        assert ok.headers.get("Session-Expires") == "90;refresher=uas"
        refresh = await it.peer.get()
        assert asyncio.get_running_loop().time() == pytest.approx(45, abs=0.5)
        assert refresh.method == method
        assert refresh.headers.get("Session-Expires") == "90;refresher=uac"
        body = b"answer" if method == "INVITE" else b""
        it.answer(refresh, 200, body=body, Session_Expires="90;refresher=uac", Require="timer")
        if method == "INVITE":
            assert (await it.peer.get()).method == "ACK"
        assert (await it.peer.get()).method == method
        assert asyncio.get_running_loop().time() == pytest.approx(90, abs=0.5)

    called(check, Allow=allow, Supported="timer", Session_Expires="90;refresher=uas")


def test_a_first_invite_that_is_too_short():
    async def check(it):
        refusal = await it.ask(
            "INVITE", body=b"offer", Supported="timer", Session_Expires="60;refresher=uac"
        )
        assert (refusal.status, refusal.headers.get("Min-SE")) == (422, "90")

    scene(check)


def test_offer_in_a_prack():
    async def ring(call):
        call.provisional(183, body=it.words.answer(call.offer))
        await answer(call, it)

    async def check(inner):
        nonlocal it
        it = inner
        it.ends = []
        it.send(it.peer.request("INVITE", body=b"offer", Require="100rel"))
        assert (await it.peer.get()).status == 100
        early = await it.peer.get()
        assert (early.status, early.body) == (183, b"ours answer 1")
        rack = f"{early.headers.get('RSeq')} 1 INVITE"
        await it.peer.silence(0.3)  # the 200 waits for the PRACK
        it.send(
            it.peer.request("PRACK", to_tag=early.to.tag, cseq=2, RAck=rack, body=b"another offer")
        )
        prack, ok = await it.peer.get(), await it.peer.get()
        assert (prack.cseq.method, prack.status, prack.body) == ("PRACK", 200, b"ours answer 3")
        assert (ok.cseq.method, ok.status, ok.body) == ("INVITE", 200, b"ours answer 1")

    it = None
    scene(check, ring)


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_an_offer_that_cannot_be_read_is_refused_and_the_next_one_taken(method):
    async def check(it):
        session = await it.talk()
        bad = await it.ask_within(session, method, cseq=12, body=b"garbage")
        assert bad.status == 400
        assert "cannot be read" in bad.headers.get("Warning")
        assert (await it.ask_within(session, method, cseq=13, body=b"good")).status == 200

    scene(check)


def test_the_ack_of_the_first_reinvite_answers_our_offer():
    """RFC 3264 section 5: a re-INVITE without SDP gets our offer, the ACK brings the answer."""

    async def check(it):
        session = await it.talk()
        ok = await it.ask_within(session, "INVITE", cseq=12)
        assert ok.status == 200
        assert ok.body
        dialog = session.dialog
        own = {
            "From": f"<sip:peer@127.0.0.9:5060>;tag={dialog.remote.tag}",
            "Call_ID": dialog.id.call_id,
        }
        tag = dialog.local.tag
        it.send(it.peer.request("ACK", to_tag=tag, cseq=12, branch="a", body=b"moved", **own))
        await asyncio.sleep(0.1)
        assert it.words.log[-1] == ("accept", b"moved")

    scene(check)


def test_two_changes_at_once_are_two_exchanges_in_their_order_with_an_outcome_each():
    async def check(it):
        session = await it.talk(Allow="UPDATE")
        first, second, third = (asyncio.create_task(session.update()) for _ in range(3))
        update = await it.peer.get()
        await it.peer.silence(0.2)
        assert not first.done()
        it.answer(update, 200, body=b"held")
        update = await it.peer.get()
        assert first.done()
        assert not second.done()
        it.answer(update, 488)
        it.answer(await it.peer.get(), 200, body=b"resumed")
        await third
        with pytest.raises(CallFailed, match="488"):
            await second
        assert [word for word, _ in it.words.log[-2:]] == ["offer", "accept"]

    scene(check)


def test_a_change_that_waits_while_another_collides_comes_after_it():
    async def check(it):
        session = await it.talk()
        first, second = (asyncio.create_task(session.reinvite()) for _ in range(2))
        it.answer(await it.peer.get(), 491)
        assert (await it.peer.get()).method == "ACK"
        again = await it.peer.get()
        assert asyncio.get_running_loop().time() >= 2.1
        it.answer(again, 200, body=b"held")
        assert (await it.peer.get()).method == "ACK"
        await first
        it.answer(await it.peer.get(), 606)
        with pytest.raises(CallFailed, match="606"):
            await second

    scene(check)


def test_who_gives_up_waiting_leaves_no_outcome_to_the_next():
    async def check(it):
        session = await it.talk(Allow="UPDATE")
        first = asyncio.create_task(session.update())
        update = await it.peer.get()
        first.cancel()
        second = asyncio.create_task(session.update())
        await asyncio.sleep(0.1)
        it.answer(update, 488)
        it.answer(await it.peer.get(), 200, body=b"held")
        await second

    scene(check)


def test_a_change_during_a_refresh_has_an_outcome_of_its_own():
    async def check(it, ok):
        refresh = await it.peer.get()
        assert refresh.method == "INVITE"
        changing = asyncio.create_task(it.session.reinvite())
        await it.peer.silence(0.1)
        it.answer(refresh, 488)
        assert (await it.peer.get()).method == "ACK"
        invite = await it.peer.get()
        assert not changing.done()
        it.answer(invite, 200, body=b"held")
        assert (await it.peer.get()).method == "ACK"
        await changing

    called(check, Allow="INVITE", Supported="timer", Session_Expires="90;refresher=uas")


def test_changes_that_wait_end_with_the_session():
    async def check(it):
        session = await it.talk(Allow="UPDATE")
        changes = [asyncio.create_task(session.update()) for _ in range(3)]
        await it.peer.get()
        session.hang_up()
        for change in changes:
            with pytest.raises(CallFailed, match="481"):
                await change

    scene(check)
