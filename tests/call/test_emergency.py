import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.call.emergency import EVERYWHERE, is_emergency

DIALLED = [
    "911", "933", "112", "999",
    "9-1-1", "9 1 1", "9.1.1", "(911)", " 911 ", "9\u20111\u20111", "9\u200b11", "9\t1\t1",
    "\uff19\uff11\uff11", "\u0669\u0661\u0661", "911#", "911,,1", "911p1", "911w", "911;ext=1",
    "*67911", "*82911", "#31#911", "*31#112",
]  # fmt: skip
PREFIXED = [
    "+911", "+112", "+999", "+933", "++911", "9911", "9,911"[0] + "-911", "91911", "0112", "0911",
    "8911", "9999", "9112", "1911", "+1911", "1933", "00911", "00112", "0111911", "+49112",
    "0049112", "+44999", "+61000", "+9911", "+1112",
]  # fmt: skip
EMBEDDED = [
    "sip:911@example.com", "sips:911@example.com", "SIP:911@example.com", "sip:911", "sip:911:5060",
    "sip:echo@911",
    "sip:+911@example.com", "sip:9911@example.com", "sip:911@example.com;user=phone",
    "sip:911;phone-context=+1@example.com;user=phone", "sip:911:secret@example.com",
    "sip:9-1-1@example.com", "sip:%39%31%31@example.com", "sip:%2539%2531%2531@example.com",
    "sip:%39%31%31%40example.com", "sip:911%40example.com@proxy.example.com",
    "sip:+1-911@example.com", "tel:911", "TEL:911", "tel:9-1-1", "tel:911;phone-context=+1",
    "tel:911;phone-context=example.com", "tel:11;phone-context=+9", "tel:+1911",
    "tel:+19195551234;npdi;rn=911", "tel:112", '"Help" <sip:911@example.com>;tag=1',
    "<tel:911>", "<sip:911@example.com", "sip:911@192.0.2.1:5060;transport=tls",
    "urn:service:sos", "URN:SERVICE:SOS", "urn:service:sos.police", "<urn:service:sos.fire>",
    "urn:service:test.sos", "urn%3Aservice%3Asos", "%25252525252539", "sip:911@",
]  # fmt: skip
BEHIND = [
    "9,911", "9w911", "9p911", "9,,112", "0,112", "9,1,911", "9,11", "91!1", ",911", "sip:9,911@h",
    "99911", "77911", "88911", "123911", "911911", "77933", "sip:77911@h", "tel:77-911",
    "abc123911", "sip:abc123911@h", "trunk911", "group911", "agent911", "1010288,911",
    "dial-911", "sip:ab12933@h",
    "9,abc911",
]  # fmt: skip
ORDINARY = [
    "+19115551234", "19115551234", "9115551234", "+4911255512345", "+49112345678", "+911122334455",
    "+919999999999", "+9112345678", "+447999123456", "+19195551234", "+15559110911", "9195550911",
    "+15553330112", "5551112", "5550911", "2112", "1112", "1999", "4933", "8112", "1001", "91",
    "11", "2911", "7911", "5551911",
    "9110", "9111", "91100", "echo", "tone", "agent", "desk-112", "group112", "", "+", "shop",
    "+19195551234,911", "9195551234,,9,911", "+15553334444p112", "+19195551234x911",
    "9195551234w911", "4,1", "9,", "nine11",
    "sip:479fbd44-3362-45f3-bb80-284f2111b911@example.com", "sip:echo@trunk911",
    "#",
    "sip:desk@127.0.0.1:999", "sip:desk@127.0.0.1:9911", "sip:desk@9.1.1.2", "sip:9.1.1.2",
    "sip:127.0.0.1:5911", "sip:+19115551234@911.example.com", "sip:echo@host:112",
    "sip:desk@example.com;x=911", "tel:+19195551234;ext=911", "sip:+19115551234@h;user=phone",
    "tel:+1-911-555-1234", "urn:service:counseling", "tel:5551234;phone-context=+1919",
]  # fmt: skip


@pytest.mark.parametrize("raw", DIALLED + PREFIXED + EMBEDDED + BEHIND)
def test_every_way_of_writing_an_emergency_number_is_known(raw):
    assert is_emergency(raw, "US")


@pytest.mark.parametrize("raw", ORDINARY)
def test_ordinary_numbers_and_names_are_not_caught(raw):
    assert not is_emergency(raw, "US")


@pytest.mark.parametrize(
    ("raw", "country", "expected"),
    [
        ("000", "AU", True),
        ("000", "US", False),
        ("110", "DE", True),
        ("0110", "DE", True),
        ("49110", "DE", True),
        ("49112", "DE", True),
        ("49112", "US", False),
        ("911", "DE", True),
        ("911", "", True),
        ("911", "XX", True),
        ("091112345", "DE", False),
        ("0911 123456", "DE", False),
        ("900353112", "ES", False),
        ("1112", "US", False),
        ("44999", "GB", True),
        ("9999", "GB", True),
        ("9001911", "US", False),
        ("77999", "GB", True),
        ("77999", "US", False),
        ("77112", "DE", True),
    ],
)
def test_the_country_decides_what_else_is_one(raw, country, expected):
    assert is_emergency(raw, country) is expected


@given(
    st.sampled_from(sorted(EVERYWHERE)),
    st.lists(st.sampled_from([" ", "-", ".", "(", ")", "\u00a0", "\u200b", "%20", "%2D"])),
    st.sampled_from(["{}", "sip:{}@h", "tel:{}", "<sip:{}@h;user=phone>", "sips:{};a=b@h:5061"]),
)
def test_no_separator_or_wrapping_hides_it(number, separators, wrapping):
    written = "".join(a + b for a, b in zip(number, [*separators, "", "", ""], strict=False))
    assert is_emergency(wrapping.format(written))


@given(st.text())
def test_any_text_gets_an_answer(raw):
    assert is_emergency(raw) in {True, False}


@given(st.integers(min_value=2, max_value=9), st.integers(min_value=0, max_value=10**9 - 1))
def test_full_national_numbers_in_use_are_never_caught(first, rest):
    assert not is_emergency(f"+1{first}{rest:09}")
