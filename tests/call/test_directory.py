import pytest

from opensip.call.directory import is_number, is_over_tls, target_of
from opensip.errors import NotAllowed
from opensip.sip.uri import Uri

DIRECTORY = {
    "desk": "sip:desk@pbx.example.com;transport=tls",
    "sales": "919 555 1234",
    "mobile": "tel:+19195550000",
    "police": "911",
    "hidden": "sip:9-1-1@pbx.example.com",
    "service": "urn:service:sos",
    "broken": "the people upstairs",
}


def target(name):
    return target_of(name, DIRECTORY, country="US", host="sbc.example.com:5061")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("desk", "sip:desk@pbx.example.com;transport=tls"),
        ("sales", "sip:+19195551234@sbc.example.com:5061;user=phone"),
        ("mobile", "tel:+19195550000"),
    ],
)
def test_an_entry_gives_its_target(name, expected):
    assert target(name) == expected


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("police", "emergency"),
        ("hidden", "emergency"),
        ("service", "emergency"),
        ("+19005551234", "no entry"),
        ("sip:desk@pbx.example.com", "no entry"),
        ("broken", "neither a URI nor a number"),
    ],
)
def test_the_policy_refuses_what_is_not_listed_or_could_reach_emergency_services(name, why):
    with pytest.raises(NotAllowed, match=why):
        target(name)


def test_what_a_uri_says_of_its_kind_and_its_way():
    uris = ["tel:+19195551234", "sip:+19195551234@h;user=phone", "sip:desk@h", "sips:desk@h"]
    assert [is_number(Uri.parse(uri)) for uri in uris] == [True, True, False, False]
    assert [is_over_tls(Uri.parse(uri)) for uri in uris] == [False, False, False, True]
    assert is_over_tls(Uri.parse("sip:desk@h;transport=TLS"))
