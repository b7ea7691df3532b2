import pytest

from opensip.agent.pace import Pace
from opensip.agent.voice_activity import Voicing
from tests.fakes.live_recognizer import FakeLive, FakePaced


class Voice:
    """A voice, and the pace of who hears it."""

    def __init__(self, recognizer):
        self.pace, self.at = Pace(recognizer), 0.0

    def hear(self, seconds, *, voiced):
        for _ in range(round(seconds / 0.02)):
            self.pace.hear(Voicing(self.at, 0.02, voiced))
            self.at += 0.02


def test_a_pause_is_told_once_and_that_the_voice_goes_on():
    one = FakePaced()
    voice = Voice(one)
    voice.hear(1.0, voiced=True)  # of no turn
    assert one.done == []
    voice.pace.begin()
    assert one.done == []  # words may begin a turn without a voice
    voice.hear(0.5, voiced=True)
    voice.hear(0.18, voiced=False)
    assert one.done == ["resume"]
    voice.hear(1.0, voiced=False)
    assert one.done == ["resume", "pause"]
    voice.hear(0.1, voiced=True)
    voice.pace.end()
    voice.pace.forget()
    assert one.done == ["resume", "pause"] * 2


@pytest.mark.parametrize(("seconds", "last"), [(0.2, "forget"), (0.22, "pause")])
def test_what_is_forgotten_may_still_be_words_if_it_was_no_cough(seconds, last):
    one = FakePaced()
    voice = Voice(one)
    voice.pace.begin()
    voice.hear(seconds, voiced=True)
    voice.hear(0.1, voiced=False)
    voice.pace.forget()
    assert one.done == ["resume", last]


def test_who_takes_over_amid_a_turn_hears_it_to_its_end():
    one = FakePaced()
    voice = Voice(one)
    voice.pace.begin(goes_on=True)
    voice.hear(1.0, voiced=False)
    assert one.done == ["resume"]
    voice.pace.end()
    assert one.done == ["resume", "pause"]


def test_others_are_told_nothing():
    voice = Voice(FakeLive())
    voice.pace.begin(goes_on=True)
    voice.hear(1.0, voiced=True)
    voice.pace.forget()
    voice.pace.end()
