import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.errors import RemoteProtocolError
from opensip.sip.fields import CSeq
from opensip.sip.response_fields import RAck, RSeq, Warning


def test_warning():
    # RFC 3261 section 20.43
    text = '307 isi.edu "Session parameter \\"foo\\" not understood"'
    warning = Warning.parse(text)
    assert (warning.code, warning.agent) == (307, "isi.edu")
    assert warning.text == 'Session parameter "foo" not understood'
    assert str(warning) == text


@given(st.integers(100, 399), st.text(st.characters(min_codepoint=32, exclude_characters="\x7f")))
def test_warning_round_trips(code, text):
    made = Warning(code, "192.0.2.1:5060", text)
    assert Warning.parse(str(made)) == made


def test_rack():
    rack = RAck.parse(" 776656  1 INVITE")
    assert rack == RAck(776656, CSeq(1, "INVITE"))
    assert str(rack) == "776656 1 INVITE"
    assert str(RSeq.parse(" 7 ")) == "7"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Warning, "307 isi.edu"),
        (Warning, "307 isi.edu unquoted"),
        (Warning, '307 isi.edu "open'),
        (Warning, '307 isi.edu "closed" more'),
        (Warning, '30 isi.edu "x"'),
        (RSeq, "0"),
        (RSeq, "4294967296"),
        (RSeq, ""),
        (RAck, "1"),
        (RAck, "1 2"),
        (RAck, "0 1 INVITE"),
    ],
)
def test_what_does_not_follow_the_grammar(kind, text):
    with pytest.raises(RemoteProtocolError):
        kind.parse(text)
