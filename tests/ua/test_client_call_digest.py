"""Challenges to a call of ours, and whom its password is told."""

import pytest

from opensip.sip.digest import Ha1
from opensip.ua.admission import TrunkAdmission
from opensip.ua.call_failed import CallFailed
from opensip.ua.credentials import Credentials
from tests.fakes.agents import CALLER, Words, admission, endpoint, uri_of
from tests.fakes.scene import scene
from tests.fakes.sip_link import Link, run

OURS = Credentials("alice", "pw", frozenset({"opensip.test"}))
CHALLENGE = 'Digest realm="{}", nonce="{}", qop="auth", algorithm=MD5'


@pytest.mark.parametrize("status", [401, 407])
@pytest.mark.parametrize("stale", [True, False])
def test_endless_challenge_gets_two_answers_at_most(status, stale):
    async def check(it):
        call, invite = await it.dial(credentials=OURS)
        name = "WWW_Authenticate" if status == 401 else "Proxy_Authenticate"
        invites = [invite]
        for number in range(9):
            value = CHALLENGE.format("opensip.test", number) + (", stale=true" if stale else "")
            it.answer(invites[-1], status, contact=False, **{name: value})
            assert (await it.peer.get()).method == "ACK"
            if not call.is_open:
                break
            invites.append(await it.peer.get())
        assert len(invites) == (3 if stale else 2)
        assert [i.cseq.number for i in invites] == [1, 2, 3][: len(invites)]
        assert len({i.call_id for i in invites}) == len({i.from_.tag for i in invites}) == 1
        with pytest.raises(CallFailed) as failed:
            await call.wait_answered()
        assert failed.value.status == status

    scene(check)


def test_foreign_realm_gets_nothing():
    async def check(it):
        call, invite = await it.dial(credentials=OURS)
        it.answer(invite, 407, Proxy_Authenticate=CHALLENGE.format("evil", 1))
        with pytest.raises(CallFailed, match="407"):
            await call.wait_answered()
        assert (await it.peer.get()).method == "ACK"
        await it.peer.silence()

    scene(check)


def test_password_opens_the_door_of_an_endpoint():
    secret = TrunkAdmission("secret", users={"alice": Ha1.of("alice", "opensip.test", "pw")})
    users = []

    async def answer(call):
        users.append(call.user)
        session = await call.answer(Words())
        await session.wait_ended()

    async def main():
        link = Link()
        door = endpoint(answer, link=link, port=5060, doors=admission(secret))
        us = endpoint(link=link, port=5070)
        await door.start()
        await us.start()
        wrong = Credentials("alice", "wrong", frozenset({"opensip.test"}))
        call = await us.dial(uri_of(door), from_=CALLER, negotiator=Words(), credentials=wrong)
        with pytest.raises(CallFailed, match="401"):
            await call.wait_answered()
        call = await us.dial(uri_of(door), from_=CALLER, negotiator=Words(), credentials=OURS)
        session = await call.wait_answered()
        assert users == ["alice"]
        await session.bye()
        await us.close()
        await door.close()

    run(main)
