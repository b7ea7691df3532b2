import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.rtp.rtcp import ntp_time
from opensip.rtp.statistics import SourceStatistics


def receive(statistics, *numbers, late=0.0):
    for n in numbers:
        timestamp = 160 * n & 0xFFFFFFFF
        statistics.receive(n & 0xFFFF, timestamp, arrival=n * 0.02 + late)


def test_nothing_received():
    statistics = SourceStatistics(8000)
    assert (statistics.expected, statistics.lost) == (0, 0)
    assert statistics.report_block(1, now=0).fraction_lost == 0


def test_an_even_stream_has_no_jitter_and_no_loss():
    statistics = SourceStatistics(8000)
    receive(statistics, *range(65500, 65600))
    assert (statistics.received, statistics.lost) == (100, 0)
    assert statistics.extended_highest == 65599
    assert statistics.jitter < 1e-6


def test_loss_is_counted_in_all_and_since_the_last_report():
    statistics = SourceStatistics(8000)
    receive(statistics, 0, 1, 3)
    block = statistics.report_block(9, now=0)
    assert (block.ssrc, block.lost, block.fraction_lost) == (9, 1, 64)
    receive(statistics, 4, 5)
    block = statistics.report_block(9, now=0)
    assert (block.lost, block.fraction_lost, block.highest_sequence) == (1, 0, 5)


def test_late_and_duplicate_packets_mend_the_count():
    statistics = SourceStatistics(8000)
    receive(statistics, 0, 2, 1, 1)
    assert statistics.lost == -1
    assert statistics.report_block(1, now=0).fraction_lost == 0


def test_jitter_converges_to_the_mean_deviation():
    statistics = SourceStatistics(8000)
    for n in range(400):
        receive(statistics, n, late=0.01 * (n % 2))
    assert statistics.jitter == pytest.approx(80, rel=0.01)
    assert statistics.report_block(1, now=0).jitter in {79, 80}


def test_the_timestamp_wraps_without_a_leap_in_jitter():
    statistics = SourceStatistics(8000)
    for n in range(4):
        timestamp = (0xFFFFFF00 + 160 * n) & 0xFFFFFFFF
        statistics.receive(n, timestamp, arrival=n * 0.02)
    assert statistics.jitter < 1e-3


def test_packets_that_repeat_a_timestamp_say_nothing_of_jitter():
    statistics = SourceStatistics(8000)
    for n in range(10):
        statistics.receive(n, 0, arrival=n * 0.02, timed=False)
    assert (statistics.received, statistics.jitter) == (10, 0)


def test_a_leap_counts_only_when_it_lasts():
    statistics = SourceStatistics(8000)
    receive(statistics, 1, 2, 30000, 3)
    assert (statistics.received, statistics.extended_highest) == (3, 3)
    receive(statistics, 40000, 40001, 40002)
    assert (statistics.received, statistics.lost, statistics.extended_highest) == (2, 0, 40002)


def test_the_time_of_the_last_sender_report():
    statistics = SourceStatistics(8000)
    receive(statistics, 1)
    assert statistics.report_block(1, now=5.0).delay == 0
    statistics.sender_reported(ntp_time(1000.5), now=5.0)
    block = statistics.report_block(1, now=6.5)
    assert block.last_sr == ntp_time(1000.5) >> 16 & 0xFFFFFFFF
    assert block.delay == 98304


numbers = st.integers(0, 0xFFFF)
timestamps = st.integers(0, 0xFFFFFFFF)


@given(st.lists(st.tuples(numbers, timestamps, st.floats(0, 1e6)), max_size=50))
def test_whatever_comes_a_report_can_be_made(packets):
    statistics = SourceStatistics(8000)
    for sequence, timestamp, arrival in packets:
        statistics.receive(sequence, timestamp, arrival=arrival)
        block = statistics.report_block(1, now=arrival)
        assert 0 <= block.fraction_lost <= 255
        assert 0 <= block.jitter <= 0xFFFFFFFF


def test_counts_that_another_took_are_reported_like_our_own():
    ours, theirs = SourceStatistics(8000), SourceStatistics(8000)
    for n in (10, 11, 13):
        ours.receive(n, 160 * n, arrival=n * 0.02)
    theirs.take_over(received=3, first=10, highest=13, jitter=ours.jitter)
    assert theirs.report_block(1, now=1.0) == ours.report_block(1, now=1.0)
    theirs.take_over(received=4, first=10, highest=14, jitter=0.0)
    assert theirs.report_block(1, now=2.0).fraction_lost == 0
    theirs.take_over(received=1, first=900, highest=900, jitter=0.0)  # began anew
    assert theirs.lost == 0


def test_another_clock_begins_its_jitter_anew():
    source = SourceStatistics(8000)
    for n in range(50):
        source.receive(n, 160 * n, arrival=0.02 * n + (n % 2) * 0.01)
    assert source.jitter > 40
    source.change_clock(48000)
    for n in range(50, 60):
        source.receive(n, 960 * n, arrival=0.02 * n)
    assert source.jitter == pytest.approx(0, abs=1e-3)
    assert source.lost == 0
