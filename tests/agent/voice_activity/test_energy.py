import numpy as np

from opensip.agent.voice_activity.energy import make
from tests.agent.voice_activity.sounds import frames, vowel


def test_what_is_louder_than_the_line_is_a_voice():
    decided = []
    detector = make(8000, decided.append)
    for frame in frames(np.concatenate([np.zeros(4000, np.int16), vowel(0.5)])):
        detector.hear(frame)
    assert [one.voiced for one in decided] == [False] * 25 + [True] * 25
    assert decided[25].at == 0.5
