from dataclasses import replace

from opensip.agent.check_replies import foreign
from opensip.agent.definition import Agent, Variant
from opensip.agent.replies import REPLIES

FINNISH = Agent("a", kind="model", language="fi", synthesizer=("main", "embedded"))


def test_english_words_in_another_language_are_told():
    [told] = foreign(FINNISH)
    assert told.startswith("replies: we have none in the language 'fi', so that callers hear")
    assert "write apology, call_again, " in told
    [told] = foreign(replace(FINNISH, replies=dict.fromkeys(REPLIES.keys() - {"resume"}, "x")))
    assert told.endswith("write resume")
    assert list(foreign(replace(FINNISH, replies=dict.fromkeys(REPLIES, "x")))) == []


def test_an_english_voice_in_another_language_is_told():
    told = "synthesizer: the embedded voice speaks English alone, not 'de-AT'"
    assert list(foreign(replace(FINNISH, language="de-AT", synthesizer=("embedded",)))) == [told]


def test_our_languages_and_line_tests_need_nothing():
    for agent in (
        Agent("a"), Agent("a", language="en-GB"), replace(FINNISH, language="pl"),
        replace(FINNISH, kind="echo"),
    ):  # fmt: skip
        assert list(foreign(agent)) == []


def test_a_number_of_another_language_is_looked_at():
    numbers = {"+3589123456": Variant(language="fi"), "+19195551234": Variant(greeting="Hi.")}
    [told] = foreign(replace(FINNISH, language="en", numbers=numbers))
    assert told.startswith("numbers.+3589123456.replies: we have none in the language 'fi'")


def test_english_ears_in_another_language_are_told():
    agent = replace(FINNISH, kind="scripted", language="de", recognizer=("embedded",))
    assert list(foreign(agent)) == [
        "recognizer: the embedded one understands English alone, not 'de'"
    ]
