from hypothesis import given
from hypothesis import strategies as st

from opensip.agent.ledger import Ledger


def test_only_words_that_were_played_whole_are_heard():
    ledger = Ledger()
    ledger.add("one two three", 1000, 1300)
    ledger.add("four", 2300, 400)
    assert ledger.said == "one two three four"
    assert ledger.heard(1000) == ""
    assert ledger.heard(1000 + 299) == ""
    assert ledger.heard(1000 + 400) == "one"
    assert ledger.heard(2299) == "one two"
    assert ledger.heard(2300) == "one two three"
    assert ledger.heard(2699) == "one two three"
    assert ledger.heard(2700) == "one two three four"


def test_more_samples_of_the_same_clause_stretch_it():
    ledger = Ledger()
    ledger.add("one two", 0, 100)
    ledger.add("", 100, 600)
    assert ledger.heard(299) == ""
    assert ledger.heard(300) == "one"
    assert ledger.heard(700) == "one two"


words = st.lists(st.text("abc", min_size=1, max_size=6), min_size=1, max_size=5).map(" ".join)


@given(st.lists(st.tuples(words, st.integers(1, 9000)), max_size=6), st.integers(0, 60000))
def test_what_was_heard_is_a_beginning_of_what_was_said(spans, played):
    ledger, at = Ledger(), 0
    for text, samples in spans:
        ledger.add(text, at, samples)
        at += samples
    heard, said = ledger.heard(played).split(), ledger.said.split()
    assert heard == said[: len(heard)]
    assert played < at or heard == said
