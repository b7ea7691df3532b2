import asyncio

import pytest

from opensip.media.dtls import DtlsCertificate
from opensip.media.engine import Beside
from opensip.media.keying import HELLOS, PATIENCE
from opensip.sdp.fingerprint import Fingerprint
from tests.fakes.keyed_sides import (
    ELSEWHERE,
    ONE,
    TWO,
    Side,
    carry,
    keyed_pair,
    run,
)


def test_two_sides_come_to_keys_and_stop_their_clocks():
    async def main():
        one, two = await keyed_pair()
        assert one.keying.keys.transmit == two.keying.keys.receive
        assert (one.notes, two.notes) == (1, 1)
        await asyncio.sleep(2 * PATIENCE)
        assert one.failures == two.failures == []

    run(main)


def test_a_hello_is_said_again_soon_while_nobody_answers():
    async def main():
        one, two = Side(ONE), Side(TWO)
        one.agree(two, "active")
        [(first, to)] = one.take()
        assert to == TWO
        await asyncio.sleep(sum(HELLOS) + 0.01)
        assert [data for data, _ in one.take()] == [first] * len(HELLOS)
        one.keying.close()

    run(main)


def test_nobody_answers_at_all():
    async def main():
        one, two = Side(ONE), Side(TWO)
        one.agree(two, "active")
        await asyncio.sleep(PATIENCE + 1)
        assert one.failures == ["no keys by DTLS within 15 s"]
        before = len(one.sent)
        await asyncio.sleep(PATIENCE)
        assert len(one.sent) == before

    run(main)


def test_a_hello_from_elsewhere_is_dropped():
    async def main():
        one, two = Side(ONE), Side(TWO)
        two.agree(one, "passive")
        attacker = Side(ELSEWHERE)
        attacker.agree(two, "active")
        for data, _ in attacker.take() * 100:
            two.keying.receive(Beside(data, ELSEWHERE))
            two.keying.receive(Beside(data[:-3], ONE))
            two.keying.receive(Beside(b"\x01" + data, ELSEWHERE))
        assert two.take() == []
        assert two.keying.statistics() == {
            "dropped_dtls_source": 100, "dropped_dtls_malformed": 100, "dropped_stun_unasked": 100,
        }  # fmt: skip
        one.agree(two, "active")
        carry(one, two)
        assert two.keying.keys is not None
        attacker.keying.close()

    run(main)


def test_another_certificate_than_the_sdp_says_is_the_end():
    async def main():
        one, two = await keyed_pair(fingerprint=Fingerprint("sha-256", bytes(32)))
        assert two.failures == ["the peer's certificate has another fingerprint than its SDP says"]
        assert (one.keying.keys, two.keying.keys) == (None, None)
        one.keying.close()

    run(main)


@pytest.mark.parametrize("data", [b"\x80", b"\x16", b"\x16" * 40])
def test_before_anything_is_agreed_nothing_is_taken(data):
    async def main():
        one = Side(ONE)
        one.keying.receive(Beside(data, TWO))
        assert one.keying.statistics() == {"dropped_early": 1}

    run(main)


def test_each_call_has_a_certificate_of_its_own():
    assert DtlsCertificate().fingerprint != DtlsCertificate().fingerprint


def test_a_hello_before_the_answer_is_answered_once_it_is_known_whose_it_is():
    async def main():
        one, two = Side(ONE), Side(TWO)
        one.agree(two, "active")
        [(hello, _)] = one.take()
        two.keying.receive(Beside(hello, ELSEWHERE))
        for _ in range(4):
            two.keying.receive(Beside(hello, ONE))
        assert two.take() == []
        two.agree(one, "passive")
        assert two.keying.statistics()["dropped_early"] == 1
        assert two.keying.statistics()["dropped_dtls_source"] == 1
        carry(one, two)
        assert two.keying.keys.transmit == one.keying.keys.receive

    run(main)


def test_a_copy_of_the_first_hello_begins_nothing_anew():
    async def main():
        one, two = Side(ONE), Side(TWO)
        two.agree(one, "passive")
        one.agree(two, "active")
        [(hello, _)] = one.take()
        two.keying.receive(Beside(hello, ONE))
        carry(one, two)
        keys = two.keying.keys
        two.keying.receive(Beside(hello, ONE))
        assert two.take() == []
        assert two.keying.keys == keys
        assert two.keying.statistics()["dropped_dtls_repeated"] == 1

    run(main)


def test_who_comes_to_its_keys_otherwise_forgets_those_of_dtls():
    async def main():
        one, _ = await keyed_pair()
        one.keying.forget()
        assert one.keying.keys is None

    run(main)
