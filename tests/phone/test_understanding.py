import asyncio

import numpy as np
import pytest

from opensip.agent.providers import Understood
from opensip.phone.understanding import Answer, Understanding, sentences

RATE = 8000


def voice(seconds):
    return np.full(round(seconds * RATE), 3000, np.int16)


def quiet(seconds):
    return np.zeros(round(seconds * RATE), np.int16)


class Told:
    """A recognizer that was told what each sentence says."""

    rate = RATE

    def __init__(self, *texts):
        self.texts = list(texts)
        self.fed = []

    def begin(self, expectation):
        self.jsgf = expectation.jsgf

    def feed(self, samples):
        self.fed.append(len(samples))

    async def finish(self):
        return Understood(self.texts.pop(0))

    async def close(self):
        pass


def understood(recognizer, samples, said="one two"):
    return asyncio.run(Understanding(recognizer)(samples, RATE, said=said))


def test_a_turn_is_cut_at_its_pauses():
    turn = np.concatenate([quiet(0.3), voice(1.0), quiet(0.12), voice(0.5), quiet(0.9)])
    assert [len(part) / RATE for part in sentences(turn, RATE)] == [
        pytest.approx(1.08),
        pytest.approx(0.58),
    ]


def test_a_plosive_is_no_pause():
    turn = np.concatenate([voice(0.4), quiet(0.06), voice(0.4)])
    assert len(list(sentences(turn, RATE))) == 1


def test_silence_has_no_sentence():
    assert list(sentences(quiet(1), RATE)) == []
    assert understood(Told(), quiet(1)) == Answer()


@pytest.mark.parametrize(
    ("texts", "answer"),
    [
        (["", "i did not understand"], Answer(misunderstood=True)),
        (["sorry i didn't catch that"], Answer(misunderstood=True)),
        (["i heard three eight is that right"], Answer(digits="38")),
        (["i heard three oh", "is that right"], Answer(digits="30")),
        (["", ""], Answer()),
    ],
)
def test_what_matters_is_found_in_any_of_the_first_sentences(texts, answer):
    turn = np.concatenate([voice(0.5), quiet(0.2), voice(0.5)])
    assert understood(Told(*texts), turn) == answer


def test_the_words_that_were_made_out_are_told():
    assert understood(Told("i heard three eight"), voice(0.5)).text == "i heard three eight"
    assert understood(Told("who knows"), voice(0.5)).text == ""


def test_later_sentences_and_long_ones_are_not_listened_to():
    short = np.concatenate([voice(0.3), quiet(0.2)])
    recognizer = Told("", "", "i did not understand")
    turn = np.concatenate([voice(6.5), quiet(0.2), *[short] * 3])
    assert understood(recognizer, turn) == Answer()
    assert len(recognizer.fed) == 2


def test_who_said_no_number_hears_none():
    recognizer = Told("")
    assert understood(recognizer, voice(0.5), said="a person") == Answer()
    assert "heard" not in recognizer.jsgf
