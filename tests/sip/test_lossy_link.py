"""Whole calls over a link that loses datagrams, both ends driven by our layer and usages."""

import pytest

from opensip.sip.invite_attempt import Established, Ringing
from opensip.sip.invite_events import (
    Acknowledged,
    Ended,
    OfferReceived,
    Reinvited,
    ReinviteDue,
    ReinviteReceived,
    State,
    Updated,
    UpdateDue,
)
from opensip.sip.session_timer import SessionTimer
from tests.fakes.link import Link, lossy, pattern, perfect
from tests.fakes.sip_agent import CAPABILITIES, pair

CALLS = 200


def ring_and_answer(agent):
    """What the called end does with each INVITE: 100, 180, 200 after two seconds."""

    def ring(usage, request):
        usage.provisional(100, now=0)
        usage.provisional(180, now=0)
        agent.at(
            agent.now + 2,
            lambda: usage.answer(b"answer", headers=CAPABILITIES, now=agent.now),
        )

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


def talk(*, a_to_b=None, b_to_a=None, **options):
    """Set one call up, answered after two seconds; give both ends and both usages."""
    alice, bob = pair(**options)
    bob.on_invite = ring_and_answer(bob)
    attempt = alice.call()
    link = Link(alice, bob, a_to_b=a_to_b or perfect(), b_to_a=b_to_a or perfect())
    link.run(10)
    (theirs,) = bob.usages.values()
    return alice, bob, link, attempt.usage, theirs


def answer_and_repeat(agent):
    """Answer each re-INVITE at once, and repeat our own when it is due."""

    def on_event(usage, event):
        match event:
            case ReinviteReceived():
                usage.answer(b"answer", now=agent.now)
            case ReinviteDue():
                usage.reinvite(b"offer", now=agent.now)

    agent.on_event = on_event


@pytest.mark.parametrize("seed", range(5))
def test_when_both_change_the_session_at_once_both_get_their_way(seed):
    alice, bob, link, ours, theirs = talk(a_seed=seed, b_seed=seed)
    answer_and_repeat(alice), answer_and_repeat(bob)
    for agent, usage in ((alice, ours), (bob, theirs)):
        agent.at(20, lambda a=agent, u=usage: u.reinvite(b"offer", now=a.now))
    link.run(40)
    assert sum(b" 491 " in data for _, _, data, _ in link.journal) >= 2
    for agent in (alice, bob):
        (when,) = [at for at, _, e in agent.events if isinstance(e, Reinvited)]
        low, high = (22.1, 24.1) if agent is alice else (20.0, 22.1)
        assert low <= when <= high
        assert not any(isinstance(e, Ended) for _, _, e in agent.events)
    assert ours.state is theirs.state is State.ESTABLISHED


@pytest.mark.parametrize("cancel_at", [0.0, 0.005, 0.02, 1.0, 1.995, 2.0, 2.005, 2.015, 2.02])
@pytest.mark.parametrize("seed", [None, 1, 2, 3])
def test_a_cancel_at_any_time_leaves_nothing(cancel_at, seed):
    alice, bob = pair()
    bob.on_invite = ring_and_answer(bob)
    attempt = alice.call()
    fates = (
        [perfect(), perfect()] if seed is None else [lossy(seed, drop=0.3), lossy(-seed, drop=0.3)]
    )
    alice.at(cancel_at, attempt.cancel)
    link = Link(alice, bob, a_to_b=fates[0], b_to_a=fates[1])
    link.run(200)
    told = [e for e in alice.of(attempt) if not isinstance(e, Ringing)]
    if isinstance(told[0], Established):
        assert cancel_at >= 2.01
        told[0].usage.bye()
        link.run(400)
    else:
        assert [e.status for e in told] == [487]
    assert alice.usages == bob.usages == {}
    assert alice.layer.counts() == bob.layer.counts() == {"server": 0, "client": 0}


@pytest.mark.parametrize("seed", range(10))
def test_a_refer_is_followed_over_a_lossy_link(seed):
    fates = {"a_to_b": lossy(seed, drop=0.1), "b_to_a": lossy(seed + 99, drop=0.1)}
    alice, bob, link, ours, _ = talk(**fates)
    sender = alice.refer(ours, "<sip:desk@192.0.2.3>")
    bob.at(15, lambda: bob.receivers[0].notify(180))
    bob.at(25, lambda: bob.receivers[0].notify(200))
    link.run(100)
    told = [(e.way, e.status, e.final) for e in alice.of(sender)]
    assert ("refer", 202, False) in told
    assert told[-1] == ("notify", 200, True)
    assert ours.state is State.ESTABLISHED


def test_bye_before_the_last_notify_is_success():
    alice, bob, link, ours, theirs = talk()
    sender = alice.refer(ours, "<sip:desk@192.0.2.3>")
    bob.at(15, theirs.bye)
    link.run(100)
    assert [e.way for e in alice.of(sender)] == ["refer", "notify", "bye"]


def test_a_peer_that_goes_silent_after_the_202():
    alice, _, link, ours, _ = talk()
    sender = alice.refer(ours, "<sip:desk@192.0.2.3>")
    link.run(100)
    last = alice.of(sender)[-1]
    assert (last.way, last.status, last.final) == ("notify", 0, True)


def test_a_peer_that_vanishes_costs_64_t1():
    alice, bob, _, ours, _ = talk()
    deaf = Link(alice, bob, a_to_b=lossy(0, drop=1), b_to_a=lossy(0, drop=1))
    alice.at(20, ours.bye)
    deaf.run(51.9)
    assert ours.state is State.ENDING
    deaf.run(52)
    assert ours.state is State.ENDED
    assert alice.layer.counts() == {"server": 0, "client": 0}


RELIABLE = (("Supported", "100rel, timer"), ("Allow", "INVITE, UPDATE, PRACK"))


def ring_reliably(agent):
    """What the called end does: 183 with an answer that is acknowledged, 200 after two seconds."""

    def ring(usage, request):
        usage.provisional(100, now=agent.now)
        usage.provisional(183, body=b"answer", reliable=True, now=agent.now)
        agent.at(agent.now + 2, lambda: usage.answer(b"answer", now=agent.now))

    return ring


@pytest.mark.parametrize("seed", range(10))
def test_reliable_responses_arrive_once_and_in_order_whatever_is_lost(seed):
    alice, bob = pair(a_seed=seed)
    bob.on_invite = ring_reliably(bob)
    attempts = []
    a_to_b, b_to_a = (lossy(2 * seed + n, drop=0.15, double=0.1) for n in (0, 1))
    link = Link(alice, bob, a_to_b=a_to_b, b_to_a=b_to_a)
    for index in range(20):
        alice.at(index * 0.1, lambda: attempts.append(alice.call(headers=RELIABLE)))
    link.run(30)
    for attempt in attempts:
        ringing = [e for e in alice.of(attempt) if isinstance(e, Ringing)]
        assert len(ringing) == 1, "sent again, but told once"
        (established,) = [e for e in alice.of(attempt) if isinstance(e, Established)]
        assert established.body == b"answer"
    assert link.lost > 0
    assert bob.refused == []


def answer_updates(agent):
    """Let an agent answer each UPDATE with the offer's words."""

    def on_event(usage, event):
        if isinstance(event, OfferReceived):
            usage.answer_offer(b"answer to " + event.offer, now=agent.now)

    return on_event


def test_both_ends_update_at_once_and_both_come_through():
    alice, bob = pair()
    bob.on_invite = ring_and_answer(bob)
    wanted = {}

    def on_event(agent, offer):
        answer = answer_updates(agent)

        def take(usage, event):
            answer(usage, event)
            if isinstance(event, Established):
                wanted["alice"] = event.usage
            elif isinstance(event, UpdateDue):
                usage.update(offer, now=agent.now)

        return take

    alice.on_event, bob.on_event = on_event(alice, b"a"), on_event(bob, b"b")
    alice.at(0, lambda: alice.call(headers=RELIABLE))
    alice.at(5, lambda: wanted["alice"].update(b"a", now=5))
    bob.at(5, lambda: next(iter(bob.usages.values())).update(b"b", now=5))
    link = Link(alice, bob, a_to_b=perfect(), b_to_a=perfect())
    link.run(20)
    for agent, answer in ((alice, b"answer to a"), (bob, b"answer to b")):
        (updated,) = [e for _, _, e in agent.events if isinstance(e, Updated)]
        assert updated.body == answer
    collided = [data for _, _, data, _ in link.journal if data.startswith(b"SIP/2.0 491")]
    assert len(collided) == 2


def test_a_call_is_refreshed_as_long_as_both_are_there_and_ends_when_one_is_gone():
    alice, bob = pair()
    bob.on_invite = ring_and_answer(bob)
    gone = []
    link = Link(
        alice,
        bob,
        a_to_b=lambda n, data: () if gone else (0.01,),
        b_to_a=lambda n, data: () if gone else (0.01,),
    )
    timer = SessionTimer(interval=90)
    alice.at(0, lambda: alice.call(headers=RELIABLE, timer=timer))
    alice.at(200, lambda: gone.append(True))
    link.run(199)
    updates = [at for at, _, data, _ in link.journal if data.startswith(b"UPDATE")]
    assert len(updates) == 4
    assert alice.usages
    assert bob.usages
    link.run(400)
    ended = [e for a in (alice, bob) for _, _, e in a.events if isinstance(e, Ended)]
    assert [e.cause for e in ended] == ["session expired", "session expired"]
    assert alice.usages == bob.usages == {}
