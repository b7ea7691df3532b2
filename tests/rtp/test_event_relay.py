import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.errors import RemoteProtocolError
from opensip.rtp.event_relay import GAP, PRESSES, EventRelay
from opensip.rtp.packet import RtpPacket
from opensip.rtp.telephone_event import (
    ENDS,
    LATEST,
    TelephoneEvent,
    TelephoneEventReceiver,
    TelephoneEventSender,
)


def payload(event, duration, *, ended=False):
    return TelephoneEvent(event, ended, 10, duration).serialize()


def sent(relay, times, units=160):
    """List what is sent in so many packet times; None is audio."""
    packets = [relay.next_packet(units) for _ in range(times)]
    return [packet and (TelephoneEvent.parse(packet.payload), packet.marker) for packet in packets]


def presses(packets):
    """Tell (event, duration) of each press, by its ends; checks that each is whole."""
    told, running = [], None
    for packet in packets:
        if packet is None:
            assert running is None
            continue
        event, marker = packet
        assert marker == (running is None)
        running = (event.event, event.duration, (running[2] if running else 0) + event.ended)
        if running[2] == ENDS:
            told.append(running[:2])
            running = None
    assert running is None
    return told


def test_a_press_lasts_as_long_as_it_did():
    relay, out = EventRelay(), []
    for packet in TelephoneEventSender("5", duration_ms=100).packets():
        relay.put(8000, packet.payload, marker=packet.marker)
        out += sent(relay, 1)
    out += sent(relay, 10)
    assert presses(out) == [(5, 800)]


@pytest.mark.parametrize("units", [160, 320, 480])
def test_of_its_last_packet_alone_the_whole_press_is_made(units):
    relay = EventRelay()
    relay.put(8000, payload(5, 800, ended=True), marker=False)
    ((event, duration),) = presses(sent(relay, 20, units))
    assert event == 5
    assert 800 <= duration < 800 + units


def test_a_press_whose_end_is_lost_ends():
    relay = EventRelay()
    relay.put(8000, payload(5, 160), marker=True)
    ((event, duration),) = presses(sent(relay, 30))
    assert (event, duration) == (5, 960)


def test_presses_that_come_at_once_stay_apart():
    relay = EventRelay()
    for n in range(3):
        relay.put(8000 + 1600 * n, payload(7, 400, ended=True), marker=True)
    packets = sent(relay, 40)
    assert presses(packets) == [(7, 480)] * 3
    audio = [n for n, packet in enumerate(packets) if packet is None]
    assert audio[:GAP] == [6, 7]


def test_an_end_thrice_and_packets_that_are_late_are_one_press():
    relay = EventRelay()
    relay.put(8000, payload(1, 160), marker=True)
    for _ in range(3):
        relay.put(8000, payload(1, 320, ended=True), marker=False)
    out = sent(relay, 10)
    relay.put(8000, payload(1, 320, ended=True), marker=False)
    relay.put(7000, payload(2, 320, ended=True), marker=False)
    assert presses(out + sent(relay, 10)) == [(1, 320)]


@pytest.mark.parametrize(("back", "told"), [(1, 1), (LATEST, 1), (LATEST + 1, 2), (1 << 30, 2)])
def test_a_clock_that_was_set_back_is_no_late_packet(back, told):
    relay, start = EventRelay(), 0x7FFFFFF0
    relay.put(start, payload(1, 320, ended=True), marker=True)
    relay.put(start - back, payload(2, 320, ended=True), marker=True)
    assert presses(sent(relay, 30)) == [(1, 320), (2, 320)][:told]


def test_the_marker_tells_of_a_press_under_the_same_timestamp():
    relay = EventRelay()
    relay.put(8000, payload(1, 320, ended=True), marker=True)
    relay.put(8000, payload(1, 160), marker=True)
    relay.put(8000, payload(1, 320, ended=True), marker=False)
    assert presses(sent(relay, 30)) == [(1, 320)] * 2


def test_segments_of_a_long_press_are_one():
    relay, out = EventRelay(), []
    for n in range(1, 501):
        start, duration = divmod(160 * n, 64000)
        relay.put(64000 * start, payload(3, duration or 64000), marker=n == 1)
        out += sent(relay, 1)
    relay.put(64000, payload(3, 16000, ended=True), marker=False)
    assert presses(out + sent(relay, 10)) == [(3, 0xFFFF)]


def test_another_source_ends_what_the_last_one_pressed():
    relay = EventRelay()
    relay.put(8000, payload(1, 160), marker=True)
    relay.begin()
    relay.put(8000, payload(1, 160, ended=True), marker=True)
    assert presses(sent(relay, 30)) == [(1, 160)] * 2


def test_who_presses_too_fast_is_not_followed():
    relay = EventRelay()
    for n in range(PRESSES + 5):
        relay.put(8000 + 1600 * n, payload(1, 160, ended=True), marker=True)
    assert len(presses(sent(relay, 200))) == PRESSES


def test_too_little_is_refused():
    with pytest.raises(RemoteProtocolError):
        EventRelay().put(0, b"\x01\x0a", marker=True)


@given(st.text("0123456789*#ABCD", max_size=8), st.randoms())
def test_what_arrives_in_part_is_told_once_each(digits, dice):
    relay, receiver, heard, timestamp = EventRelay(), TelephoneEventReceiver(), "", 0
    for digit in digits:
        packets = TelephoneEventSender(digit).packets()
        for packet in sorted(
            dice.sample(packets, dice.randint(1, len(packets))), key=packets.index
        ):
            relay.put(timestamp, packet.payload, marker=packet.marker)
        timestamp += 3200
    began = 0
    for number in range(40 * len(digits) + 1):
        packet = relay.next_packet(160)
        if packet is None:
            continue
        began = 160 * number if packet.marker else began
        told = RtpPacket(101, number, began, 1, packet.payload, packet.marker)
        heard += receiver.receive(told) or ""
    assert heard == digits


def test_what_still_comes_of_a_press_that_was_told_by_other_means_is_let_pass():
    packets = TelephoneEventSender("5").packets()
    relay = EventRelay((8000, TelephoneEvent.parse(packets[2].payload)))
    for packet in packets[3:]:
        relay.put(8000, packet.payload, marker=packet.marker)
    assert set(sent(relay, 20)) == {None}
    relay.put(8000, payload(5, 160), marker=True)  # its sender forgets to move the time
    relay.put(8000, payload(5, 800, ended=True), marker=False)
    relay.put(16000, payload(6, 800, ended=True), marker=False)
    assert presses(sent(relay, 40)) == [(5, 800), (6, 800)]
