"""Whole calls over a link that loses datagrams, both ends driven by our layer and usages."""

import pytest

from opensip.sip.invite_attempt import Established
from opensip.sip.invite_events import Acknowledged, Ended, State
from tests.fakes.link import Link, lossy, pattern, perfect
from tests.fakes.sip_agent import pair

CALLS = 200


def ring_and_answer(agent):
    """What the called end does with each INVITE: 100, 180, 200 after two seconds."""

    def ring(usage, request):
        usage.provisional(100)
        usage.provisional(180)
        agent.at(agent.now + 2, lambda: usage.answer(b"answer", now=agent.now))

    return ring


def run_calls(calls, a_to_b, b_to_a, *, until, gap=0.05):
    alice, bob = pair()
    bob.on_invite = ring_and_answer(bob)
    attempts = []

    def hang_up(attempt, index):
        # every other call is ended by the called end
        ended = alice.of(attempt)[-1].usage
        if index % 2 == 0:
            ended.bye()
            return
        call_id = ended.dialog.id.call_id
        bob.at(bob.now, lambda: next(u for i, u in bob.usages.items() if i[0] == call_id).bye())

    def on_event(usage, event):
        if isinstance(event, Established):
            alice.at(alice.now + 5, lambda: hang_up(usage, attempts.index(usage)))

    alice.on_event = on_event
    link = Link(alice, bob, a_to_b=a_to_b, b_to_a=b_to_a)
    for index in range(calls):
        alice.at(index * gap, lambda: attempts.append(alice.call()))
    link.run(until)
    return alice, bob, link, attempts


def assert_clean(alice, bob, attempts):
    established = [e for _, _, e in alice.events if isinstance(e, Established)]
    assert len(established) == len(attempts)
    assert all(e.usage.state is State.ENDED for e in established)
    assert sorted(e.by for _, _, e in bob.events if isinstance(e, Ended)) == sorted(
        ["local", "remote"] * (len(attempts) // 2)
    )
    assert sorted(e.by for _, _, e in alice.events if isinstance(e, Ended)) == sorted(
        ["local", "remote"] * (len(attempts) // 2)
    )
    assert alice.usages == bob.usages == {}
    assert alice.layer.counts() == bob.layer.counts() == {"server": 0, "client": 0}
    assert alice.layer.get_timer() is bob.layer.get_timer() is None
    assert alice.refused == bob.refused == []


def test_a_perfect_link_needs_each_message_once():
    alice, bob, link, attempts = run_calls(2, perfect(), perfect(), until=60)
    assert_clean(alice, bob, attempts)
    # INVITE, 100, 180, 200, ACK, BYE, 200
    assert len(link.journal) == 2 * 7


@pytest.mark.timeout(60)
@pytest.mark.parametrize("seed", [1, 2])
def test_200_of_200_calls_with_one_datagram_in_ten_lost_each_way(seed):
    alice, bob, link, attempts = run_calls(
        CALLS, lossy(seed, drop=0.1), lossy(-seed, drop=0.1), until=200
    )
    assert len(attempts) == CALLS
    assert 0.05 < link.lost / len(link.journal) < 0.15
    assert_clean(alice, bob, attempts)


def test_doubled_and_overtaking_datagrams_change_nothing():
    fates = [lossy(seed, drop=0.1, double=0.3, delay=(0.01, 0.8)) for seed in (3, 4)]
    alice, bob, _, attempts = run_calls(20, *fates, until=200)
    assert_clean(alice, bob, attempts)


def test_a_lost_ack_is_sent_again_for_each_2xx():
    # of what alice sends (INVITE, ACK, ACK, …) two ACKs are lost
    alice, bob, link, attempts = run_calls(2, pattern("..xxxx"), perfect(), until=100)
    assert_clean(alice, bob, attempts)
    assert len([e for _, _, e in bob.events if isinstance(e, Acknowledged)]) == 2
    acks = [d for _, side, d, _ in link.journal if side == 0 and d.startswith(b"ACK")]
    assert len(acks) == 6
