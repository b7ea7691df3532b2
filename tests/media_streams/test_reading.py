import json

import pytest

from opensip.errors import RemoteProtocolError
from opensip.media_streams.reading import LARGEST, fields_of, shown


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ("{", "no JSON: '{'"),
        ("[" * 100_000, "no JSON"),
        ("[]", "no JSON object: '[]'"),
        (" " * (LARGEST + 1), f"at most {LARGEST} are read"),
    ],
)
def test_refuses_what_is_no_message(message, why):
    with pytest.raises(RemoteProtocolError, match="media stream: ") as error:
        fields_of(message)
    assert why in str(error.value)


@pytest.mark.parametrize(
    ("read", "why"),
    [
        (lambda f: f.text("gone"), "gone is missing; it is a text"),
        (lambda f: f.text("yes"), "yes is True, not a text"),
        (lambda f: f.whole("word"), "word is 'x', not a whole number from 0 on"),
        (lambda f: f.octets("word"), "word is 'x', not base64"),
        (lambda f: f.inner("word"), "word is 'x', not an object"),
        (lambda f: f.inner("deep").text("word"), "deep.word is [], not a text"),
    ],
)
def test_names_the_place_and_the_value(read, why):
    fields = fields_of(json.dumps({"yes": True, "word": "x", "deep": {"word": []}}))
    with pytest.raises(RemoteProtocolError) as error:
        read(fields)
    assert str(error.value) == f"media stream: {why}"


def test_takes_numbers_as_texts_and_texts_as_numbers():
    fields = fields_of('{"n": 7, "t": "7", "all": {"a": 1}, "b": "/w=="}')
    assert (fields.text("n"), fields.whole("t"), fields.whole("gone", 3)) == ("7", 7, 3)
    assert fields.texts("all") == {"a": "1"}
    assert fields.texts("none") == {}
    assert fields.octets("b") == b"\xff"


def test_shows_only_the_beginning_of_what_is_long():
    assert len(shown("x" * 1000)) < 70
