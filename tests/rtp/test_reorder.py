import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.rtp.reorder import GAP_WAIT, MAX_HELD, InOrder


def feed(order, *numbers, now=0.0):
    for number in numbers:
        order.put(number & 0xFFFF, number, now=now)
    return order.take(now=now)


def test_in_order_is_handed_on_at_once():
    order = InOrder()
    assert feed(order, 1, 2) == [1, 2]
    assert feed(order, 3) == [3]
    assert feed(order) == []


def test_swapped_packets_are_put_right():
    assert feed(InOrder(), 1, 3, 2, 4) == [1, 2, 3, 4]


def test_a_gap_is_waited_for_40_ms_and_no_longer():
    order = InOrder()
    assert feed(order, 1, 3, 4) == [1]
    assert order.take(now=GAP_WAIT - 0.001) == []
    assert order.take(now=GAP_WAIT) == [3, 4]
    assert order.lost == 1
    assert feed(order, 2) == []
    assert order.late == 1


def test_two_gaps_are_each_waited_for():
    order = InOrder()
    feed(order, 1, 3)
    assert feed(order, 5, now=0.02) == []
    assert order.take(now=0.04) == [3]
    assert order.take(now=0.06) == [5]
    assert order.lost == 2


def test_the_number_wraps():
    assert feed(InOrder(), 65534, 65535, 65537, 65536) == [65534, 65535, 65536, 65537]


def test_duplicates_are_handed_on_once():
    order = InOrder()
    assert feed(order, 1, 1, 3, 3, 2, 2, 1) == [1, 2, 3]
    assert (order.late, order.duplicate) == (0, 4)


def test_what_comes_late_and_again_is_a_duplicate():
    order = InOrder()
    feed(order, 65530, 65537)
    assert order.take(now=GAP_WAIT) == [65537]
    feed(order, 65533, 65533, 65530, 65534, now=GAP_WAIT)
    assert (order.lost, order.late, order.duplicate) == (6, 2, 2)


def test_another_source_is_counted_with_the_one_before():
    order = InOrder()
    feed(order, 1, 3, 4)
    order.begin_again()
    assert feed(order, 2, 2, 3) == [3, 4, 2, 3]
    assert (order.lost, order.late, order.duplicate) == (1, 0, 1)


def test_what_came_in_time_but_after_a_later_one_is_counted():
    order = InOrder()
    assert feed(order, 1, 3, 2, 6, 5, 4, 7) == [1, 2, 3, 4, 5, 6, 7]
    assert (order.reordered, order.lost, order.late) == (3, 0, 0)


def test_more_than_a_second_is_not_held_for_a_gap():
    order = InOrder()
    held = range(2, 2 + MAX_HELD)
    assert feed(order, 0, *held) == [0]
    assert feed(order, 2 + MAX_HELD) == [*held, 2 + MAX_HELD]
    assert order.lost == 1


def test_a_new_beginning_needs_two_in_a_row_and_loses_one():
    order = InOrder()
    assert feed(order, 1, 3, 30000) == [1]
    assert feed(order, 30001, 30002) == [3, 30001, 30002]


def test_one_stray_packet_changes_nothing():
    order = InOrder()
    assert feed(order, 1, 30000, 2) == [1, 2]


@pytest.mark.parametrize("back", [99, 1])
def test_a_little_back_is_late(back):
    order = InOrder()
    feed(order, 1000)
    assert feed(order, 1000 - back) == []
    assert order.late == 1


@given(st.permutations(range(30)), st.integers(0, 0xFFFF))
def test_any_order_within_the_wait_comes_out_right(numbers, start):
    order = InOrder()
    order.put(start, 0, now=0.0)
    for number in numbers:
        order.put(start + 1 + number & 0xFFFF, 1 + number, now=0.0)
    assert order.take(now=0.0) == list(range(31))


@given(st.lists(st.tuples(st.integers(0, 0xFFFF) | st.integers(0, 20), st.floats(0, 0.05))))
def test_whatever_comes_nothing_stays_longer_than_the_wait(packets):
    order, now = InOrder(), 0.0
    handed_on = 0
    for sequence, step in packets:
        now += step
        order.put(sequence, sequence, now=now)
        handed_on += len(order.take(now=now))
    assert handed_on + len(order.take(now=now + GAP_WAIT)) <= len(packets)
    assert order.take(now=now + 1) == []
