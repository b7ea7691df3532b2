import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.sip.headers import Headers
from opensip.sip.message import Request
from opensip.sip.uri import Uri
from opensip.ua.attestation import attestation


def invite(*headers):
    return Request("INVITE", Uri.parse("sip:+15553334444@192.0.2.1"), Headers(headers))


@pytest.mark.parametrize(
    "identity",
    [
        '"A B" <sip:+15551112222@192.0.2.10:5061>;verstat=TN-Validation-Passed',
        "<sip:+15551112222;verstat=TN-Validation-Passed@192.0.2.10>",
        "<sip:+15551112222@192.0.2.10;verstat=TN-Validation-Passed>",
        "<tel:+15551112222;verstat=TN-Validation-Passed>",
        "<tel:+15551112222>; VERSTAT = TN-Validation-Passed",
    ],
)
@pytest.mark.parametrize("name", ["P-Asserted-Identity", "From", "f"])
def test_verstat_is_found_wherever_carriers_write_it(name, identity):
    assert attestation(invite((name, identity))) == {"verstat": "TN-Validation-Passed"}


def test_the_asserted_identity_goes_before_from():
    request = invite(
        ("From", "<sip:1@h>;verstat=TN-Validation-Passed;tag=1"),
        ("P-Asserted-Identity", "<sip:1@h>;verstat=TN-Validation-Failed"),
    )
    assert attestation(request)["verstat"] == "TN-Validation-Failed"


@pytest.mark.parametrize(
    ("written", "verstat", "level"),
    [
        ("TN-Validation-Passed-B", "TN-Validation-Passed", "B"),
        ("TN-Validation-Passed-C", "TN-Validation-Passed", "C"),
        ("No-TN-Validation", "No-TN-Validation", None),
    ],
)
def test_an_attestation_that_is_joined_to_it_stands_apart(written, verstat, level):
    found = attestation(invite(("From", f"<sip:1@h;verstat={written}>;tag=1")))
    assert (found["verstat"], found.get("attestation")) == (verstat, level)


def test_the_headers_beside_it():
    request = invite(
        ("P-Attestation-Indicator", "A"),
        ("P-Origination-ID", "b37efe53-564d-5095-b66d-720366cc1395"),
    )
    assert attestation(request) == {
        "attestation": "A",
        "origination_id": "b37efe53-564d-5095-b66d-720366cc1395",
    }


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("From", "<sip:verstat@h>;tag=verstat"),),
        (("P-Attestation-Indicator", "AAA"),),
        (("P-Origination-ID", "a b\tc"),),
        (("From", "<sip:1@h>;verstat=whatever"),),
    ],
)
def test_what_says_nothing_gives_nothing(headers):
    assert attestation(invite(*headers)) == {}


@given(st.text(st.characters(exclude_characters="\r\n", exclude_categories=("Cs",))))
def test_any_text_gives_a_few_plain_words_at_most(text):
    request = invite(("From", text), ("P-Attestation-Indicator", text), ("P-Origination-ID", text))
    found = attestation(request)
    assert set(found) <= {"verstat", "attestation", "origination_id"}
    assert all(value.isascii() and len(value) <= 64 for value in found.values())
