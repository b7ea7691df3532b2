import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.agent import grammar
from opensip.agent.grammar import PhraseError, match, parse, to_jsgf

ORDER = parse("[hello | hi] where is my (order | package) [please]")
NUMBER = parse("[my number is] <digits:4>")


@pytest.mark.parametrize(
    "text",
    ["where is my order", "Hello where is my package please", "  hi where  is my order ",
     "where is my order thanks", "Hello, where is my order?"],
)  # fmt: skip
def test_a_phrase_matches_its_sentences_and_one_word_more(text):
    assert match([NUMBER, ORDER], text)


@pytest.mark.parametrize(
    "text", ["", "where is my", "my order is where", "hello hi where is my order"]
)
def test_and_nothing_else(text):
    assert match([NUMBER, ORDER], text) is None


def test_digits_are_found_in_a_sentence():
    found = match([NUMBER], "my number is four oh two zero")
    assert grammar.digits_in(found["digits"]) == "4020"
    assert match([NUMBER], "four oh two") is None


def test_what_is_written_is_read_as_it_is_said():
    found = match([NUMBER], "My number is 42-17.")
    assert grammar.digits_in(found["digits"]) == "4217"
    assert match([parse("i'd like a refund")], "I\u2019d like a refund!")
    assert match([parse("yes")], "?!") is None


def test_jsgf_holds_every_phrase():
    text = to_jsgf([ORDER, NUMBER])
    assert text.startswith("#JSGF V1.0;")
    assert "( [ hello | hi ] where is my ( order | package ) [ please ] )" in text
    assert "<digit> <digit> <digit> <digit>" in text


@pytest.mark.parametrize(
    ("text", "why"),
    [("", "empty"), ("a (b", "missing"), ("a ] b", "closes nothing"), ("a (b]", "closes nothing"),
     ("12 b", "cannot be read"), ("<digits:0>", "1 to 16")],
)  # fmt: skip
def test_what_is_no_phrase_is_named(text, why):
    with pytest.raises(PhraseError, match=why):
        parse(text)


@given(st.text("ab ()[]|<digts:4>", max_size=30))
def test_any_text_is_a_phrase_or_a_phrase_error(text):
    try:
        phrase = parse(text)
    except PhraseError:
        return
    assert phrase.jsgf
