import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.media.media_clock import MediaClock


@given(st.integers(0, 2**32 - 1), st.lists(st.floats(0, 0.1), min_size=2, max_size=60))
def test_times_rise_and_are_never_after_the_packet(start, delays):
    clock, times = MediaClock(8000), []
    for n, delay in enumerate(delays):
        now = 5 + n * 0.02 + delay
        times.append(clock.time_of((start + 160 * n) % 2**32, now=now))
        assert times[-1] <= now + 1e-9
        assert times[-1] >= now - 0.1 - 1e-9


def test_jitter_is_taken_out():
    clock = MediaClock(8000)
    times = [clock.time_of(160 * n, now=n * 0.02 + (0.03 if n % 3 else 0.0)) for n in range(50)]
    steps = [b - a for a, b in itertools.pairwise(times)]
    assert all(step == pytest.approx(0.02, abs=1e-4) for step in steps)


def test_packets_in_a_burst_keep_their_distance():
    clock = MediaClock(8000)
    for n in range(10):
        clock.time_of(160 * n, now=n * 0.02)
    burst = [clock.time_of(160 * n, now=0.5) for n in range(10, 20)]
    assert burst[0] == pytest.approx(0.2, abs=0.001)
    assert burst[-1] - burst[0] == pytest.approx(0.18, abs=0.003)


def test_a_sender_that_counts_anew_is_followed():
    clock = MediaClock(8000)
    clock.time_of(0, now=1.0)
    assert clock.time_of(0x7000_0000, now=1.02) == pytest.approx(1.02)
    assert clock.time_of(0x7000_0000 + 160, now=1.04) == pytest.approx(1.04)


def test_a_lasting_delay_is_taken_all_at_once():
    for longer, taken in ((0.05, 450), (0.3, 300)):  # one that is far off is taken sooner
        clock, offsets = MediaClock(8000), []
        for n in range(750):  # 15 s; from 5 s on the path is longer, and jitters
            delay = (longer if n >= 250 else 0.0) + (0.0, 0.007, 0.003)[(n - 250) % 3]
            time = clock.time_of(160 * n, now=n * 0.02 + delay)
            offsets.append(round(time - n * 0.02, 3))
        assert set(offsets[2 : taken - 5]) == {0.0}
        assert set(offsets[taken:]) == {longer}
        assert len(set(offsets[2:])) == 2


def test_a_drifting_clock_is_followed_to_two_milliseconds():
    clock = MediaClock(8000)
    for n in range(3000):
        now = n * 0.02 * (1 + 200e-6)
        assert now - 0.002 <= clock.time_of(160 * n, now=now) <= now


def test_the_place_of_a_late_packet_teaches_nothing():
    clock = MediaClock(8000)
    assert clock.place_of(160) is None
    clock.time_of(0xFFFFFF60, now=1.0)
    clock.time_of(320, now=1.06)
    assert clock.place_of(160) == pytest.approx(1.04, abs=1e-3)
    assert clock.time_of(480, now=1.08) == pytest.approx(1.08, abs=1e-3)
