"""An association that somebody begins anew: by the peer, by a stranger, by a later agreement."""

import asyncio

from opensip.media.dtls import DtlsHandshake
from opensip.media.engine import Beside
from opensip.media.keying import PATIENCE
from opensip.sdp.fingerprint import Fingerprint
from tests.fakes.keyed_sides import (
    ELSEWHERE,
    FINISHED,
    ONE,
    TWO,
    Side,
    carry,
    keyed_pair,
    run,
)


def test_a_stranger_who_begins_anew_does_not_cost_the_keys():
    async def main():
        one, two = await keyed_pair()
        keys = two.keying.keys
        stranger = Side(ONE)
        stranger.agree(two, "active")
        carry(stranger, two)
        assert two.keying.keys == keys
        assert two.failures == []
        assert two.keying.statistics()["dropped_dtls_refused"] == 1
        stranger.keying.close()
        one.keying.close()
        two.keying.close()

    run(main)


def test_the_peer_begins_anew_with_the_same_certificate():
    async def main():
        one, two = await keyed_pair()
        keys = two.keying.keys
        one.address = ELSEWHERE
        two.agree(one, "passive")
        two.address = ("192.0.2.2", 5002)
        one.agree(two, "active")
        assert two.keying.keys == keys
        carry(one, two)
        assert two.keying.keys != keys
        assert two.keying.keys.receive == one.keying.keys.transmit
        assert two.keying.own.role == "passive"

    run(main)


def test_a_later_agreement_changes_nothing_that_stays():
    async def main():
        one, two = await keyed_pair()
        keys = one.keying.keys
        one.agree(two, "active")
        assert one.take() == []
        assert one.keying.keys == keys

    run(main)


def test_an_association_stands_until_another_one_has_finished():
    async def main():
        one, two = await keyed_pair()
        keys = one.keying.keys
        other = Side(ELSEWHERE)
        one.agree(other, "active")
        assert (one.keying.keys, one.keying.remote) == (keys, TWO)
        other.agree(one, "passive")
        carry(one, other)
        assert one.keying.keys != keys
        assert one.keying.keys.transmit == other.keying.keys.receive
        assert one.keying.remote == ELSEWHERE
        assert one.notes == 2
        await asyncio.sleep(2 * PATIENCE)
        assert one.failures == []
        two.keying.close()

    run(main)


def test_another_association_that_never_comes_ends_the_call():
    async def main():
        one, two = await keyed_pair()
        one.agree(Side(ELSEWHERE), "active")
        await asyncio.sleep(PATIENCE - 1)
        assert one.keying.keys is not None
        await asyncio.sleep(2)
        assert one.failures == ["no keys by DTLS within 15 s"]
        assert one.keying.keys is None
        two.keying.close()

    run(main)


def test_another_association_with_a_wrong_certificate_is_the_end_too():
    async def main():
        one, two = await keyed_pair()
        other = Side(ELSEWHERE)
        one.agree(other, "active", fingerprint=Fingerprint("sha-256", bytes(32)))
        other.agree(one, "passive")
        carry(one, other)
        assert one.failures == ["the peer's certificate has another fingerprint than its SDP says"]
        for side in (two, other):
            side.keying.close()

    run(main)


def test_another_name_is_another_association_and_gets_another_name():
    async def main():
        one, two = Side(ONE), Side(TWO)
        one.agree(two, "active", tls_id="a" * 20)
        two.agree(one, "passive")
        carry(one, two)
        keys, name = one.keying.keys, one.keying.own.tls_id
        one.agree(two, "active")  # not named any more: the same
        one.agree(two, "active", tls_id="a" * 20)
        assert not one.renew(two, None, tls_id="a" * 20)
        assert one.take() == []
        assert one.renew(two, None, tls_id="b" * 20)
        assert one.keying.own.tls_id != name
        one.agree(two, "active", tls_id="b" * 20)
        two.keying.receive(Beside(one.take()[0][0], ONE))
        carry(one, two)
        assert one.keying.keys.transmit == two.keying.keys.receive != keys.transmit

    run(main)


def test_the_association_that_stands_hears_the_peer_though_somebody_begins_anew(monkeypatch):
    """A peer that lost our last flight asks for it again; OpenSSL's own clock is not virtual."""

    async def main():
        _, two = await keyed_pair()
        stranger = Side(ONE)
        stranger.agree(two, "active")
        two.keying.receive(Beside(stranger.take()[0][0], ONE))
        heard = []
        monkeypatch.setattr(DtlsHandshake, "receive", lambda self, data: heard.append(self.keys))
        two.keying.receive(Beside(FINISHED, ONE))
        assert heard == [two.keying.keys, None]
        two.keying.close()
        stranger.keying.close()

    run(main)
