import datetime

import pytest

from opensip.agent.tongues import DIGITS, date, digits, primary, yes_or_no
from opensip.agent.yes_no import LANGUAGES


def test_digits_one_by_one():
    assert digits("4017") == "four zero one seven"
    assert digits("+4017", "de-AT") == "+ vier null eins sieben"
    assert digits("4017", "fi") == "4, 0, 1, 7"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_of_a_yes_has_its_digits_and_its_months(language):
    assert len(set(DIGITS[language])) == 10
    months = {date(datetime.date(2026, month, 3), language) for month in range(1, 13)}
    assert len(months) == 12
    assert not any("-" in month for month in months)
    assert yes_or_no(True, language) != yes_or_no(False, language)


@pytest.mark.parametrize(
    ("language", "spoken"),
    [
        ("en-GB", "March 1, 2026"),
        ("de", "1. März 2026"),
        ("fr-CA", "1er mars 2026"),
        ("es", "1 de marzo de 2026"),
        ("pl", "1 marca 2026"),
        ("fi", "2026-03-01"),
    ],
)
def test_a_date_is_said_as_its_language_says_it(language, spoken):
    assert date(datetime.date(2026, 3, 1), language) == spoken


def test_a_tag_has_a_language_first():
    assert (primary("de-AT"), primary("PT"), primary("")) == ("de", "pt", "")
    assert yes_or_no(True, "fi") == "yes"
