import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.agent.yes_no import LANGUAGES, judge, words_for

ENGLISH = words_for("en-US")
WHAT = "cancel order, number 4 2 1 7"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Yes.", "yes"),
        ("Um, oh yes please.", "yes"),
        ("Yes, yes, go ahead.", "yes"),
        ("Yeah, that's right.", "yes"),
        ("Go ahead.", "yes"),
        ("Yes, cancel the order, thank you.", "yes"),
        ("Okay", "yes"),
        ("No.", "no"),
        ("No, make it Thursday.", "no"),
        ("Please don't.", "no"),
        ("I am not sure.", "no"),
        ("Yes, no, wait.", "unclear"),
        ("", "unclear"),
        ("Hm, uh.", "unclear"),
        ("Yes?", "unclear"),
        ("Well, yes, tomorrow.", "unclear"),
        ("Is that right", "unclear"),
        ("Cancel order number", "unclear"),
        ("Yes, but send two of them to my office.", "other"),
        ("What are your opening hours?", "other"),
        ("Yesterday I called your colleague.", "other"),
    ],
)
def test_an_answer_is_read(text, answer):
    assert judge(text, ENGLISH, WHAT) == answer


@pytest.mark.parametrize(
    ("language", "yes", "no"),
    [
        ("de-AT", "Ja, bitte.", "Nein, lieber nicht."),
        ("fr", "Oui, d\u2019accord.", "Non merci."),
        ("es", "Sí, por favor.", "No, gracias."),
        ("it", "Sì, va bene.", "No."),
        ("nl", "Ja, doe maar.", "Nee."),
        ("pl", "Tak, proszę.", "Nie."),
        ("pt-BR", "Sim, pode fazer.", "Não."),
    ],
)
def test_each_language_has_its_own(language, yes, no):
    words = words_for(language)
    assert (judge(yes, words), judge(no, words)) == ("yes", "no")
    assert judge("Perhaps another day, who knows?", words) == "other"


def test_an_agent_may_have_words_of_its_own():
    assert words_for("fi") is None
    words = words_for("fi", ("kyllä", "Selvä juttu!"), ("ei",))
    assert judge("Selvä juttu", words) == "yes"
    assert judge("Ei", words) == "no"
    assert judge("Aye", words_for("en", ("aye",))) == "yes"


@given(st.sampled_from(sorted(LANGUAGES)), st.text(max_size=40), st.data())
def test_nothing_with_a_no_in_it_is_ever_a_yes(language, text, data):
    words = words_for(language)
    no = data.draw(st.sampled_from(sorted(words.no)))
    yes = data.draw(st.sampled_from(sorted(words.yes)))
    assert judge(f"{yes} {text} {no}", words) != "yes"
    assert judge(text, words) in ("yes", "no", "unclear", "other")
