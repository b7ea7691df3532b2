import pytest

from opensip.errors import LocalProtocolError, RemoteProtocolError
from opensip.sip.headers import COMPACT, Headers, header_key

SOME = Headers([("v", "a, b"), ("VIA", "c"), ("X-Own", "1"), ("Call-ID", "x")])


def test_names_are_found_in_any_case_and_form():
    assert SOME.get("Via") == "a, b"
    assert SOME.get("i") == "x"
    assert SOME.get("x-OWN") == "1"
    assert SOME.get("To") is None
    assert SOME.get_all("v") == ("a, b", "c")
    assert SOME.get_all("To") == ()
    assert SOME.has("VIA")
    assert not SOME.has("From")


@pytest.mark.parametrize(("compact", "long"), COMPACT.items())
def test_every_compact_form(compact, long):
    assert header_key(compact) == header_key(compact.upper()) == header_key(long.title()) == long


def test_values_are_split_at_commas_outside_quotes_and_brackets():
    headers = Headers([("Contact", '"a, b" <sip:c,d@e>,<sip:f>'), ("m", ""), ("Contact", "*")])
    assert headers.values("Contact") == ('"a, b" <sip:c,d@e>', "<sip:f>", "", "*")


def test_changes_give_new_headers_and_keep_spelling_and_order():
    assert SOME.add("To", "y").items()[-1] == ("To", "y")
    assert SOME.prepend("Route", "r").items()[0] == ("Route", "r")
    assert SOME.replace("Via", "z").items() == (("v", "z"), ("X-Own", "1"), ("Call-ID", "x"))
    assert SOME.replace("To", "y").items()[-1] == ("To", "y")
    assert SOME.replace_top("Via", "z;received=1").get_all("Via") == ("z;received=1, b", "c")
    assert SOME.replace_top("To", "y") == SOME
    assert SOME.remove("via").items() == (("X-Own", "1"), ("Call-ID", "x"))
    assert SOME.extend([("To", "y"), ("From", "z")]).items()[-2:] == (("To", "y"), ("From", "z"))
    assert len(SOME) == 4


def test_headers_are_values():
    same = Headers(list(SOME))
    assert same == SOME
    assert hash(same) == hash(SOME)
    assert SOME != "other"
    assert repr(Headers([("a", "b")])) == "Headers([('a', 'b')])"


@pytest.mark.parametrize(
    ("name", "value"),
    [("X-A", "1\r\nInjected: 2"), ("X-A", "1\n"), ("X A", "1"), ("X:", "1"), ("", "1")],
)
def test_a_header_cannot_smuggle_another(name, value):
    for build in (
        lambda: Headers([(name, value)]),
        lambda: SOME.add(name, value),
        lambda: SOME.prepend(name, value),
        lambda: SOME.replace(name, value),
        lambda: SOME.replace_top(name, value),
        lambda: SOME.extend([(name, value)]),
    ):
        with pytest.raises(LocalProtocolError):
            build()


def test_count_is_of_header_lines_under_any_spelling():
    headers = Headers([("Via", "a, b"), ("v", "c"), ("To", "d")])
    assert [headers.count(name) for name in ("via", "V", "From")] == [2, 2, 0]


def test_lines_that_cannot_be_split_are_left_out_where_that_is_asked():
    headers = Headers([("X", ',"never closed'), ("X", "a, b")])
    assert headers.readable_values("X") == ("a", "b")
    with pytest.raises(RemoteProtocolError):
        headers.values("X")
