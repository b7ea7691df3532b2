import base64
import json
import zlib
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from opensip.call.handoff import (
    LINE,
    TOTAL,
    UUI_OCTETS,
    Handoff,
    cleaned,
    masked,
    pack,
    read_headers,
    unpack,
)
from opensip.sip.headers import Headers
from opensip.sip.uri import NameAddr

EXAMPLE = Handoff(
    call_id="c-8f3a",
    intent="billing_dispute",
    confidence=0.93,
    summary="Caller disputes $42 charge",
    transcript=("agent: Hello, how can I help?", "caller: I want to dispute a charge"),
    fields={"order": "4711", "name": "Ann & Co"},
    transcript_url="https://x.example/h/8f3a",
)
TEXT = st.text(max_size=200)
HANDOFFS = st.builds(
    Handoff,
    call_id=TEXT,
    intent=TEXT,
    confidence=st.floats(),
    summary=st.text(max_size=3000),
    transcript=st.lists(TEXT, max_size=30),
    fields=st.dictionaries(TEXT, TEXT, max_size=10),
    transcript_url=TEXT,
)
PROFILES = st.sampled_from(["generic", "bandwidth"])


def uui_data(value, encoding):
    data, _, parameter = value.partition(";")
    assert parameter == f"encoding={encoding}"
    return bytes.fromhex(data) if encoding == "hex" else base64.b64decode(data, validate=True)


def test_the_generic_profile_is_hex_with_the_protocol_discriminator():
    value = dict(EXAMPLE.headers())["User-to-User"]
    assert value == (
        "007b2276223a312c22636964223a22632d38663361222c22696e74223a2262696c6c696e675f64697370757465"
        "222c22636f6e66223a302e39332c2275726c223a2268747470733a2f2f782e6578616d706c652f682f38663361"
        "227d;encoding=hex"
    )


def test_the_bandwidth_profile_is_base64_as_bandwidth_writes_it():
    value = dict(EXAMPLE.headers("bandwidth"))["User-to-User"]
    assert json.loads(uui_data(value, "base64")) == {
        "v": 1,
        "cid": "c-8f3a",
        "int": "billing_dispute",
        "conf": 0.93,
        "url": "https://x.example/h/8f3a",
    }


def test_the_readable_headers():
    headers = dict(EXAMPLE.headers())
    assert headers["X-Opensip-Intent"] == "billing_dispute"
    assert headers["X-Opensip-Confidence"] == "0.93"
    assert headers["X-Opensip-Call-Id"] == "c-8f3a"
    assert headers["X-Opensip-Summary"] == "Caller%20disputes%20%2442%20charge"
    assert headers["X-Opensip-Fields"] == "order=4711&name=Ann%20%26%20Co"
    assert headers["X-Opensip-Transcript-Url"] == "https://x.example/h/8f3a"
    packed = headers["X-Opensip-Transcript"]
    inflated = zlib.decompress(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))
    assert inflated.decode().split("\n") == list(EXAMPLE.transcript)


@pytest.mark.parametrize("profile", ["generic", "bandwidth"])
def test_what_is_written_is_read(profile):
    assert read_headers(EXAMPLE.headers(profile)) == EXAMPLE


@pytest.mark.parametrize("profile", ["generic", "bandwidth"])
def test_what_is_escaped_into_refer_to_is_read_from_the_invite_that_follows(profile):
    written = EXAMPLE.refer_to("sip:+15556667777@pbx.example.com;transport=tls", profile)
    uri = NameAddr.parse(written).uri
    assert str(uri.without_headers()) == "sip:+15556667777@pbx.example.com;transport=tls"
    assert read_headers(uri.unescaped_headers()) == EXAMPLE


def test_user_to_user_alone_tells_the_essentials():
    read = read_headers(EXAMPLE.headers(budget=220))
    assert (read.call_id, read.intent, read.confidence) == ("c-8f3a", "billing_dispute", 0.93)
    assert read.summary == ""


def test_refer_to_joins_headers_already_there_and_spares_tel():
    assert "?Subject=x&User-to-User=00" in EXAMPLE.refer_to("sip:desk@h?Subject=x")
    assert EXAMPLE.refer_to("tel:+15556667777") == "<tel:+15556667777>"
    assert EXAMPLE.refer_to("sip:desk@h", budget=10) == "<sip:desk@h>"


@settings(max_examples=50)
@given(HANDOFFS, PROFILES, st.integers(0, TOTAL))
def test_any_context_stays_within_every_limit(handoff, profile, budget):
    headers = handoff.headers(profile, budget=budget)
    Headers(headers)  # refuses line breaks
    assert sum(len(name) + len(value) + 4 for name, value in headers) <= budget
    for name, value in headers:
        assert all(" " < character < "\x7f" for character in value), name
        assert len(value) <= LINE
    encoding = "hex" if profile == "generic" else "base64"
    data = uui_data(handoff.user_to_user(profile), encoding)
    assert len(data) <= UUI_OCTETS
    assert json.loads(data.removeprefix(b"\0"))["v"] == 1


@settings(max_examples=50)
@given(HANDOFFS, PROFILES, st.integers(0, TOTAL))
def test_any_context_escaped_into_a_uri_leaves_the_uri_what_it_was(handoff, profile, budget):
    written = handoff.refer_to("sip:desk@h;transport=tls", profile, budget=budget)
    uri = NameAddr.parse(written).uri
    assert str(uri.without_headers()) == "sip:desk@h;transport=tls"
    assert len(written) <= budget + len("<sip:desk@h;transport=tls?>")
    read_headers(uri.unescaped_headers())


@settings(max_examples=50)
@given(HANDOFFS, PROFILES)
@example(Handoff("", "", 0.0, "ĳ" * 150, (), {}, ""), "generic")  # cut to fit a header
def test_any_context_comes_back_clean(handoff, profile):
    read = read_headers(handoff.headers(profile))
    assert read.intent == cleaned(handoff.intent, 48)
    assert 0.0 <= read.confidence <= 1.0
    assert cleaned(masked(handoff.summary), 400).startswith(read.summary.removesuffix("..."))
    lines = [cleaned(masked(line), LINE) for line in handoff.transcript]
    assert list(read.transcript) in ([], lines[-len(read.transcript) :])


@given(st.text(), st.lists(st.text()), st.text())
def test_any_header_is_read_without_harm(uui, transcript, other):
    values = [(f"X-Opensip-{name}", quote(other)) for name in ("Summary", "Fields", "Confidence")]
    values += [("User-to-User", quote(uui)), ("X-Opensip-Transcript", quote("".join(transcript)))]
    read_headers(values)


HELLO = b'{"v":1,"cid":"x"}'


@pytest.mark.parametrize(
    "value",
    [
        HELLO.hex(),
        HELLO.hex().upper() + ";encoding=hex",
        "00" + HELLO.hex() + ";encoding=hex;purpose=isdn-uui;content=isdn-uui",
        base64.b64encode(HELLO).decode() + ";encoding=base64",
        base64.b64encode(HELLO).decode(),
        base64.urlsafe_b64encode(HELLO).decode().rstrip("="),
        f"eyJhbGciOiJIUzI1NiJ9.{base64.urlsafe_b64encode(HELLO).decode().rstrip('=')}.c2ln;encoding=jwt",
    ],
)
def test_every_encoding_is_read(value):
    assert read_headers([("User-to-User", value)]).call_id == "x"


def test_our_own_value_is_found_among_others():
    values = "eyJhbGciOiJIUzI1NiJ9.WyJoaSJd.xx;encoding=jwt, " + HELLO.hex()
    assert read_headers([("User-to-User", values)]).call_id == "x"
    assert read_headers([("User-to-User", b'{"v":9}'.hex())]).call_id == ""


def test_the_tail_of_a_long_dialogue_is_kept():
    lines = [f"caller: {number} {hash(str(number)):x}" for number in range(300)]
    kept = unpack(pack(lines, LINE))
    assert 10 < len(kept) < 300
    assert list(kept) == lines[-len(kept) :]


def test_a_bomb_is_not_inflated():
    bomb = base64.urlsafe_b64encode(zlib.compress(b"a" * 10_000_000)).decode()
    assert len(unpack(bomb)[0]) <= LINE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("my card is 4111 1111 1111 1111 ok", "my card is *** ok"),
        ("card 4111-1111-1111-1111", "card ***"),
        ("ssn 078-05-1120.", "ssn ***."),
        ("order 4111111111111112", "order 4111111111111112"),
        ("call +15551112222", "call +15551112222"),
    ],
)
def test_numbers_of_cards_and_social_security_do_not_leave(text, expected):
    assert masked(text) == expected


def test_control_and_invisible_characters_become_spaces():
    assert cleaned("a\r\nb\x00c\u202ed\u2028e\ud800f", 50) == "a b c d e f"


def test_what_there_is_no_room_for_is_named():
    read = read_headers(EXAMPLE.headers(budget=420))
    assert (read.call_id, read.intent) == ("c-8f3a", "billing_dispute")
    assert read.left_out == ("fields", "summary", "transcript")
    read = read_headers(EXAMPLE.headers(budget=500))
    assert (read.fields, read.summary) == (EXAMPLE.fields, EXAMPLE.summary)
    assert read.left_out == ("transcript",)
    assert EXAMPLE.headers() == EXAMPLE.headers(budget=2000)
    assert "X-Opensip-Left-Out" not in dict(EXAMPLE.headers())


def test_a_summary_that_was_cut_says_so():
    long = Handoff("c-1", summary="word " * 60)
    summary = read_headers(long.headers(budget=400)).summary
    assert summary.startswith("word word")
    assert summary.endswith("...")
