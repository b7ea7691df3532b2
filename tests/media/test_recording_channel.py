import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from opensip.media.recording_channel import Channel

RATE = 8000
MS = RATE // 1000


def piece(value, ms=20):
    return np.full(ms * MS, value, np.int16)


def placed(*pieces):
    """Place pieces, each (milliseconds, value), and give all that there is."""
    channel = Channel(RATE)
    for at, value in pieces:
        channel.place(round(at * MS), piece(value))
    return channel.take_to(channel.end)


def test_what_is_off_by_less_than_a_millisecond_joins():
    assert len(placed((0, 1), (20.9, 2), (39.2, 3))) == 60 * MS


def test_an_early_piece_moves_all_that_follows():
    sound = placed((4, 1), (20, 2), (40, 3))
    assert set(sound[20 * MS : 40 * MS]) == {2}
    assert set(sound[4 * MS : 20 * MS]) == {1}
    assert len(sound) == 60 * MS


def test_a_late_piece_joins_until_the_lateness_stays():
    once = placed((0, 1), (28, 2), (40, 3))
    assert set(once[20 * MS : 40 * MS]) == {2}
    always = placed((0, 1), *((20 * n + 5, 2) for n in range(1, 100)))
    assert set(always[20 * MS : 1000 * MS]) == {2}
    assert list(always).count(0) == 5 * MS
    assert len(always) == 2005 * MS


def test_what_never_came_is_silence():
    sound = placed((0, 1), (60, 2))
    assert set(sound[20 * MS : 60 * MS]) == {0}
    assert set(sound[60 * MS :]) == {2}


def test_what_is_on_disk_already_is_not_written_again():
    channel = Channel(RATE)
    channel.place(0, piece(1, 100))
    channel.take_to(120 * MS)
    channel.place(110 * MS, piece(2))
    assert list(channel.take_to(130 * MS)) == [2] * 10 * MS
    channel.place(60 * MS, piece(3))
    assert channel.take_to(131 * MS).tolist() == [0] * MS


def test_nothing_is_placed_nowhere():
    channel = Channel(RATE)
    channel.place(100, np.zeros(0, np.int16))
    assert channel.end == 0


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 400)), max_size=20))
def test_it_is_as_long_as_it_is_taken(pieces):
    channel, taken = Channel(RATE), 0
    for at, length in pieces:
        channel.place(at, np.ones(length, np.int16))
        taken += len(channel.take_to(taken + 50))
    rest = max(channel.end, taken)
    assert taken + len(channel.take_to(rest)) == rest


def test_what_comes_late_is_put_where_silence_stood_unless_that_is_on_disk():
    channel = Channel(8000)
    channel.place(0, np.full(160, 1, np.int16))
    channel.place(320, np.full(160, 3, np.int16))
    channel.fill(160, np.full(160, 2, np.int16))
    channel.fill(440, np.full(160, 9, np.int16))  # nothing goes beyond what has come
    assert channel.end == 480
    assert channel.take_to(240).tolist() == [1] * 160 + [2] * 80
    channel.fill(160, np.full(160, 4, np.int16))
    channel.fill(0, np.full(160, 5, np.int16))
    assert channel.take_to(480).tolist() == [4] * 80 + [3] * 120 + [9] * 40
