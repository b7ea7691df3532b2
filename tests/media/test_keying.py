import asyncio
from dataclasses import replace

import pytest

from opensip.media.dtls import DtlsCertificate
from opensip.media.engine import Beside
from opensip.media.keying import HELLOS, PATIENCE, Keying
from opensip.rtp.payload import PCMU
from opensip.rtp.stun import BINDING_REQUEST, USE_CANDIDATE, USERNAME, StunMessage
from opensip.sdp.fingerprint import DtlsPeer, Fingerprint
from opensip.sdp.ice import IcePeer
from opensip.sdp.offer_answer import Negotiated
from tests.fakes.virtual_time_loop import VirtualTimeLoop

ONE, TWO, ELSEWHERE = ("192.0.2.1", 4000), ("192.0.2.2", 5000), ("192.0.2.66", 6000)
ICE = IcePeer("them", "q" * 22)


class Side:
    """One keying, which knows where the other is."""

    def __init__(self, address):
        self.address, self.sent, self.notes, self.failures = address, [], 0, []
        self.keying = Keying(
            send=lambda data, to: self.sent.append((data, to)),
            keyed=self.note, failed=self.failures.append, random=lambda n: bytes(range(n)),
        )  # fmt: skip

    def note(self):
        self.notes += 1

    def agree(self, other, role, *, fingerprint=None, ice=None):
        peer = DtlsPeer((fingerprint or other.keying.own.fingerprint,), role)
        agreed = Negotiated(
            b"", other.address, other.address, PCMU, 0, None, ((0, PCMU),), 20, "sendrecv", False,
            dtls=peer, mux=True, ice=ice,
        )  # fmt: skip
        self.keying.agree(agreed, other.address)

    def take(self):
        sent, self.sent = self.sent, []
        return sent


def carry(one, other):
    """Let both exchange all that they send."""
    while some := [(o, d, s) for s, o in ((one, other), (other, one)) for d, _ in s.take()]:
        for to, data, sender in some:
            to.keying.receive(Beside(data, sender.address))


def run(main):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


async def keyed_pair(**how):
    one, two = Side(ONE), Side(TWO)
    two.agree(one, "passive", **how)
    one.agree(two, "active")
    carry(one, two)
    return one, two


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


def test_while_ice_restarts_the_old_place_is_good():
    async def main():
        one, two = Side(ONE), Side(TWO)
        one.agree(two, "active", ice=ICE)
        for ufrag, place in (("them", TWO), ("anew", ELSEWHERE)):
            one.agree(two, "active", ice=replace(ICE, ufrag=ufrag))
            assert one.keying.remote == (None if ufrag == "them" else TWO)
            user = (USERNAME, f"{one.keying.own.ufrag}:{ufrag}".encode())
            message = StunMessage(BINDING_REQUEST, bytes(12), (user, (USE_CANDIDATE, b"")))
            check = message.to_bytes(one.keying.own.password.encode())
            one.keying.receive(Beside(check, place))
            assert one.keying.remote == place
        one.keying.close()

    run(main)
