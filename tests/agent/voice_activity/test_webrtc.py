import itertools

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


@pytest.mark.parametrize("run", [2, 3, 5])
def test_longer_frames_are_decided_on_as_short_ones_are(run):
    noise = np.random.default_rng(3).normal(0, 200, 9000)
    voice = np.concatenate([np.zeros(3200), vowel(0.41), np.zeros(1000), vowel(0.11)])
    sound = (noise[: len(voice)] + voice).astype(np.int16)
    sound = sound[: len(sound) // (160 * run) * 160 * run]
    whole, decided = decisions(sound), []
    detector = make(8000, decided.append)
    for frame in frames(sound, 8000, 160 * run):
        detector.hear(frame)
    assert [one.voiced for one in decided for _ in range(round(one.seconds / 0.02))] == whole
    assert len(decided) < len(whole)
    for one, following in itertools.pairwise(decided):
        assert following.at == pytest.approx(one.at + one.seconds)
