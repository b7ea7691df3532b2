import numpy as np
import pytest

from opensip.agent.caller_voice import KEPT, CallerVoice
from opensip.audio.frame import AudioFrame
from opensip.audio.level import dbfs
from opensip.audio.tones import tone

RATE = 8000


def hears(*parts):
    """A caller is silent (None) or speaks for so many seconds, in turn."""
    voice, at = CallerVoice("energy", RATE, 0.0), 0.0
    for speaks, seconds in parts:
        for _ in range(round(seconds / 0.02)):
            samples = tone(300, 0.02, RATE) if speaks else np.zeros(160, np.int16)
            voice.hear(AudioFrame(at, samples, RATE, dbfs(samples)))
            at += 0.02
    return voice


def seconds(voice):
    return len(voice.missed()) / RATE


def test_what_was_said_is_kept_with_what_came_just_before_and_after():
    voice = hears((False, 2.0), (True, 1.0), (False, 0.5))
    assert (voice.began, voice.until) == (pytest.approx(2.0, abs=0.1), pytest.approx(3.0, abs=0.1))
    assert voice.lasted == pytest.approx(1.0, abs=0.1)
    assert not voice.is_there
    assert seconds(voice) == pytest.approx(0.3 + 1.0 + 0.5, abs=0.1)


def test_what_was_answered_is_not_given_again():
    voice = hears((False, 1.0), (True, 1.0), (False, 1.0))
    voice.settle(voice.until)
    assert seconds(voice) == 0
    voice = hears((False, 0.2), (True, 0.5), (False, 1.0), (True, 0.6), (False, 0.4))
    voice.settle(0.7)
    assert seconds(voice) == pytest.approx(0.3 + 0.6 + 0.4, abs=0.1)


def test_a_short_sound_is_no_word_unless_it_is_the_beginning_of_one():
    assert seconds(hears((False, 1.0), (True, 0.12), (False, 1.0))) == 0
    assert seconds(hears((False, 1.0), (True, 0.12))) == pytest.approx(0.42, abs=0.1)


def test_no_more_is_kept_than_somebody_can_catch_up_with():
    assert seconds(hears((True, KEPT + 3))) == pytest.approx(KEPT, abs=0.05)
    voice = hears((True, 1.0), (False, KEPT + 1))
    assert seconds(voice) == 0


def test_a_voice_that_only_a_service_hears_is_timed_as_it_tells():
    voice = hears((True, 1.0), (False, 5.0))
    assert (voice.begun(1.2), voice.ended(0.3, 1.4)) == pytest.approx((0.0, 1.0), abs=0.1)
    assert (voice.begun(5.0), voice.ended(5.0, 5.8)) == (5.0, 5.8)
    voice = hears((True, 1.0), (False, 2.0))
    assert len(voice.missed())
    assert voice.ended(3.0, 3.3) == pytest.approx(1.0, abs=0.1)  # it was given late
