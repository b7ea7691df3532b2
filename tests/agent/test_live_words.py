from hypothesis import given
from hypothesis import strategies as st

from opensip.agent.live_words import LiveWords


def test_words_change_until_they_are_final():
    words = LiveWords()
    words.told("where", final=False)
    words.told("wear his", final=False)
    assert (words.text, words.final) == ("wear his", False)
    words.told("Where is it?", final=True)
    words.told("I", final=False)
    assert (words.text, words.final) == ("Where is it? I", False)
    assert words.take() == "Where is it? I"
    assert words.text == ""


def test_what_was_taken_early_is_not_told_again():
    words = LiveWords()
    words.told("where is", final=False)
    assert words.take() == "where is"
    words.told("where is my", final=False)
    assert words.text == "my"
    words.told("Where is my order?", final=True)
    assert words.take() == "my order?"
    words.told("Thanks.", final=True)
    assert words.take() == "Thanks."


def test_what_was_taken_may_be_given_back():
    words = LiveWords()
    words.told("My name is", final=False)
    taken = words.take()
    words.told("My name is Ada", final=False)
    words.give_back(taken)
    assert words.text == "My name is Ada"
    words.told("My name is Ada.", final=True)
    assert (words.text, words.final) == ("My name is Ada.", True)
    words.give_back("")
    assert words.take() == "My name is Ada."


sentences = st.lists(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=6), max_size=5)


@given(sentences, st.data())
def test_every_final_word_is_taken_once(said, data):
    words, taken = LiveWords(), []
    for sentence in said:
        for n in range(1, len(sentence) + 1):
            words.told(" ".join(sentence[:n]), final=n == len(sentence))
            if data.draw(st.booleans()):
                taken += words.take().split()
    taken += words.take().split()
    assert taken == [word for sentence in said for word in sentence]
