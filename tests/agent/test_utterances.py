from hypothesis import given
from hypothesis import strategies as st

from opensip.agent.utterances import Utterance, Utterances


def test_tells_what_was_heard_of_each_utterance_once():
    told = []
    utterances = Utterances(lambda *what: told.append(what), 100)
    utterances.spoken("a", "Hello ")
    utterances.sounded("a", 100, 200)
    utterances.spoken("a", "there. ")
    utterances.heard_out("a")
    utterances.heard_out("a")
    utterances.spoken("b", "one two")
    utterances.sounded("b", 200, 300)
    utterances.sounded("b", 300, 400)
    utterances.spoken("c", "never begun")
    utterances.spoken("d", "Heard whole.")
    utterances.sounded("d", 250, 300)
    utterances.finished("d")
    assert utterances.cut(300) == [("b", 100), ("c", 0)]
    assert utterances.cut(300) == []
    utterances.spoken("b", "late")
    utterances.finished("b")
    assert utterances.is_over("b")
    assert not utterances.is_over("e")
    assert told == [
        ("Hello there.", "Hello there.", False),
        ("one two", "one", True),
        ("never begun", "", True),
        ("Heard whole.", "Heard whole.", True),
    ]


def test_words_ahead_of_their_sound_were_not_heard():
    told = []
    utterances = Utterances(lambda *what: told.append(what), 100)
    utterances.spoken("a", "one two three four five six seven eight nine ten")
    utterances.sounded("a", 0, 100)
    utterances.cut(100)
    assert told[0][1] == "one two"


def test_sound_without_words_is_no_turn():
    told = []
    utterances = Utterances(lambda *what: told.append(what), 100)
    utterances.sounded("a", 0, 10)
    utterances.heard_out("a")
    utterances.sounded("b", 10, 20)
    assert utterances.cut(15) == [("b", 5)]
    assert told == []


@given(st.text("ab ", max_size=40), st.integers(0, 900), st.integers(1, 900), st.integers(0, 2000))
def test_what_was_heard_is_a_beginning_of_what_was_said(text, start, length, played):
    heard = Utterance("a", text, start, start + length).heard(played, 8000)
    assert " ".join(text.split()).startswith(heard)
    assert heard == "" or played > start
