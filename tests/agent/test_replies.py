import string

import pytest

from opensip.agent.replies import REPLIES, fillers, reply
from opensip.agent.yes_no import LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_of_a_yes_has_every_reply_with_what_must_stand_in_it(language):
    for name, english in REPLIES.items():
        text = reply(name, f"{language}-XX")
        assert (text == english) is (language == "en")
        held = {part[1] for part in string.Formatter().parse(text) if part[1] is not None}
        wanted = {"what"} if name in ("confirm", "confirm_again") else set()
        assert held - {"who"} == wanted
    assert fillers(language)


def test_other_languages_have_the_english_ones_and_no_words_for_a_wait():
    assert reply("apology", "fi") == REPLIES["apology"]
    assert fillers("fi") == ()
