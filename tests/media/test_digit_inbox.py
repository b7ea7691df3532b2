import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.audio.dtmf_detector import DtmfDetector
from opensip.audio.frame import AudioFrame
from opensip.audio.tones import dtmf_pulses, dtmf_tone
from opensip.events import Dtmf
from opensip.media.digit_inbox import EVENT, INFO, LAG, TOGETHER, TONE, DigitInbox


class Taken(list):
    def __init__(self, *, tones=False):
        self.inbox = DigitInbox(self.append, DtmfDetector() if tones else None)

    def tell(self, *presses):
        for at, digit, way in presses:
            self.inbox.receive(digit, 100, way, at=at)

    def hear(self, samples, at=0.0):
        for start in range(0, len(samples), 160):
            frame = AudioFrame(at + start / 8000, samples[start : start + 160], 8000, -10.0)
            self.inbox.listen(frame)

    @property
    def digits(self):
        return "".join(dtmf.digit for dtmf in self)


def test_a_press_told_in_two_ways_is_one():
    taken = Taken()
    taken.tell((1.0, "5", EVENT), (1.3, "5", INFO))
    assert taken == [Dtmf(1.0, "5", 100, EVENT)]


@pytest.mark.parametrize("lag", [0.05, 0.5, 0.9, 3.5])
def test_the_same_digit_thrice_in_two_ways_is_three(lag):
    taken = Taken()
    both = [
        (at + late, "5", way) for at in (0.0, 0.2, 0.4) for late, way in ((0, EVENT), (lag, INFO))
    ]
    taken.tell(*sorted(both))
    assert taken.digits == "555"
    assert {dtmf.way for dtmf in taken} == {EVENT}


def test_what_comes_long_after_or_is_another_digit_is_a_press_of_its_own():
    taken = Taken()
    taken.tell((0.0, "5", EVENT), (0.1, "6", INFO), (0.2 + LAG, "5", INFO))
    assert taken.digits == "565"
    taken.tell((10.0, "7", TONE), (10.2 + TOGETHER, "7", EVENT))
    assert taken.digits == "56577"


@given(
    st.lists(st.tuples(st.sampled_from("12"), st.floats(0.08, 0.6)), min_size=1, max_size=12),
    st.floats(-0.3, 0.9),
)
def test_every_press_is_told_once_whichever_way_is_first(presses, lag):
    """Each way tells of each press once and in order, whatever mingles."""
    at, told = 1.0, []
    for digit, pause in presses:
        at += pause
        told += [(at, digit, EVENT), (at + lag, digit, INFO)]
    taken = Taken()
    taken.tell(*sorted(told))
    assert taken.digits == "".join(digit for digit, _ in presses)


@given(
    st.lists(st.sampled_from(("both", EVENT, INFO)), min_size=1, max_size=10),
    st.floats(0.3, 0.9),
)
def test_what_one_way_lost_the_other_tells(presses, lag):
    """Presses of one key, of which each way loses some: none is lost, and none told twice."""
    told = []
    for n, ways in enumerate(presses):
        told += [(10.0 * n, "1", EVENT)] if ways != INFO else []
        told += [(10.0 * n + lag, "1", INFO)] if ways != EVENT else []
    taken = Taken()
    taken.tell(*told)
    assert taken.digits == "1" * len(presses)


def test_a_press_tells_by_which_ways_it_came():
    taken = Taken()
    taken.tell((0.0, "5", INFO))
    assert taken.inbox.ways_of(taken[0]) == {INFO}
    taken.tell((0.2, "5", EVENT))
    assert taken.inbox.ways_of(taken[0]) == {INFO, EVENT}
    assert taken.inbox.ways_of(Dtmf(0.0, "6", 100, EVENT)) == frozenset()


def test_tones_are_heard_where_asked_for():
    taken, deaf = Taken(tones=True), Taken()
    sound = dtmf_pulses("12##")
    taken.hear(sound)
    deaf.hear(sound)
    assert taken.digits == "12##"
    assert {dtmf.way for dtmf in taken} == {"inband"}
    assert taken[0].at == pytest.approx(0.045, abs=0.02)
    assert deaf == []


@pytest.mark.parametrize("first", ["tone", "event"])
def test_a_tone_beside_its_event_is_no_second_digit(first):
    taken = Taken(tones=True)
    tone = np.concatenate((dtmf_tone("7"), np.zeros(800, np.int16)))
    for press in range(4):
        if first == "event":
            taken.tell((press * 0.2, "7", EVENT))
        taken.hear(tone, at=press * 0.2)
        if first == "tone":
            taken.tell((press * 0.2 + 0.12, "7", EVENT))
    assert taken.digits == "7777"


def test_the_rest_of_a_long_press_that_was_broken_by_loss_is_no_digit():
    taken = Taken(tones=True)
    taken.tell((0.0, "3", EVENT))
    tone, gap = dtmf_tone("3", 0.5), np.zeros(800, np.int16)
    taken.hear(np.concatenate((tone, gap, tone, gap, tone)))
    assert taken.digits == "3"


def test_another_peer_may_send_tones_again():
    taken = Taken(tones=True)
    taken.tell((0.0, "3", EVENT))
    taken.inbox.begin()
    taken.hear(dtmf_pulses("3"), at=5.0)
    assert taken.digits == "33"
