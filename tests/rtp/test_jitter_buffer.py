import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.rtp.jitter_buffer import (
    CONCEAL,
    MAX_CONCEALED,
    MAX_DEPTH,
    MIN_DEPTH,
    WAIT,
    Conceal,
    JitterBuffer,
    Play,
)

FIRST_SEQUENCE, FIRST_TIMESTAMP = 65500, 0xFFFFF000  # both wrap on the way


def arrivals(count, *, loss=0.0, jitter=0.0, drift=0.0, seed=1):
    """List (time, number) of the packets that come, in order of time."""
    rolls = random.Random(seed)
    sent = [(n * 0.02 * (1 + drift) + rolls.random() * jitter, n) for n in range(count)]
    return sorted(packet for packet in sent if rolls.random() >= loss)


def put(buffer, number, now, payload=None):
    sequence = FIRST_SEQUENCE + number & 0xFFFF
    timestamp = FIRST_TIMESTAMP + 160 * number & 0xFFFFFFFF
    buffer.put(sequence, timestamp, payload or bytes([number % 256]) * 160, now=now)


def play(buffer, packets, *, until=None, start=0.005):
    """Run the ticks; list (time, decision)."""
    waiting, decisions = list(packets), []
    end = until or waiting[-1][0] + 0.3
    for n in range(int((end - start) / 0.02)):
        now = start + n * 0.02
        while waiting and waiting[0][0] <= now:
            at, number = waiting.pop(0)
            put(buffer, number, at)
        decisions.append((now, buffer.tick(now=now)))
    return decisions


def plays(decisions):
    return [at for at, decision in decisions if isinstance(decision, Play)]


@pytest.mark.parametrize(
    ("loss", "jitter", "played", "first", "gap"),
    [(0, 0, 200, 0.05, 0.02), (0.03, 0, 194, 0.05, 0.06), (0.03, 0.03, 190, 0.10, 0.06)],
    ids=["no loss", "3 % loss", "3 % loss and 30 ms jitter"],
)
def test_a_loss_never_stalls(loss, jitter, played, first, gap):
    buffer = JitterBuffer()
    decisions = play(buffer, arrivals(200, loss=loss, jitter=jitter))
    times = plays(decisions)
    assert len(times) >= played - 2
    assert times[0] < first
    assert max(b - a for a, b in itertools.pairwise(times)) < gap + 0.001
    between = [d for at, d in decisions if times[0] <= at <= times[-1]]
    assert WAIT not in between


def test_what_is_played_is_what_was_sent_in_order():
    decisions = play(JitterBuffer(), arrivals(200, jitter=0.015))
    heard = [d.payload[0] for _, d in decisions if isinstance(d, Play)]
    assert heard == list(range(200))


def test_jitter_makes_it_deeper_and_calm_shallower_again():
    buffer = JitterBuffer()
    play(buffer, arrivals(200, jitter=0.08))
    assert 0.07 < buffer.depth <= MAX_DEPTH
    play(buffer, [(10 + at, 500 + n) for at, n in arrivals(200)], start=10.005)
    assert buffer.depth == pytest.approx(MIN_DEPTH)


@pytest.mark.parametrize("phase", [0.0, 0.004, 0.006, 0.019])
def test_without_jitter_nothing_waits_longer_than_a_frame_and_a_margin(phase):
    buffer = JitterBuffer()
    decisions = play(buffer, arrivals(500), start=phase)
    assert all(at - n * 0.02 < 0.0221 for n, at in enumerate(plays(decisions)))
    assert (buffer.counts.late, buffer.counts.concealed) == (0, MAX_CONCEALED)
    assert 0.02 <= buffer.depth <= 0.04


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("spread", ["even", "normal"])
def test_jitter_of_40_ms_and_20_makes_one_frame_in_a_hundred_late_at_most(spread, seed):
    rolls, buffer = random.Random(seed), JitterBuffer()
    delay = {
        "even": lambda: rolls.uniform(0.02, 0.06),
        "normal": lambda: max(0.0, rolls.gauss(0.04, 0.02)),
    }[spread]
    play(buffer, sorted((n * 0.02 + delay(), n) for n in range(3000)), start=0.004 * seed)
    assert buffer.counts.late <= 30


def test_another_source_is_waited_for_anew_and_what_waits_may_be_recoded():
    buffer = JitterBuffer()
    put(buffer, 0, 0.0)
    buffer.recode(lambda payload: bytes([7]) * len(payload))
    assert buffer.tick(now=0.01) == Play(bytes([7]) * 160)
    buffer.forget()
    assert buffer.tick(now=0.03) == WAIT
    buffer.put(9, 0x80000000, bytes(160), now=0.03)
    assert buffer.tick(now=0.05) == Play(bytes(160))


@pytest.mark.parametrize("drift", [-0.001, 0.001])
def test_a_foreign_clock_costs_a_frame_now_and_then(drift):
    buffer = JitterBuffer()
    play(buffer, arrivals(3000, drift=drift, jitter=0.01))
    assert buffer.counts.played >= 2995
    assert buffer.counts.dropped + buffer.counts.concealed - MAX_CONCEALED <= 4 + 3


def test_a_pause_is_waited_out_and_then_primed_again():
    buffer = JitterBuffer()
    packets = [(n * 0.02, n) for n in range(20)] + [(2 + n * 0.02, 20 + n) for n in range(20)]
    decisions = play(buffer, packets)
    during = [d for at, d in decisions if 0.3 < at < 2.03]
    assert during.count(CONCEAL) == MAX_CONCEALED
    assert during.count(WAIT) > 60
    assert buffer.counts.played == 40


def test_a_gap_that_was_meant_is_silent():
    buffer = JitterBuffer()
    buffer.put(1, 0, bytes(160), now=0)
    buffer.put(2, 480, bytes(160), now=0.005)
    decisions = [buffer.tick(now=0.04 + n * 0.02) for n in range(4)]
    assert decisions == [Play(bytes(160)), WAIT, WAIT, Play(bytes(160))]


def test_duplicates_and_late_packets_are_counted():
    buffer = JitterBuffer()
    put(buffer, 0, 0.0)
    put(buffer, 0, 0.001)
    put(buffer, 2, 0.04)
    decisions = [buffer.tick(now=0.04 + n * 0.02) for n in range(3)]
    put(buffer, 1, 0.1)
    assert [isinstance(d, Conceal) for d in decisions] == [False, True, False]
    assert (buffer.counts.duplicate, buffer.counts.late) == (1, 1)


@pytest.mark.parametrize("milliseconds", [10, 20, 30, 40, 60])
def test_packets_of_any_multiple_of_10_ms(milliseconds):
    buffer, size = JitterBuffer(), milliseconds * 8
    packets = [bytes((n * size + i) // 80 % 256 for i in range(size)) for n in range(40)]
    heard = b""
    for number, payload in enumerate(packets):
        buffer.put(number, number * size, payload, now=number * milliseconds / 1000)
        while len(heard) // 8 + 20 < number * milliseconds:
            decision = buffer.tick(now=0.025 + len(heard) / 8000)
            assert isinstance(decision, Play)
            heard += decision.payload
    assert heard
    assert b"".join(packets).startswith(heard)


def test_half_a_frame_is_not_played():
    buffer = JitterBuffer()
    buffer.put(0, 0, bytes(240), now=0.0)
    buffer.put(2, 480, bytes(240), now=0.0)
    decisions = [buffer.tick(now=0.04 + n * 0.02) for n in range(3)]
    assert [isinstance(d, Play) for d in decisions] == [True, False, False]


def test_opaque_payloads_are_frames_of_their_own():
    buffer = JitterBuffer(48000, bytes_per_unit=None)
    for n in range(3):
        buffer.put(n, n * 960, b"opus%d" % n, now=n * 0.02)
    decisions = [buffer.tick(now=0.04 + n * 0.02) for n in range(3)]
    assert decisions == [Play(b"opus0"), Play(b"opus1"), Play(b"opus2")]


@pytest.mark.parametrize("payload", [b"", b"x" * 39])
def test_too_little_to_play_begins_nothing(payload):
    buffer = JitterBuffer()
    buffer.put(0, 0, payload, now=0.0)
    assert buffer.tick(now=1.0) == WAIT


def test_one_packet_from_far_away_is_dropped_and_two_begin_anew():
    buffer = JitterBuffer()
    for n in range(5):
        put(buffer, n, n * 0.02)
    assert isinstance(buffer.tick(now=0.08), Play)
    put(buffer, 100_000, 0.081)
    assert isinstance(buffer.tick(now=0.10), Play)
    assert buffer.counts.dropped == 1
    for n in range(100_000, 100_005):
        put(buffer, n, 0.1)
    assert buffer.tick(now=0.10) == WAIT
    assert buffer.tick(now=0.12) == Play(bytes([100_000 % 256]) * 160)


def test_after_a_pause_the_timestamp_may_have_jumped():
    buffer = JitterBuffer()
    put(buffer, 0, 0.0)
    play(buffer, [], until=0.5)
    put(buffer, 100_000, 1.0)
    assert isinstance(buffer.tick(now=1.04), Play)


@pytest.mark.parametrize(("late", "played"), [(0.03, 10), (0.07, 10), (0.2, 4)])
def test_what_comes_while_it_is_concealed_is_played_after_all(late, played):
    buffer = JitterBuffer()
    packets = [(n * 0.02 + (late if n >= 4 else 0), n) for n in range(10)]
    decisions = play(buffer, packets, start=0.01, until=0.46)
    assert buffer.counts.late == 0
    if late < 0.1:
        assert [d.payload[0] for _, d in decisions if isinstance(d, Play)] == list(range(played))
    else:  # a pause: it is waited for anew
        assert WAIT in [d for at, d in decisions if 0.15 < at < 0.28]


def test_nothing_comes_of_nothing():
    assert JitterBuffer().tick(now=0.0) == WAIT


@given(
    st.lists(
        st.tuples(
            st.integers(0, 0xFFFF),
            st.integers(0, 0xFFFFFFFF) | st.integers(0, 4000),
            st.binary(max_size=400),
            st.floats(0, 0.1),
        ),
        max_size=40,
    )
)
def test_whatever_comes_it_decides_and_stays_small(packets):
    buffer, now = JitterBuffer(), 0.0
    for sequence, timestamp, payload, step in packets:
        now += step
        buffer.put(sequence, timestamp, payload, now=now)
        decision = buffer.tick(now=now)
        assert not isinstance(decision, Play) or len(decision.payload) == 160
        assert MIN_DEPTH <= buffer.depth <= MAX_DEPTH
    for _ in range(130):
        now += 0.02
        buffer.tick(now=now)
    assert buffer.tick(now=now) == WAIT


def test_another_source_that_starts_lower_loses_nothing_at_its_talk_spurts():
    buffer = JitterBuffer()
    buffer.put(0, 1_000_000, bytes(160), now=0.0)
    buffer.forget()
    for spurt in range(3):
        for n in range(3):
            timestamp = 8000 * spurt + 160 * n
            buffer.put(3 * spurt + n, timestamp, bytes(160), now=1 + spurt)
        for n in range(20):
            buffer.tick(now=1.01 + spurt + 0.02 * n)
    assert (buffer.counts.played, buffer.counts.dropped) == (9, 0)


@pytest.mark.parametrize("phase", range(1, 20, 3))
@pytest.mark.parametrize("milliseconds", [15, 25, 30])
def test_packets_that_are_not_of_whole_ticks_are_heard_whole(milliseconds, phase):
    buffer, size = JitterBuffer(), milliseconds * 8
    sent = bytes(n // 40 % 256 for n in range(80 * size))
    heard, number = b"", 0
    for tick in range(80 * milliseconds // 20 - 5):
        now = 0.02 * tick + 0.001 * phase
        while number * milliseconds / 1000 <= now:
            payload = sent[number * size : (number + 1) * size]
            buffer.put(number, number * size, payload, now=number * milliseconds / 1000)
            number += 1
        if isinstance(decision := buffer.tick(now=now), Play):
            heard += decision.payload
    assert sent.startswith(heard)
    assert buffer.counts.concealed <= 1
    assert buffer.counts.played > 4 * milliseconds - 10


@pytest.mark.parametrize("jump", [1, 77, 4001, 7777])
def test_a_jump_that_is_no_multiple_of_a_block_is_followed(jump):
    buffer = JitterBuffer()
    for n in range(100):
        buffer.put(n, 160 * n + (jump if n >= 50 else 0), bytes(160), now=0.02 * n)
        buffer.tick(now=0.02 * n + 0.005)
    assert buffer.counts.played > 85
