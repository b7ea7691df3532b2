"""Targets tried in turn: by time-out, by 503, by a transport that fails; and not again soon."""

import asyncio

import pytest

from opensip.errors import TransportFailed
from opensip.net.resolver import Resolver, Target
from opensip.sip.headers import Headers
from opensip.sip.message import Response
from opensip.sip.uri import Uri
from opensip.ua.call_failed import CallFailed
from opensip.ua.client_call import TRIAL
from opensip.ua.credentials import Credentials
from opensip.ua.ways import MAX_RETRY_AFTER, Blacklist, Destination, Ways, retry_after
from tests.fakes.agents import CALLER
from tests.fakes.scene import Scene
from tests.fakes.sip_link import Peer, run

A, B = (Target("UDP", host, 5060, "x") for host in ("127.0.0.8", "127.0.0.9"))
TRUNK = Uri.parse("sip:trunk.test")
CHALLENGE = 'Digest realm="trunk", nonce="{}", qop="auth", algorithm=MD5'


class FakeResolver(Resolver):
    """Leads every name to the same targets."""

    async def resolve(self, uri, *, server_name=""):
        return [A, B]


def two_targets(check, **config):
    """Run `check(scene, first, second)` with an endpoint whose trunk has two targets."""

    async def main():
        async with Scene(**config) as it:
            it.us.core._finder.resolver = FakeResolver()
            first, it.first = it.peer, Peer(it.link, "127.0.0.8")
            await check(it, it.first, first)

    run(main)


async def dial(it, **more):
    return await it.us.dial(TRUNK, from_=CALLER, negotiator=it.words, ring_timeout=120, **more)


def answer(it, peer, request, status, **more):
    peer.send(peer.answer(request, status, **more), ("127.0.0.1", 5060))


def test_503_leads_to_the_next_target_and_the_first_rests():
    async def check(it, first, second):
        call = await dial(it)
        invite = await first.get()
        answer(it, first, invite, 503, contact=False, Retry_After="100")
        assert (await first.get()).method == "ACK"
        again = await second.get()
        assert (again.call_id, again.cseq.number) == (invite.call_id, invite.cseq.number + 1)
        assert again.via.branch != invite.via.branch
        answer(it, second, again, 200, body=b"answer")
        assert (await second.get()).method == "ACK"
        await call.wait_answered()
        await dial(it)
        assert (await second.get()).method == "INVITE"  # at once, for the first one rests
        await asyncio.sleep(101)
        await dial(it)
        assert (await first.get()).method == "INVITE"

    two_targets(check)


def test_a_target_that_does_not_stir_is_left_for_the_next():
    async def check(it, first, second):
        call = await dial(it)
        late = await first.get()
        invite = await second.get()
        assert invite.cseq.number == late.cseq.number + 1
        assert asyncio.get_running_loop().time() == pytest.approx(TRIAL, abs=0.1)
        answer(it, second, invite, 200, body=b"answer")
        await call.wait_answered()
        while not first.inbox.empty():
            assert (await first.get()).method == "INVITE"  # sent again until it was left
        answer(it, first, late, 200, body=b"answer", tag="late")
        assert [(await first.get()).method for _ in range(2)] == ["ACK", "BYE"]
        assert it.us.counts()["dialogs"] == 1

    two_targets(check)


def test_a_target_that_rings_late_is_cancelled():
    async def check(it, first, second):
        await dial(it)
        late = await first.get()
        await second.get()
        answer(it, first, late, 180)
        while (request := await first.get()).method == "INVITE":
            pass
        assert request.method == "CANCEL"

    two_targets(check)


def test_a_target_that_tries_is_not_left_nor_the_last_that_can_be_reached():
    async def check(it, first, second):
        await dial(it)
        answer(it, first, await first.get(), 100, contact=False)
        await second.silence(20)

    async def check_last(it, first, second):
        call = await dial(it)
        it.us.core._transport.unreachable.add(("127.0.0.9", 5060))
        invite = await first.get()
        await asyncio.sleep(10)
        answer(it, first, invite, 200, body=b"answer")
        await call.wait_answered()

    two_targets(check)
    two_targets(check_last)


def test_target_that_cannot_be_reached_is_passed_over():
    async def check(it, first, second):
        it.us.core._transport.unreachable.add(("127.0.0.8", 5060))
        await dial(it)
        assert (await second.get()).method == "INVITE"
        assert first.inbox.empty()

    two_targets(check)


def test_last_target_has_the_last_word():
    async def check(it, first, second):
        call = await dial(it)
        answer(it, first, await first.get(), 503, contact=False)
        answer(it, second, await second.get(), 503, contact=False)
        with pytest.raises(CallFailed, match="503"):
            await call.wait_answered()

    two_targets(check)


def test_second_target_gone_when_it_is_wanted():
    async def check(it, first, second):
        call = await dial(it)
        it.us.core._transport.unreachable.add(("127.0.0.9", 5060))
        answer(it, first, await first.get(), 503, contact=False)
        with pytest.raises(CallFailed, match="503"):
            await call.wait_answered()

    two_targets(check)


def test_no_other_target_once_it_rings_or_after_cancel():
    async def check(it, first, second):
        call = await dial(it)
        invite = await first.get()
        answer(it, first, invite, 180)
        answer(it, first, invite, 503, contact=False)
        with pytest.raises(CallFailed, match="503"):
            await call.wait_answered()
        await second.silence()

    two_targets(check)


def test_each_target_has_its_own_challenge():
    async def check(it, first, second):
        await dial(it, credentials=Credentials("u", "p", frozenset({"trunk"})))
        answer(it, first, await first.get(), 401, WWW_Authenticate=CHALLENGE.format("n1"))
        await first.get()
        answer(it, first, await first.get(), 503, contact=False)
        again = await second.get()
        assert not again.headers.has("Authorization")
        answer(it, second, again, 401, WWW_Authenticate=CHALLENGE.format("n2"))
        assert (await second.get()).method == "ACK"
        assert 'nonce="n2"' in (await second.get()).headers.get("Authorization")

    two_targets(check)


def test_every_way_blocked():
    async def check(it, first, second):
        it.us.core._transport.unreachable |= {("127.0.0.8", 5060), ("127.0.0.9", 5060)}
        with pytest.raises(TransportFailed):
            await dial(it)
        ways = Ways(FakeResolver(), it.us.core._transport, Blacklist(1), Destination(TRUNK))
        assert ways.has_more
        ways.failed()
        ways.answered()
        with pytest.raises(TransportFailed):
            await ways.next_flow()
        assert not ways.has_more

    two_targets(check)


def test_blacklist_forgets():
    listed = Blacklist(60)
    listed.add(A, now=0)
    assert listed.in_order([A, B], now=59) == [B, A]
    assert listed.in_order([A, B], now=60) == [A, B]
    listed.add(A, now=0)
    listed.remove(A)
    assert not listed.has(A, now=1)


def test_blacklist_is_bounded(monkeypatch):
    monkeypatch.setattr("opensip.ua.ways.MAX_LISTED", 1)
    listed = Blacklist(60)
    listed.add(A, now=0)
    listed.add(B, now=0)
    assert (listed.has(A, now=1), listed.has(B, now=1)) == (False, True)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("120", 120), ("18000;duration=3600", MAX_RETRY_AFTER), ("5 (busy)", 5), ("soon", None)],
)
def test_retry_after(text, seconds):
    headers = Headers([("Retry-After", text)])
    assert retry_after(Response(503, "Service Unavailable", headers)) == seconds
