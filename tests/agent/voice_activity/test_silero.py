import numpy as np

from opensip.agent.voice_activity.silero import Silero
from tests.agent.voice_activity.sounds import frames, vowel

QUIET = np.random.default_rng(1).normal(0, 8, 16000).astype(np.int16)


class Asked:
    """A model that answers when told to."""

    def __init__(self):
        self.questions = []

    def ask(self, memory, samples, answered):
        self.questions.append((memory, answered))

    def answer(self, *probabilities):
        for probability in probabilities:
            memory, answered = self.questions.pop(0)
            if not memory.forgotten:
                answered(probability)


def listening():
    model, decided = Asked(), []
    return Silero(8000, decided.append, model), model, decided


def hear(detector, samples, at=0.0):
    for frame in frames(samples):
        detector.hear(frame._replace(at=at + frame.at))


def test_silence_asks_nobody():
    detector, model, decided = listening()
    hear(detector, QUIET)
    assert model.questions == []
    assert len(decided) == 62
    assert not any(one.voiced for one in decided)


def test_what_is_louder_is_asked_about_and_silence_waits_for_its_turn():
    detector, model, decided = listening()
    hear(detector, np.concatenate([QUIET, vowel(0.128)]))
    assert len(model.questions) == 8 + 4  # what went before, and the voice
    hear(detector, QUIET[:6400], at=2.128)
    asked = len(model.questions)
    assert asked == 8 + 4 + 8  # and for a moment after it
    assert len(decided) == 62
    model.answer(*[0.1] * 8, 0.3, 0.9, 0.9, 0.9, *[0.2] * 8)
    assert [one.voiced for one in decided[62:66]] == [False, True, True, True]
    assert not any(one.voiced for one in decided[66:])
    times = [one.at for one in decided]
    assert times == sorted(times)
    assert len(decided) == 62 + 4 + 25


def test_a_voice_goes_on_where_it_would_not_begin():
    detector, model, decided = listening()
    hear(detector, vowel(0.16))
    model.answer(0.45, 0.9, 0.45, 0.2, 0.45)
    assert [one.voiced for one in decided] == [False, True, True, False, False]


def test_an_echo_of_the_voice_that_is_soft_is_none_however_sure_the_network_is():
    detector, model, decided = listening()
    hear(detector, np.concatenate([QUIET, vowel(0.128), QUIET[:1600]]))
    model.answer(*[0.99] * len(model.questions))
    voiced = [one.voiced for one in decided[62:]]
    assert voiced[:4] == [True] * 4
    assert not any(voiced[5:])  # the fifth window begins with the end of the vowel


def test_a_machine_too_slow_decides_by_energy_and_lets_late_answers_go():
    detector, model, decided = listening()
    hear(detector, vowel(0.6))
    assert [one.voiced for one in decided] == [True] * 13
    model.answer(*[0.0] * len(model.questions))
    assert len(decided) == 18
    assert not any(one.voiced for one in decided[13:])  # of the new memory


def test_a_network_that_failed_leaves_energy():
    detector, model, decided = listening()
    hear(detector, vowel(0.16))
    model.answer(*[None] * 5)
    assert [one.voiced for one in decided] == [True] * 5
