import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.carriers.number import (
    calling_code,
    countries_of,
    describe,
    is_emergency_number,
    is_ordinary,
    normalise,
)


@pytest.mark.parametrize(
    "raw",
    [
        "+19195551234",
        "19195551234",
        "9195551234",
        "(919) 555-1234",
        "+1-919-555-1234",
        "+19195551234;npdi;rn=+19195550000",
        "9195551234;npdi",
        "sip:+19195551234@192.0.2.10;user=phone",
        "sip:+19195551234;npdi;rn=+19195550000@192.0.2.10:5060;user=phone",
        "sips:%2B19195551234@example.com",
        "tel:+1-919-555-1234",
        "tel:9195551234;phone-context=+1",
        "tel:5551234;phone-context=+1919",
        '"Caller" <sip:19195551234@192.0.2.10>;tag=1',
        "011" + "19195551234",
        "\uff0b19195551234",
    ],
)
def test_every_form_of_a_number_is_one_number(raw):
    assert normalise(raw, "US") == "+19195551234"


@pytest.mark.parametrize(
    ("raw", "country", "expected"),
    [
        ("4921154591991", "DE", "+4921154591991"),
        ("0211 54591991", "DE", "+4921154591991"),
        ("004921154591991", "DE", "+4921154591991"),
        ("447911123456", "US", "+447911123456"),
        ("07911123456", "GB", "+447911123456"),
        ("5553334444", "US", "+15553334444"),
        ("15553334444", "US", "+15553334444"),
        ("sip:15553334444@h", "US", "+15553334444"),
    ],
)
def test_the_trunks_country_completes(raw, country, expected):
    assert normalise(raw, country) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("echo", "echo"),
        ("sip:echo@127.0.0.1:5060", "echo"),
        ("sip:agent@h;transport=tls", "agent"),
        ("1001", "1001"),
        ("911", "911"),
        ("+911", "+911"),
        ("", ""),
        ("12345678901234567890", "12345678901234567890"),
        ("+1555FLOWERS", "+1555FLOWERS"),
    ],
)
def test_what_is_no_number_passes_through(raw, expected):
    assert normalise(raw, "US") == expected


@given(st.text(max_size=60), st.sampled_from(["US", "DE", "GB", "ES", ""]))
def test_any_text_has_one_form_that_is_its_own(raw, country):
    once = normalise(raw, country)
    if once.startswith("+") and once[1:].isdecimal():
        assert normalise(once, country) == once


def test_what_the_numbering_plans_say():
    assert is_ordinary("+19195551234", "US")
    assert is_ordinary("900353112", "ES")
    assert not is_ordinary("911", "US")
    assert not is_ordinary("not a number", "US")
    assert is_emergency_number("000", "AU")
    assert not is_emergency_number("000", "")
    assert (calling_code("US"), calling_code("DE"), calling_code("")) == (1, 49, 0)
    assert "CA" in countries_of(1)
    assert countries_of(7777) == ()


@given(st.from_regex(r"\+1[2-9][0-9]{9}", fullmatch=True))
def test_what_is_taken_for_possible_unasked_is_possible(number):
    assert phonenumbers.is_possible_number(phonenumbers.parse(number))
    assert normalise(number) == number


def test_what_the_plan_knows_of_a_number():
    assert describe("+4921154591991") == {
        "number": "+4921154591991",
        "country": "DE",
        "countryCallingCode": "49",
        "nationalNumber": "21154591991",
        "valid": True,
        "type": "FIXED_LINE",
        "uri": "tel:+4921154591991",
    }


@pytest.mark.parametrize(
    ("number", "country", "kind", "valid"),
    [
        ("+447400123456", "GB", "MOBILE", True),
        ("+18005551234", "US", "TOLL_FREE", True),
        ("+19195551234", "US", "FIXED_LINE_OR_MOBILE", True),
        ("+15553334444", "", "UNKNOWN", False),
    ],
)
def test_the_kind_of_a_number(number, country, kind, valid):
    told = describe(number)
    assert (told["country"], told["type"], told["valid"]) == (country, kind, valid)


@pytest.mark.parametrize("text", ["", "echo", "anonymous", "9195551234", "+", "+0", "tel:+1919"])
def test_of_what_is_no_number_nothing_is_known(text):
    assert describe(text) == {}


@given(st.from_regex(r"\+?[0-9]{0,18}", fullmatch=True) | st.text(max_size=12))
def test_all_is_told_of_a_number_or_nothing(text):
    told = describe(text)
    names = ("number", "country", "countryCallingCode", "nationalNumber", "valid", "type", "uri")
    assert tuple(told) in ((), names)
    if told:
        assert told["uri"] == f"tel:{text}"


@given(digits=st.from_regex(r"[2-9][0-9]{9}", fullmatch=True))
def test_a_north_american_number_is_what_the_library_would_make_of_it(digits):
    number = f"+1{digits}"
    parsed = phonenumbers.parse(number)
    told = describe(number)
    assert told["valid"] == phonenumbers.is_valid_number(parsed)
    assert told["nationalNumber"] == phonenumbers.national_significant_number(parsed)
    assert told["country"] == (phonenumbers.region_code_for_number(parsed) or "")
