import pytest

from opensip.agent.definition import Account, Agent, ToolTable, Variant, with_digits
from opensip.agent.replies import REPLIES
from opensip.agent.yes_no import LANGUAGES


def test_a_standing_reply_is_the_files_or_ours():
    agent = Agent("test", replies={"goodbye": "So long."})
    assert agent.reply("goodbye") == "So long."
    assert agent.reply("apology") == REPLIES["apology"]


def test_a_standing_reply_is_in_the_language_where_a_voice_knows_it():
    german = Agent("a", language="de-AT", synthesizer=("main", "embedded"))
    assert german.reply("goodbye") == "Auf Wiederhören."
    assert Agent("a", language="de").reply("goodbye") == "Goodbye."  # the voice is English


def test_a_number_of_another_language_has_its_own_standing_words():
    english = {"goodbye": "So long.", "apology": "Oops."}
    base = Agent(
        "a", kind="model", replies=english, fillers=("Hang on.",), idle_prompts=("Hello?",),
        synthesizer=("main",), numbers={
            "+4930123456": Variant(language="de", replies={"goodbye": "Tschüss."}),
            "+4930123457": Variant(language="de", fillers=("Moment.",), idle_prompts=("Hallo?",)),
            "+19195551234": Variant(greeting="Hi.", replies={"goodbye": "Bye."}),
        },
    )  # fmt: skip
    german = base.at("+4930123456")
    assert german.reply("goodbye") == "Tschüss."
    assert german.reply("apology").startswith("Es tut mir leid")
    assert german.bridges[0] == "Einen Moment."
    assert german.idle_prompts == ()
    other = base.at("+4930123457")
    assert (other.bridges, other.idle_prompts) == (("Moment.",), ("Hallo?",))
    ours = base.at("+19195551234")
    assert (ours.reply("goodbye"), ours.reply("apology")) == ("Bye.", "Oops.")
    assert (ours.bridges, ours.idle_prompts) == (("Hang on.",), ("Hello?",))


def test_who_waits_hears_something_unless_the_file_says_otherwise():
    assert Agent("a", kind="model").bridges[0] == "One moment."
    assert Agent("a", kind="model", language="de-AT").bridges == ()  # the embedded voice is English
    german = Agent("a", kind="model", language="de-AT", synthesizer=("main",))
    assert german.bridges[0] == "Einen Moment."
    assert Agent("a", kind="model", language="fi", synthesizer=("main",)).bridges == ()
    assert Agent("a", kind="model", fillers=()).bridges == ()
    assert Agent("a", kind="realtime").bridges == Agent("a", kind="model").bridges
    assert Agent("a").bridges == ()
    assert Agent("a", fillers=("Hm.",)).bridges == ("Hm.",)
    assert Agent("a", fillers=("Hm.",)).bridge_seconds == 0.7
    assert Agent("a", kind="model").bridge_seconds == 1.4
    assert Agent("a", filler_seconds=1.0).bridge_seconds == 1.0


def test_digits_stand_in_phrases_as_the_grammar_has_them():
    assert with_digits("my number is {digits}", 4) == "my number is <digits:4>"


def test_what_is_secret_shows_nowhere():
    assert "sk-1" not in repr(Account(api_key="sk-1"))
    assert "sk-1" not in repr(ToolTable(bearer="sk-1", secret="sk-1"))


def test_a_number_may_have_another_language_voice_and_ears():
    german = Variant(language="de", greeting="Hallo.", voice="awb", recognizer=("deutsch",))
    agent = Agent("a", greeting="Hello.", voice="slt", numbers={"+4930123456": german})
    met = agent.at("+4930123456")
    assert (met.language, met.greeting, met.voice) == ("de", "Hallo.", "awb")
    assert met.recognizer == ("deutsch",)
    assert met.synthesizer == agent.synthesizer
    for other in ("+4930123457", "", "withheld"):
        assert agent.at(other) is agent


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_for_a_wait_are_there_in_every_language_of_a_yes_and_short(language):
    agent = Agent("a", kind="model", language=language, synthesizer=("main",))
    first, second = agent.bridges
    assert len(first) <= 14
    assert len(second) <= 20
