import pytest

from opensip.sip.masking import masked
from tests.fakes.cost import DEAR, cpu_seconds


def test_credentials_and_keys_are_masked():
    text = (
        'Authorization: Digest username="u", response="0123abcd", cnonce="c"\r\n'
        "Proxy-Authorization: Basic dTpw\r\n"
        'Proxy-Authorization: Digest username="u",\r\n response = "4567"\r\n'
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3|2^20\r\nX-Note: kept\r\n"
    )
    assert masked(text) == (
        'Authorization: Digest username="u", response="***", cnonce="c"\r\n'
        "Proxy-Authorization: Basic ***\r\n"
        'Proxy-Authorization: Digest username="u",\r\n response = "***"\r\n'
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:***\r\nX-Note: kept\r\n"
    )


def test_masking_keeps_to_the_credentials_and_follows_a_fold():
    rest = "\r\nVia: kept\r\nAuthorization: token\r\nVia: kept\r\n"
    folded = "Authorization:\r\n Bearer abc\r\n def"
    assert masked(folded + rest) == "Authorization:\r\n Bearer ***" + rest
    keyless = "a=crypto:1 X inline:\r\na=crypto:2\r\n"
    assert masked(keyless) == keyless
    assert (
        masked("say a=crypto:a=crypto:1 X inline:key|2^20")
        == "say a=crypto:a=crypto:1 X inline:***"
    )


@pytest.mark.parametrize(
    "text",
    [
        "\nauthorization:" + " " * 64000,
        "\nauthorization: digest" * 2900,
        "a=crypto:" * 7000,
        "authorization" + "response = " * 5800,
    ],
)
def test_masking_costs_little_whatever_a_stranger_sends(text):
    assert cpu_seconds(lambda: masked(text)) < DEAR
