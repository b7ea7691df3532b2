import asyncio

import pytest

from opensip.errors import NegotiationError
from opensip.ua.call_failed import CallFailed
from tests.fakes.scene import scene


def test_we_hang_up():
    async def check(it):
        session = await it.talk()
        ending = asyncio.create_task(session.bye([("Reason", "SIP;cause=200")]))
        bye = await it.peer.get()
        assert (bye.method, bye.cseq.number) == ("BYE", 2)
        assert bye.headers.get("Reason") == "SIP;cause=200"
        assert not ending.done()
        it.answer(bye, 200)
        await ending
        end = await session.wait_ended()
        assert (end.by, end.headers) == ("local", None)
        assert it.us.counts()["dialogs"] == 0
        await session.bye()
        await it.peer.silence()

    scene(check)


def test_peer_hangs_up():
    async def check(it):
        session = await it.talk()
        assert (await it.ask_within(session, "BYE")).status == 200
        assert (await session.wait_ended()).by == "remote"
        assert not session.is_established
        assert (await it.ask_within(session, "BYE", cseq=11)).status == 481

    scene(check)


def test_both_hang_up_at_once():
    async def check(it):
        session = await it.talk()
        session.hang_up()
        assert (await it.ask_within(session, "BYE")).method == "BYE"
        assert (await it.peer.get()).status == 200

    scene(check)


def test_bye_that_is_never_answered_ends_all_the_same():
    async def check(it):
        session = await it.talk()
        await session.bye()
        assert asyncio.get_running_loop().time() == pytest.approx(32, abs=0.2)
        assert it.us.counts()["dialogs"] == 0

    scene(check)


def test_reinvite_of_the_peer_and_its_refresh():
    async def check(it):
        session = await it.talk()
        first = await it.ask_within(session, "INVITE", body=b"hold")
        assert (first.status, first.body) == (200, b"ours answer 3")
        again = await it.ask_within(session, "INVITE", cseq=11, body=b"hold")
        assert again.body == first.body
        assert it.words.log[2:] == [("answer", b"hold")]
        offer = await it.ask_within(session, "INVITE", cseq=12)
        assert offer.body == b"ours offer 4"
        to_tag, from_ = session.dialog.local.tag, f"<sip:peer@x>;tag={session.dialog.remote.tag}"
        it.send(
            it.peer.request(
                "ACK",
                to_tag=to_tag,
                cseq=12,
                body=b"their answer",
                From=from_,
                Call_ID=session.dialog.id.call_id,
            )
        )
        await asyncio.sleep(0.1)
        assert it.words.log[-1] == ("accept", b"their answer")

    scene(check)


def test_reinvite_with_nothing_in_common_changes_nothing():
    async def check(it):
        session = await it.talk()
        it.words.refuses = True
        response = await it.ask_within(session, "INVITE", body=b"video")
        assert response.status == 488
        assert response.headers.get("Warning") == '305 127.0.0.1:5060 "no codec in common"'
        response = await it.ask_within(session, "UPDATE", cseq=11, body=b"video")
        assert response.status == 488
        assert session.is_established

    scene(check)


def test_we_reinvite():
    async def check(it):
        session = await it.talk()
        changing = asyncio.create_task(session.reinvite())
        invite = await it.peer.get()
        assert invite.body == b"ours offer 3"
        it.answer(invite, 200, body=b"changed")
        assert (await it.peer.get()).method == "ACK"
        await changing
        assert it.words.log[-1] == ("accept", b"changed")

    scene(check)


def test_reinvite_that_is_refused():
    async def check(it):
        session = await it.talk()
        changing = asyncio.create_task(session.reinvite())
        it.answer(await it.peer.get(), 488)
        assert (await it.peer.get()).method == "ACK"
        with pytest.raises(CallFailed, match="488"):
            await changing
        assert session.is_established

    scene(check)


def test_reinvite_that_collides_is_sent_again():
    async def check(it):
        session = await it.talk()
        changing = asyncio.create_task(session.reinvite())
        it.answer(await it.peer.get(), 491)
        assert (await it.peer.get()).method == "ACK"
        invite = await it.peer.get()
        assert 2.1 <= asyncio.get_running_loop().time() <= 4.2
        it.answer(invite, 200, body=b"changed")
        assert (await it.peer.get()).method == "ACK"
        await changing

    scene(check)


def test_bye_ends_a_waiting_reinvite():
    async def check(it):
        session = await it.talk()
        changing = asyncio.create_task(session.reinvite())
        await it.peer.get()
        assert (await it.ask_within(session, "BYE")).status == 200
        with pytest.raises(CallFailed, match="481"):
            await changing
        with pytest.raises(CallFailed, match="481"):
            await session.reinvite()

    scene(check)


def test_answer_to_a_reinvite_that_cannot_be_used():
    async def check(it):
        session = await it.talk()
        changing = asyncio.create_task(session.reinvite())
        invite = await it.peer.get()
        it.words.refuses = True
        it.answer(invite, 200, body=b"nonsense")
        assert [(await it.peer.get()).method for _ in range(2)] == ["ACK", "BYE"]
        with pytest.raises(NegotiationError):
            await changing

    scene(check)
