"""INVITEs that would take a call over: RFC 3891 section 3."""

import pytest

from tests.fakes.scene import scene


def replaces(dialog, *, more=""):
    ours = dialog.id
    return f"{ours.call_id};to-tag={ours.local_tag};from-tag={ours.remote_tag}{more}"


async def final(it, value, branch="r"):
    it.send(it.peer.request("INVITE", Call_ID=f"new{branch}", branch=branch, Replaces=value))
    return (await it.peer.get_final()).status


@pytest.mark.parametrize(("more", "status"), [("", 603), (";early-only", 486)])
def test_an_answered_call_is_not_given_away(more, status):
    async def check(it):
        session = await it.talk()
        assert await final(it, replaces(session.dialog, more=more)) == status
        assert session.is_established
        assert not it.calls

    scene(check)


def test_there_is_no_such_call():
    async def check(it):
        assert await final(it, "none@x;to-tag=a;from-tag=b") == 481

    scene(check)


def test_the_early_dialog_of_a_caller_is_not_the_called_sides_to_give():
    async def check(it):
        it.send(it.peer.request("INVITE"))
        assert [(await it.peer.get()).status for _ in range(2)] == [100, 180]
        assert await final(it, replaces(it.calls[0].participant.dialog)) == 481
        assert it.calls[0].is_open

    scene(check)


def test_the_call_that_we_make_is_not_given_away_either():
    async def check(it):
        call, invite = await it.dial()
        it.answer(invite, 180, tag="early")
        while not call.progress:
            await it.peer.silence(0.1)
        value = f"{invite.call_id};to-tag={invite.from_.tag};from-tag=early"
        assert await final(it, value) == 603
        assert call.is_open

    scene(check)


@pytest.mark.parametrize("value", ["c;to-tag=a", "", "c"])
def test_what_cannot_be_read_is_refused(value):
    async def check(it):
        assert await final(it, value) == 400

    scene(check)


def test_one_call_at_a_time():
    async def check(it):
        request = it.peer.request("INVITE", Replaces="a;to-tag=b;from-tag=c")
        headers = request.headers.add("Replaces", "d;to-tag=e;from-tag=f")
        it.send(request.with_headers(headers))
        assert (await it.peer.get_final()).status == 400

    scene(check)


def test_who_demands_it_learns_that_it_is_not_supported():
    async def check(it):
        request = it.peer.request("INVITE", Replaces="a;to-tag=b;from-tag=c", Require="replaces")
        it.send(request)
        refusal = await it.peer.get_final()
        assert (refusal.status, refusal.headers.get("Unsupported")) == (420, "replaces")

    scene(check)
