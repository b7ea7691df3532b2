import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opensip.errors import LocalProtocolError, RemoteProtocolError
from opensip.rtp.packet import RtpPacket
from opensip.rtp.telephone_event import (
    DIGITS,
    TelephoneEvent,
    TelephoneEventReceiver,
    TelephoneEventSender,
)


def press(digit: str, timestamp: int, **options) -> list[RtpPacket]:
    sender = TelephoneEventSender(digit, **options)
    return [
        RtpPacket(101, n, timestamp & 0xFFFFFFFF, 7, payload, marker)
        for n, (payload, marker) in enumerate(sender.packets())
    ]


def heard(*packets: RtpPacket) -> str:
    receiver = TelephoneEventReceiver()
    return "".join(filter(None, map(receiver.receive, packets)))


TWICE = press("5", 1000), press("5", 4000)


def test_a_digit_on_the_wire():
    sender = TelephoneEventSender("#", duration_ms=60)
    assert [p.payload.hex() for p in sender.packets()] == [
        "0b0a00a0",
        "0b0a0140",
        "0b0a01e0",
        "0b8a01e0",
        "0b8a01e0",
        "0b8a01e0",
    ]
    assert [p.marker for p in sender.packets()] == [True, False, False, False, False, False]
    assert sender.duration == 480


def test_each_digit_is_told_once():
    packets = [p for n, digit in enumerate(DIGITS) for p in press(digit, n * 3000)]
    assert heard(*packets) == DIGITS


def test_duplicate_ends_make_no_new_digit():
    one, two = TWICE
    assert heard(*one, *one[-3:], *two, *one[-3:], *two[-3:]) == "55"


def test_a_missing_marker():
    one, two = TWICE
    assert heard(*(p._replace(marker=False) for p in one + two)) == "55"


@pytest.mark.parametrize("lost", range(10))
def test_a_missing_start(lost):
    one, two = TWICE
    assert heard(*one[lost:], *two[lost:]) == "55"


@pytest.mark.parametrize("kept", range(1, 11))
def test_a_missing_end(kept):
    one, two = TWICE
    assert heard(*one[:kept], *two[:kept]) == "55"


def test_the_timestamp_wraps():
    assert heard(*press("1", 0xFFFFFF00), *press("1", 0x1_0000_0B00)) == "11"


def test_another_event_under_the_same_timestamp_is_another_digit():
    assert heard(*press("1", 500), *press("2", 500)) == "12"


def test_an_end_that_comes_thrice_under_one_sequence_number_is_one_digit():
    one = press("5", 1000)
    thrice = [one[-1]._replace(sequence=len(one) - 3)] * 3
    assert heard(*one[:-3], *thrice) == "5"
    assert heard(*thrice) == "5"  # all else was lost


def test_the_same_timestamp_for_every_press_is_told_apart_by_the_marker():
    one = press("5", 1000)
    two, three = ([p._replace(sequence=p.sequence + n * len(one)) for p in one] for n in (1, 2))
    assert heard(*one, *two, one[0], *three) == "555"
    assert heard(*one, one[0], one[-1]) == "5"  # but not by a copy of the first packet


def test_a_clock_that_was_set_back_is_no_late_packet():
    assert heard(*press("1", 5_000_000), *press("2", 1000)) == "12"
    assert heard(*press("1", 90_000), *press("2", 80_000)) == "1"


def test_a_new_source_begins_anew():
    later, earlier = press("1", 90000), press("1", 500)
    assert heard(*later, *(p._replace(ssrc=8) for p in earlier)) == "11"


def test_a_timestamp_that_runs_on_is_one_press():
    packets = [p._replace(timestamp=1000 + 160 * n) for n, p in enumerate(press("7", 1000))]
    assert heard(*packets[:9]) == "7"


def test_a_press_longer_than_one_event_is_one_digit():
    receiver = TelephoneEventReceiver()
    first = RtpPacket(101, 1, 0, 7, TelephoneEvent(1, False, 10, 0xFFFF).serialize(), True)
    second = RtpPacket(101, 2, 0xFFFF, 7, TelephoneEvent(1, False, 10, 160).serialize())
    third = RtpPacket(101, 3, 0xFFFF, 7, TelephoneEvent(1, True, 10, 320).serialize())
    assert [receiver.receive(p) for p in (first, second, third)] == ["1", None, None]
    assert receiver.duration == 0xFFFF + 320


def test_the_duration_grows_and_never_shrinks():
    receiver = TelephoneEventReceiver()
    packets = press("5", 0, duration_ms=100)
    for packet in [*packets, packets[0]]:
        receiver.receive(packet)
    assert receiver.duration == 800


def test_events_that_are_not_digits_are_passed_over():
    flash = RtpPacket(101, 1, 0, 7, TelephoneEvent(16, False, 10, 160).serialize(), True)
    assert heard(flash) == ""


def test_a_short_payload_is_refused():
    with pytest.raises(RemoteProtocolError, match="3 bytes"):
        heard(RtpPacket(101, 1, 0, 7, b"\0\0\0"))


@pytest.mark.parametrize("digit", ["", "12", "E", "ä"])
def test_what_is_no_digit_is_our_bug(digit):
    with pytest.raises(LocalProtocolError):
        TelephoneEventSender(digit)


def test_lower_case_letters_are_digits_and_too_long_is_our_bug():
    assert heard(*press("d", 0)) == "D"
    with pytest.raises(LocalProtocolError, match="9000 ms"):
        TelephoneEventSender("1", duration_ms=9000)
    assert TelephoneEventSender("1", duration_ms=1).duration == 160


@given(st.lists(st.tuples(st.integers(0, 0xFFFFFFFF), st.binary(max_size=6), st.booleans())))
def test_random_packets_are_read_or_refused(packets):
    receiver = TelephoneEventReceiver()
    for timestamp, payload, marker in packets:
        with contextlib.suppress(RemoteProtocolError):
            receiver.receive(RtpPacket(101, 1, timestamp, 7, payload, marker))
            assert TelephoneEvent.parse(payload).serialize() is not None


@settings(max_examples=30)
@given(st.text(DIGITS, max_size=8), st.randoms(use_true_random=False), st.integers(0, 0xFFFFFFFF))
def test_losses_and_duplicates_keep_the_digits(digits, rolls, start):
    received = []
    for n, digit in enumerate(digits):
        packets = press(digit, start + n * 3000)
        kept = [p for p in packets if rolls.random() > 0.3] or packets[-1:]
        received += [p for p in kept for _ in range(1 + (rolls.random() < 0.2))]
    assert heard(*received) == digits


def test_the_last_event_of_a_source_is_known():
    receiver = TelephoneEventReceiver()
    assert receiver.last(7) is None
    for packet in press("5", 1000):
        receiver.receive(packet)
    assert receiver.last(7) == (1000, TelephoneEvent(5, True, 10, 1280))
    assert receiver.last(8) is None
