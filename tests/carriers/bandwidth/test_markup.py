from xml.etree.ElementTree import fromstring

import pytest

from opensip.carriers.bandwidth.markup import duet_route, forward, sip_uri, transfer
from opensip.errors import ConfigError

HERE = "sip:+15553334444@sip.us.opensip.example:5061;transport=tls"


def test_the_uri_that_bandwidth_calls():
    assert sip_uri("+15553334444", "sip.us.opensip.example") == HERE


def test_forward():
    text = forward(HERE, from_="+15551112222", uui="aGVsbG8gd29ybGQ=;encoding=base64")
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<Response>')
    (verb,) = fromstring(text.partition("\n")[2])  # noqa: S314 - our own text
    assert (verb.tag, verb.attrib) == (
        "Forward",
        {
            "to": HERE,
            "from": "+15551112222",
            "callTimeout": "30",
            "diversionTreatment": "propagate",
            "uui": "aGVsbG8gd29ybGQ=;encoding=base64",
        },
    )


def test_transfer_to_a_sip_uri_escapes_what_xml_must():
    text = transfer("sip:a&b@h", caller_id="+15551112222", complete_url="/done?a=1&b=2")
    (verb,) = fromstring(text.partition("\n")[2])  # noqa: S314 - our own text
    assert verb.attrib == {
        "transferCallerId": "+15551112222",
        "callTimeout": "30",
        "transferCompleteUrl": "/done?a=1&b=2",
    }
    assert [(child.tag, child.text, child.attrib) for child in verb] == [
        ("SipUri", "sip:a&b@h", {})
    ]


@pytest.mark.parametrize(
    "wrong",
    [{"uui": "x" * 257}, {"call_timeout": 301}, {"diversion": "always"}],
)
def test_what_bandwidth_would_refuse_is_refused_here(wrong):
    with pytest.raises(ConfigError, match=r"Bandwidth takes|one of"):
        forward(HERE, **wrong)


def test_duet_route_names_the_endpoint():
    assert f"Endpoint   {HERE}\n" in duet_route(HERE)
