import pytest

from opensip.settings import checks


@pytest.mark.parametrize(
    ("check", "good", "wrong"),
    [
        (checks.Within(1, 9), (1, 9, 5.5), (0, 10, -1, float("nan"), float("inf"))),
        (checks.Known(("PCMU", "PCMA"), "codec"), ("PCMU",), ("pcmu", "")),
        (checks.Hexadecimal(4), ("00fF",), ("", "00f", "00ffg", "zzzz", "00ff0")),
        (checks.our_address, ("0.0.0.0", "::", "192.0.2.1"), ("localhost", "", "192.0.2.256")),
        (checks.address_in_sdp, ("", "203.0.113.5", "2001:db8::1"), ("sip.example.com", " ")),
        (
            checks.host_in_via,
            ("", "203.0.113.5", "2001:db8::1", "sip.example.com", "localhost", "h.example."),
            ("a b", "-a.example", "a..b", "a\r\nb", "[::1]", "sip:h", "h:5060"),
        ),
        (checks.country_code, ("US", "DE", "GB"), ("us", "XX", "", "USA", "1")),
        (checks.header_text, ("opensip/1.0 (test)",), ("", "a\nb", "a\x00", "\u00e9")),
        (checks.quotable, ("my realm",), ("", 'a"b', "a\\b", "a\r\n")),
        (checks.header_name, ("X-Account-Id",), ("", "X Y", "X:", "\u00e9")),
        (checks.not_empty, (("a",), "a"), ((), "")),
    ],
)
def test_what_is_good_passes_and_what_is_wrong_is_named(check, good, wrong):
    for value in good:
        check(value)
    for value in wrong:
        with pytest.raises(ValueError, match=r"."):
            check(value)


def test_what_was_meant_is_told():
    with pytest.raises(ValueError, match="did you mean 'DE'"):
        checks.country_code("de")
    with pytest.raises(ValueError, match=r"no codec 'PCMX'; did you mean 'PCM[UA]'"):
        checks.Known(("PCMU", "PCMA"), "codec")("PCMX")
