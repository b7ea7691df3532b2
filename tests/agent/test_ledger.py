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


def test_words_that_the_voice_marked_are_heard_when_their_mark_was_played():
    ledger = Ledger()
    ledger.add("one two three", 1000, 500, marks=(1450,), still=800)
    ledger.add("", 1500, 800, marks=(1600, 2250))
    ledger.whole()
    assert ledger.heard(1449) == ""
    assert ledger.heard(1450) == "one"
    assert ledger.heard(2249) == "one two"
    assert ledger.heard(2300) == "one two three"


def test_more_marks_than_words_are_shared_out_and_rounded_down():
    ledger = Ledger()
    ledger.add("it costs $5", 0, 400, marks=(100, 200, 300, 390))  # five dollars
    assert ledger.heard(250) == "it"
    assert ledger.heard(399) == "it costs $5"


def test_a_clause_that_is_still_being_made_is_not_heard_whole():
    ledger = Ledger()
    ledger.add("one two three four", 0, 800, still=800)
    assert ledger.heard(800) == "one two"
    ledger.cut(2)
    assert (ledger.said, ledger.heard(800)) == ("one two", "one two")
    Ledger().cut(1)
    Ledger().whole()


def test_what_must_be_heard_is_so_while_it_is_played():
    ledger = Ledger()
    ledger.add("a notice", 0, 100, must_be_heard=True)
    ledger.add("an answer", 100, 100)
    assert [ledger.must_be_heard(played) for played in (0, 99, 100, 200)] == [
        True, True, False, False,
    ]  # fmt: skip


lengths = st.lists(st.integers(800, 6400), min_size=1, max_size=12)


@given(lengths, st.integers(0, 80000))
def test_with_marks_a_cut_is_exact_to_the_word(samples, played):
    ends = [sum(samples[: n + 1]) for n in range(len(samples))]
    words = [f"w{n}" for n in range(len(samples))]
    ledger = Ledger()
    ledger.add(" ".join(words), 0, ends[-1], marks=tuple(ends))
    assert ledger.heard(played).split() == [w for w, end in zip(words, ends, strict=True)
                                            if end <= played]  # fmt: skip


def test_a_question_has_been_asked_once_its_last_word_is_heard():
    ledger = Ledger()
    ledger.add("Is it the lamp?", 0, 8000)
    assert not ledger.asked(0, 4000)
    assert ledger.asked(0, 8000)
    ledger.add("I see.", 8000, 8000)
    assert ledger.asked(0, 16000)
    assert not ledger.asked(8000, 16000)
