import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.agent.clauses import LONGEST, ClauseCutter, clauses


def cut(text, size=1):
    cutter, found = ClauseCutter(), []
    for start in range(0, len(text), size):
        found += cutter.push(text[start : start + size])
    return [clause.strip() for clause in found + cutter.flush()]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Good morning, I am happy to help. What is it?",
         ["Good morning,", "I am happy to help.", "What is it?"]),
        ("Yes. It is here, and it is on its way to you.", ["Yes. It is here,",
                                                         "and it is on its way to you."]),
        ("I see Dr. Smith at 3.30 today, with J. Doe.", ["I see Dr. Smith at 3.30 today,",
                                                        "with J. Doe."]),
        ("Two things:\n1. one\n2. two", ["Two things:", "1. one\n2. two"]),
        ("Well now. See [our, big site](https://x.y/z?a=1), please.",
         ["Well now. See [our, big site](https://x.y/z?a=1),", "please."]),
        ("Run this code: ```a = 1. b = 2.\nc```. Then go. ",
         ["Run this code:", "```a = 1. b = 2.\nc```.", "Then go."]),
        ("Wait <think>is it, or. not</think> no.", ["Wait <think>is it, or. not</think> no."]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [1, 4, 1000])
def test_clauses_of_a_text_that_comes(text, wanted, size):
    assert cut(text, size) == wanted


def test_clauses_are_long_enough_to_sound_whole():
    text = "I am sorry, I found no order. Please say the four digits again, or ask for a person."
    assert " ".join(clauses(text)) == text
    assert all(len(clause) >= 25 for clause in clauses(text)[:-1])
    assert clauses("") == []


@pytest.mark.parametrize(
    "text",
    [
        "Your appointment today is with Dr. Smith at nine.",
        "The shop on Harbor Street closes at 5 p.m. tomorrow.",
        "Your subscription is good until January 6, 2029 at least.",
        "Our new shop is open from Dec. 24th, 2026 on.",
        "The parcel was left with your neighbor J. Doe.",
    ],
)
def test_a_whole_text_and_one_that_comes_are_cut_by_one_rule(text):
    assert clauses(text) == [text]
    assert all(clauses(clause) == [clause] for clause in cut(text))
    assert not any(clause.endswith(("Dr.", "p.m.", "6,", "24th,", "J.")) for clause in cut(text))


def test_words_without_any_end_are_cut_at_a_space():
    found = cut("word " * 100)
    assert all(len(clause) <= LONGEST for clause in found)
    assert len(found) == 3


@given(st.text(alphabet=st.sampled_from("ab ,.;:!?\n[](`<>1$é…"), max_size=400), st.integers(1, 9))
def test_nothing_is_lost_and_nothing_added(text, size):
    cutter, found = ClauseCutter(), []
    for start in range(0, len(text), size):
        found += cutter.push(text[start : start + size])
    joined = "".join(found + cutter.flush())
    assert "".join(joined.split()) == "".join(text.split())
