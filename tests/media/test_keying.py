import asyncio
from dataclasses import replace

import pytest

from opensip.media.dtls import DtlsCertificate, DtlsHandshake
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
FINISHED = b"\x16\xfe\xfd\x00\x01" + bytes(6) + b"\x00\x01\x14"  # of epoch 1


class Side:
    """One keying, which knows where the other is."""

    def __init__(self, address):
        self.address, self.sent, self.notes, self.failures = address, [], 0, []
        self.drawn = 0
        self.keying = Keying(
            send=lambda data, to: self.sent.append((data, to)),
            keyed=self.note, failed=self.failures.append, random=self.random,
        )  # fmt: skip

    def note(self):
        self.notes += 1

    def random(self, count):
        self.drawn += 1
        return bytes([self.drawn]) * count

    def agree(self, other, role, **how):
        self.keying.agree(agreement(other, role, **how), other.address)

    def renew(self, other, ice, *, role="active", **how):
        return self.keying.renew(agreement(other, role, ice=ice, **how))

    def take(self):
        sent, self.sent = self.sent, []
        return sent


def agreement(other, role, *, fingerprint=None, ice=None, tls_id=""):
    """What is agreed on with the other side."""
    peer = DtlsPeer((fingerprint or other.keying.own.fingerprint,), role, tls_id)
    return Negotiated(
        b"", other.address, other.address, PCMU, 0, None, ((0, PCMU),), 20, "sendrecv", False,
        dtls=peer, mux=True, ice=ice,
    )  # fmt: skip


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


def test_who_comes_to_its_keys_otherwise_forgets_those_of_dtls():
    async def main():
        one, _ = await keyed_pair()
        one.keying.forget()
        assert one.keying.keys is None

    run(main)
