import numpy as np
import pytest

from opensip.agent.voice_activity.webrtc import make
from opensip.audio.frame import AudioFrame
from opensip.audio.level import dbfs
from tests.agent.voice_activity.sounds import frames, vowel

pytest.importorskip("webrtcvad")


def decisions(samples):
    decided = []
    detector = make(8000, decided.append)
    for frame in frames(samples):
        detector.hear(frame)
    return [one.voiced for one in decided]


def test_a_vowel_is_a_voice_and_silence_after_it_is_none():
    quiet = np.random.default_rng(1).normal(0, 8, 8000).astype(np.int16)
    voiced = decisions(np.concatenate([quiet, vowel(0.6), quiet]))
    assert not any(voiced[:50])
    assert sum(voiced[50:80]) >= 27
    assert not any(voiced[82:])  # the detector itself goes on for a while


def test_steady_noise_is_no_voice_though_the_detector_says_so():
    noise = np.random.default_rng(2).normal(0, 600, 16000).astype(np.int16)
    assert sum(decisions(noise)[50:]) == 0


def test_silence_is_decided_on_as_a_whole_and_a_voice_after_it_is_still_noticed():
    decided = []
    detector = make(8000, decided.append)
    quiet = np.random.default_rng(1).normal(0, 8, 800).astype(np.int16)
    for number in range(20):
        detector.hear(AudioFrame(number * 0.1, quiet, 8000, dbfs(quiet)))
    assert [(one.seconds, one.voiced) for one in decided] == [(0.1, False)] * 20
    decided.clear()
    for frame in frames(vowel(0.6)):
        detector.hear(frame)
    assert sum(one.voiced for one in decided) >= 27
