"""What happens between a call of ours and its answer: reliable responses, UPDATE."""

from tests.fakes.scene import scene

RELIABLE = {"Require": "100rel", "RSeq": "9"}


def test_reliable_ringing_is_acknowledged():
    async def check(it):
        call, invite = await it.dial()
        assert "100rel" in invite.headers.get("Supported")
        it.answer(invite, 183, body=b"early", **RELIABLE)
        prack = await it.peer.get()
        assert (prack.method, prack.headers.get("RAck")) == ("PRACK", "9 1 INVITE")
        it.answer(prack, 200)
        it.answer(invite, 183, body=b"early", **RELIABLE)
        await it.peer.silence()
        it.answer(invite, 200)
        assert (await it.peer.get()).method == "ACK"
        await call.wait_answered()
        assert it.words.log[-1] == ("accept", b"early")
        assert it.us.counts()["dialogs"] == 1

    scene(check)


def early_update(it, invite, body, cseq=1):
    """A request of the callee before its answer."""
    to, from_ = str(invite.from_), "<sip:peer@127.0.0.9:5060>;tag=p1"
    return it.peer.request(
        "UPDATE", cseq=cseq, branch=f"u{cseq}", body=body, To=to, From=from_, Call_ID=invite.call_id
    )


def test_the_callee_updates_before_it_answers():
    async def check(it):
        call, invite = await it.dial()
        it.answer(invite, 183, body=b"early", **RELIABLE)
        it.answer(await it.peer.get(), 200)
        it.send(early_update(it, invite, b"other port"))
        updated = await it.peer.get()
        assert (updated.status, updated.body) == (200, b"ours answer 2")
        it.answer(invite, 200, body=b"early")
        assert (await it.peer.get()).method == "ACK"
        session = await call.wait_answered()
        assert session.is_established
        assert it.words.log[-1] == ("answer", b"other port")

    scene(check)


def test_what_the_callee_cannot_have_before_it_answers():
    async def check(it):
        call, invite = await it.dial()
        it.answer(invite, 183, body=b"early", **RELIABLE)
        it.answer(await it.peer.get(), 200)
        it.words.refuses = True
        it.send(early_update(it, invite, b"video"))
        assert (await it.peer.get()).status == 488
        call.cancel()
        assert (await it.peer.get()).method == "CANCEL"
        assert it.us.counts()["dialogs"] == 0

    scene(check)
