import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.errors import LocalProtocolError, RemoteProtocolError
from opensip.sip.grammar import (
    Params,
    escape,
    format_host_port,
    parse_host_port,
    parse_number,
    quote,
    split,
    unescape,
    unquote,
)

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40)
NAME = st.text("abcXYZ019-.!%*_+`'~", min_size=1, max_size=12)


@pytest.mark.parametrize("text", ["", "-1", "+5", " 5", "1_000", "1e9", "0x1", "٣", "4294967296"])
def test_numbers_are_ascii_digits_within_the_limit(text):
    with pytest.raises(RemoteProtocolError, match="bad nc"):
        parse_number(text, "nc")


def test_numbers_may_have_leading_zeros():
    assert parse_number("0000000000000000042", "nc") == 42


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("example.com", "example.com", None),
        ("192.0.2.1:5060", "192.0.2.1", 5060),
        ("[2001:db8::1]:5061", "2001:db8::1", 5061),
        ("host : 5060", "host", 5060),
    ],
)
def test_host_and_port(text, host, port):
    assert parse_host_port(text, "host") == (host, port)


@pytest.mark.parametrize(
    "text",
    ["", "-x", "a b", "a:", "a:65536", "a:x", "[::g]", "[:::1]", "[::1", "2001:db8::1", "a/"],
)
def test_what_is_no_host_and_port(text):
    with pytest.raises(RemoteProtocolError):
        parse_host_port(text, "host")


def test_host_and_port_are_written_with_brackets_where_needed():
    assert format_host_port("::1", 5060) == "[::1]:5060"
    assert format_host_port("a", None) == "a"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a", ["a"]),
        ("a,b,", ["a", "b", ""]),
        ('"a,b" <sip:c,d>,e', ['"a,b" <sip:c,d>', "e"]),
        ('"a\\",b",c', ['"a\\",b"', "c"]),
        ('<sip:a"b>,c', ['<sip:a"b>', "c"]),
    ],
)
def test_split_minds_quotes_and_brackets(text, parts):
    assert split(text, ",") == parts


def test_split_refuses_an_open_quote():
    with pytest.raises(RemoteProtocolError):
        split('a,"b', ",")


@given(TEXT)
def test_quoting_is_undone_by_unquoting(text):
    assert unquote(quote(text)) == text
    assert split(quote(text) + ",", ",") == [quote(text), ""]


def test_quote_takes_control_characters_out():
    assert quote("a\r\nX: y\x7f") == '"a  X: y "'


@given(
    st.text(max_size=40)
    | st.binary(max_size=20).map(lambda b: b.decode("utf-8", "surrogateescape"))
)
def test_escaping_is_undone_by_unescaping(text):
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return  # surrogates that no octet decodes to
    escaped = escape(text)
    assert escaped.isascii()
    octets = text.encode("utf-8", "surrogateescape")
    assert unescape(escaped).encode("utf-8", "surrogateescape") == octets


def test_unescape_leaves_what_is_no_escape_and_does_it_once():
    assert unescape("%zz%4%2541%00") == "%zz%4%41\x00"


def test_params_keep_spelling_and_order_and_are_found_in_any_case():
    params = Params.parse(' ; Tag=a; lr ;Text="a;b, \\"c\\"";x=[::1]')
    assert params.get("tag") == "a"
    assert params.get("LR") == ""
    assert params.get("text") == 'a;b, "c"'
    assert params.get("none") is None
    assert params.has("lr")
    assert str(params) == ';Tag=a;lr;Text="a;b, \\"c\\"";x=[::1]'
    assert params.items()[1] == ("lr", None)
    assert params
    assert not Params.parse("")


@pytest.mark.parametrize(
    "text", ["a", ";", ";;a", ";a=", ";=b", ";a b=c", ';a="b', ';a="b"c', ";a=b c", ";a=<b>"]
)
def test_what_is_no_parameter(text):
    with pytest.raises(RemoteProtocolError):
        Params.parse(text)


def test_params_are_changed_in_place_and_values_quoted_where_needed():
    params = Params.of([("a", "1"), ("lr", None)]).with_("A", "two words").with_("b", "3")
    assert str(params) == ';a="two words";lr;b=3'
    assert str(params.without("A")) == ";lr;b=3"
    with pytest.raises(LocalProtocolError):
        params.with_("a b")


@given(st.lists(st.tuples(NAME, st.none() | TEXT), max_size=6))
def test_params_round_trip(pairs):
    params = Params.of(pairs)
    again = Params.parse(str(params))
    assert again == params
    for name, value in {name.lower(): value for name, value in pairs}.items():
        assert again.get(name) == (value or "")
