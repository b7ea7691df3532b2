import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.sip.dtmf_relay import PLAIN, RELAY, read_digit, write_digit


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        (RELAY, b"Signal=5\r\nDuration=160\r\n", ("5", 160)),
        (RELAY, b"Signal= *\r\nDuration= 250\r\n", ("*", 250)),
        (RELAY, b"Duration=100\nSignal=d\n", ("D", 100)),
        (RELAY, b"Signal=10\r\nDuration=160\r\n", ("*", 160)),
        (RELAY, b"Signal=11", ("#", 0)),
        ("Application/DTMF-Relay;x=1", b"signal=#", ("#", 0)),
        (PLAIN, b"9\r\n", ("9", 0)),
        (PLAIN, b" a ", ("A", 0)),
        (PLAIN, b"15", ("D", 0)),
        (RELAY, b"Signal=16", None),
        (RELAY, b"Signal=55", None),
        (RELAY, b"\xff\x00", None),
        (RELAY, b"5", None),
        (PLAIN, b"", None),
        (PLAIN, b"Signal=5", None),
        (PLAIN, b"12345", None),
        ("text/plain", b"5", None),
        ("", b"5", None),
    ],
)
def test_both_forms(content_type, body, expected):
    assert read_digit(content_type, body) == expected


def test_the_forms_on_the_wire():
    assert write_digit(RELAY, "#", 160) == b"Signal=#\r\nDuration=160\r\n"
    assert write_digit(PLAIN, "5", 160) == b"5"


@given(st.sampled_from((RELAY, PLAIN)), st.sampled_from("0123456789*#ABCD"), st.integers(0, 99999))
def test_what_is_written_is_read_back(form, digit, duration):
    read = read_digit(form, write_digit(form, digit, duration))
    assert read == (digit, duration if form == RELAY else 0)


@given(st.sampled_from((RELAY, PLAIN)), st.binary(max_size=60))
def test_any_body_is_a_digit_or_none(form, body):
    read = read_digit(form, body)
    assert read is None or read[0] in "0123456789*#ABCD"
