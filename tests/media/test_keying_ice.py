"""Keys by DTLS behind ICE: the handshake follows the checks; a restart changes credentials."""

import asyncio
from dataclasses import replace

from opensip.media.engine import Beside
from opensip.media.keying import PATIENCE
from opensip.rtp.stun import BINDING_REQUEST, USE_CANDIDATE, USERNAME, StunMessage
from tests.fakes.keyed_sides import (
    ELSEWHERE,
    ICE,
    ONE,
    TWO,
    Side,
    carry,
    keyed_pair,
    run,
)


def check(own, key=None):
    user = (USERNAME, f"{own.ufrag}:them".encode())
    message = StunMessage(BINDING_REQUEST, bytes(12), (user,))
    return message.to_bytes((key or own.password).encode())


def test_behind_ice_the_handshake_waits_for_a_check_and_follows_it():
    async def main():
        one, two = Side(ONE), Side(TWO)
        one.agree(two, "active", ice=ICE)
        assert one.take() == []
        assert one.keying.remote is None
        own = one.keying.own
        one.keying.receive(Beside(check(own, "wrong"), ELSEWHERE))
        assert one.take() == []
        one.keying.receive(Beside(check(own), ELSEWHERE))
        (answer, back), (hello, to) = one.take()
        assert back == to == ELSEWHERE == one.keying.remote
        assert StunMessage.parse(answer).kind == 0x101
        two.address = ELSEWHERE
        two.agree(one, "passive")
        two.keying.receive(Beside(hello, ONE))
        carry(one, two)
        assert one.keying.keys is not None
        one.keying.close()
        two.keying.close()

    run(main)


def test_no_check_proves_itself():
    async def main():
        one, two = Side(ONE), Side(TWO)
        one.agree(two, "active", ice=ICE)
        await asyncio.sleep(PATIENCE + 1)
        assert one.failures == ["no keys by DTLS within 15 s: no ICE check proved itself"]

    run(main)


def test_two_that_wait_for_checks_use_what_their_sdp_says():
    async def main():
        one, two = Side(ONE), Side(TWO)
        one.agree(two, "active", ice=replace(ICE, lite=True))
        assert one.keying.remote == TWO
        one.keying.close()

    run(main)


def test_while_ice_restarts_the_old_place_is_good():
    async def main():
        one, two = Side(ONE), Side(TWO)
        one.agree(two, "active", ice=ICE)
        for ufrag, place in (("them", TWO), ("anew", ELSEWHERE)):
            one.agree(two, "active", ice=replace(ICE, ufrag=ufrag))
            assert one.keying.remote == (None if ufrag == "them" else TWO)
            assert ask(one, ufrag, place)
            assert one.keying.remote == place
        one.keying.close()

    run(main)


def ask(one, ufrag, place, *, own=None, key=None, nominate=True):
    """Let the peer that is called `ufrag` check a place; tells whether that was answered."""
    own = own or one.keying.own
    user = (USERNAME, f"{own.ufrag}:{ufrag}".encode())
    chosen = ((USE_CANDIDATE, b""),) if nominate else ()
    message = StunMessage(BINDING_REQUEST, bytes(12), (user, *chosen))
    one.keying.receive(Beside(message.to_bytes(own.password.encode()), place))
    return any(to == place and StunMessage.parse(data).kind == 0x101 for data, to in one.take())


def test_a_restart_of_ice_wants_other_credentials_and_the_old_ones_go_on_until_it_is_over():
    async def main():
        one, two = await keyed_pair()
        keys = one.keying.keys
        one.agree(two, "active", ice=ICE)
        first = one.keying.own
        assert ask(one, "them", TWO)
        anew = replace(ICE, ufrag="anew", password="r" * 22)
        assert one.renew(two, ICE) is False
        assert one.renew(two, anew) is True
        second = one.keying.own
        assert not {first.ufrag, first.password} & {second.ufrag, second.password}
        one.agree(two, "active", ice=anew)
        assert ask(one, "them", TWO, own=first)
        assert ask(one, "anew", ELSEWHERE, nominate=False)
        assert one.keying.remote == TWO
        assert ask(one, "anew", ELSEWHERE)
        assert one.keying.remote == ELSEWHERE
        assert not ask(one, "them", TWO, own=first)
        assert one.keying.keys == keys
        one.keying.close()

    run(main)


def test_who_restarts_before_it_nominated_is_met_at_its_old_place_too():
    async def main():
        one, two = Side(ONE), Side(TWO)
        one.agree(two, "active", ice=ICE)
        assert ask(one, "them", TWO, nominate=False)
        first = one.keying.own
        for ufrag in ("anew", "again"):
            ice = replace(ICE, ufrag=ufrag)
            assert one.renew(two, ice)
            one.agree(two, "active", ice=ice)
        assert one.keying.remote == TWO
        assert ask(one, "them", TWO, own=first)
        one.keying.close()

    run(main)
