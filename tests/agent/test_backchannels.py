import pytest

from opensip.agent.backchannels import ends_sentence, hesitates, is_backchannel, spells, words_of


@pytest.mark.parametrize("text", ["mhm", "Yeah.", "Okay, right.", "uh-huh", "I see", "Ja, genau!"])
def test_words_that_want_no_floor(text):
    assert is_backchannel(text)


@pytest.mark.parametrize(
    "text", ["Ach so, verstehe.", "Ouais, d'accord", "Sí, claro", "Sì, certo", "Pois, sim", "goed"]
)
def test_other_languages_have_them_too(text):
    assert is_backchannel(text)


@pytest.mark.parametrize("text", ["nein", "moment", "non", "attendez", "espera", "no", "aspetta"])
def test_other_languages_want_the_floor_too(text):
    assert not is_backchannel(text)


def test_four_words_are_a_backchannel_and_five_are_more():
    assert is_backchannel("yeah okay right good")
    assert not is_backchannel("yeah okay right good yeah")


@pytest.mark.parametrize("text", ["yes", "okay", "sure", "ja", "sí"])
def test_what_may_be_an_answer_is_no_mere_hesitation(text):
    assert is_backchannel(text)
    assert not hesitates(text)


@pytest.mark.parametrize("text", ["stop", "no", "Yeah, but", "yeah yeah yeah yeah yeah", "wait"])
def test_words_that_want_it(text):
    assert not is_backchannel(text)


def test_who_thinks_says_no_word():
    assert hesitates("um, uh")
    assert hesitates("")
    assert not hesitates("um yes")


@pytest.mark.parametrize("text", ["Is it?", "It is.", 'He said "no."', "Wait…", "本当。"])
def test_ends_of_sentences(text):
    assert ends_sentence(text)
    assert not ends_sentence(text + " and")


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("my number is four two", True),
        ("four two.", True),
        ("it is 42", True),
        ("It is 4217.", False),
        ("Where is order 4217?", False),
        ("I want that one", False),
        ("the letters a b", True),
        ("where is it", False),
        ("", False),
    ],
)
def test_text_that_breaks_off_amid_something_spelled(text, more):
    assert spells(text) is more


def test_words_have_no_signs():
    assert words_of("It's A-1, isn\u2019t it?") == ("it's", "a-1", "isn\u2019t", "it")
