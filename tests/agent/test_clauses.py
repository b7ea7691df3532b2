import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.agent.clauses import LONGEST, ClauseCutter


def cut(text, size=1):
    cutter, found = ClauseCutter(), []
    for start in range(0, len(text), size):
        found += cutter.push(text[start : start + size])
    return [clause.strip() for clause in found + cutter.flush()]


@pytest.mark.parametrize(
    ("text", "clauses"),
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
def test_clauses(text, clauses, size):
    assert cut(text, size) == clauses


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
