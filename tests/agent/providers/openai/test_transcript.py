from hypothesis import given
from hypothesis import strategies as st

from opensip.agent.providers.openai.transcript import Transcript


def test_words_come_bit_by_bit_and_then_for_good():
    transcript = Transcript()
    transcript.told("a", "Where ")
    transcript.told("a", "is")
    assert transcript.partial == "Where is"
    transcript.committed("a")
    transcript.told("a", " my")
    assert transcript.partial == "Where is my"
    assert transcript.completed("a", " Where is my\nlamp? ") == ["Where is my lamp?"]
    assert transcript.partial == ""


def test_a_later_stretch_waits_for_an_earlier_one():
    transcript = Transcript()
    transcript.committed("a")
    transcript.committed("b")
    transcript.told("a", "One")
    assert transcript.completed("b", "two") == []
    transcript.told("b", " late")
    assert transcript.partial == "One two"
    assert transcript.completed("a", "One,") == ["One,", "two"]


def test_words_of_a_stretch_that_never_was_are_forgotten():
    transcript = Transcript()
    transcript.told("cleared", "Thank you.")
    transcript.told("b", "Yes")
    transcript.committed("b")
    assert transcript.partial == "Yes"
    assert transcript.completed("unknown", "No") == []  # it waits for the one before it
    assert transcript.completed("b", "Yes.") == ["Yes.", "No"]


@given(st.permutations(range(6)))
def test_in_whatever_order_they_come_each_is_final_once_and_in_order(order):
    transcript, finals = Transcript(), []
    for item in range(6):
        transcript.committed(str(item))
    for item in order:
        finals += transcript.completed(str(item), f"w{item}")
    assert finals == [f"w{n}" for n in range(6)]
    assert transcript.partial == ""
