from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.errors import RemoteProtocolError
from opensip.sip.fields import CSeq
from opensip.sip.headers import Headers
from opensip.sip.message import (
    Request,
    Response,
    check_request,
    check_response,
    parse_message,
    refusal_of,
    response_to,
)
from opensip.sip.uri import NameAddr, Uri
from tests.fakes.cost import DEAR, cpu_seconds
from tests.fakes.sip_messages import INVITE, INVITE_HEAD, SDP, invite_with

CASES = st.sampled_from(["Subject", "X-Any", "via", "m", "Allow"])
VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=30)


def refused(data: bytes) -> RemoteProtocolError:
    with pytest.raises(RemoteProtocolError) as caught:
        check_request(parse_message(data))
    return caught.value


def test_an_invite_is_read_and_written_unchanged():
    request = parse_message(INVITE)
    check_request(request)
    assert request.to_bytes() == INVITE
    assert request.method == "INVITE"
    assert request.uri.transport == "tls"
    assert request.via.branch == "z9hG4bK0cB1d"
    assert [via.host for via in request.vias] == ["192.0.2.10"]
    assert request.from_.display_name == "WIRELESS CALLER"
    assert request.from_.tag == "gK0c6e4a21"
    assert request.to.tag is None
    assert request.call_id == "1234567_98765432@192.0.2.10"
    assert request.cseq == CSeq(42, "INVITE")
    assert request.contact.uri.port == 5061
    assert request.content_type == "application/sdp"
    assert request.body == SDP


def test_fields_are_parsed_once():
    request = parse_message(INVITE)
    assert request.via is request.via
    assert request.from_ is request.from_


def test_a_response():
    response = parse_message(b"sip/2.0 200 All is well\r\nCSeq: 1 BYE\r\nl: 0\r\n\r\n")
    assert isinstance(response, Response)
    assert (response.status, response.reason, response.cseq.method) == (200, "All is well", "BYE")
    assert response.content_type == ""
    assert parse_message(b"SIP/2.0 100\r\n\r\n").reason == ""
    assert parse_message(b"SIP/2.0 100 \r\n\r\n").reason == ""


def test_contact_may_be_missing_a_star_or_a_list():
    assert Request("A", Uri("sip", host="b"), Headers()).contact is None
    assert Request("A", Uri("sip", host="b"), Headers([("m", "*")])).contact is None
    many = Headers([("m", '"a, b" <sip:c>, <sip:d>')])
    assert Request("A", Uri("sip", host="b"), many).contact == NameAddr.parse('"a, b" <sip:c>')


def test_content_length_is_always_that_of_the_body_and_stays_in_its_place():
    headers = Headers([("l", "999"), ("Subject", "x"), ("Content-Length", "7")])
    request = Request("INFO", Uri("sip", host="b"), headers, b"four")
    assert request.to_bytes() == b"INFO sip:b SIP/2.0\r\nl: 4\r\nSubject: x\r\n\r\nfour"
    response = Response(200, "OK", Headers(), b"four")
    assert response.to_bytes() == b"SIP/2.0 200 OK\r\nContent-Length: 4\r\n\r\nfour"


def test_other_headers():
    request = parse_message(INVITE)
    assert request.with_headers(Headers()).body == SDP
    assert Response(200, "OK", Headers()).with_headers(Headers([("a", "b")])).headers.has("a")


def test_folding_becomes_one_space_and_space_before_the_colon_is_allowed():
    folded = b"A sip:b SIP/2.0\r\nSubject \t:  one\r\n \t two\r\n\tthree\r\nEmpty:\r\n\r\n"
    assert parse_message(folded).headers.items() == (("Subject", "one two three"), ("Empty", ""))


def test_octets_that_are_no_utf8_survive():
    data = b"A sip:b SIP/2.0\r\nSubject: caf\xe9\r\nContent-Length: 0\r\n\r\n"
    assert parse_message(data).to_bytes() == data


def test_octets_after_the_body_are_left_out():
    assert parse_message(INVITE + b"INVITE sip:again").body == SDP
    assert parse_message(b"A sip:b SIP/2.0\r\n\r\nwhole").body == b"whole"
    assert parse_message(b"SIP/2.0 200 OK\r\n\r\nwhole").body == b"whole"


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (b"SIP/2.0\r\nVia", b"SIP/7.0\r\nVia", 505),
        (b"SIP/2.0\r\nVia", b"HTTP/1.1\r\nVia", 400),
        (b"INVITE sip:+1555", b"INVITE  sip:+1555", 400),
        (b"INVITE sip:+1555", b"INV<ITE sip:+1555", 400),
        (b"INVITE sip:+1555", b"INVITE nothing ", 400),
        (b"Max-Forwards: 66", b"Max-Forwards", 400),
        (b"Max-Forwards: 66", b"Max-Forwards\x01: 66", 400),
        (b"Max-Forwards: 66", b": 66", 400),
        (b"Max-Forwards: 66", b"Max-Forwards: 256", 400),
        (b"Max-Forwards: 66", b"Max-Forwards: -1", 400),
        (b"Max-Forwards: 66", b"X: a\nFrom: b", 400),
        (b"Max-Forwards: 66", b"X: a\rFrom: b", 400),
        (b"Via: ", b"Vja: ", 400),
        (b"From: ", b"Frxm: ", 400),
        (b"To: ", b"Tx: ", 400),
        (b"Call-ID: ", b"X: ", 400),
        (b"Call-ID: 1234567", b"Call-ID: 12 34", 400),
        (b"CSeq: 42", b"X: 42", 400),
        (b"CSeq: 42 INVITE", b"CSeq: 42 BYE", 400),
        (b"CSeq: 42", b"CSeq: 4294967296", 400),
        (b"Max-Forwards: 66", b"Call-ID: other", 400),
        (b"Max-Forwards: 66", b"t: <sip:other@b>", 400),
        (b";tag=gK0c6e4a21", b";tag=", 400),
        (b"Contact: <", b"Contact: <<", 400),
        (b"Content-Length: ", b"Content-Length: -", 400),
        (b"Content-Length: ", b"Content-Length: +", 400),
        (b"Content-Length: ", b"Content-Length: 1", 400),
        (b"Content-Length: ", b"l: 0\r\nContent-Length: ", 400),
        (b"Max-Forwards: 66", b"X: " + b"a" * 8192, 513),
        (b"Max-Forwards: 66", b"\r\n".join(b"Accept: a/%d" % n for n in range(1000)), 513),
        (b"Max-Forwards: 66", b"X: " + b"\r\n ".join([b"a" * 4000] * 5), 513),
        (b"\r\n\r\n", b"\r\n", 400),
    ],
)
def test_what_is_refused_and_how(old, new, status):
    assert refused(invite_with(old, new)).sip_status == status


def test_line_breaks_of_their_own_do_not_hide_in_the_start_line():
    assert refused(b"A sip:b SIP/2.0\nX: y\r\nVia: z\r\n\r\n").sip_status == 400
    assert refused(b"SIP/2.0 200 OK\nX: y\r\nVia: z\r\n\r\n").sip_status == 400


def test_a_body_beyond_the_limit_is_refused():
    assert refused(b"A sip:b SIP/2.0\r\n\r\n" + b"x" * 65537).sip_status == 513


@pytest.mark.parametrize("line", [b"SIP/2.0 99 X", b"SIP/2.0 2000 X", b"SIP/3.0 200 X", b"SIP/2.0"])
def test_what_is_no_status_line(line):
    assert refused(line + b"\r\n\r\n").sip_status == 400


def test_what_rfc_2543_left_out_may_be_missing():
    data = invite_with(b";branch=z9hG4bK0cB1d;rport", b"").replace(b"Max-Forwards: 66\r\n", b"")
    check_request(parse_message(data.replace(b";tag=gK0c6e4a21", b"")))


def test_a_response_that_cannot_be_read_is_found():
    ok = response_to(parse_message(INVITE), 200)
    check_response(ok)
    with pytest.raises(RemoteProtocolError):
        check_response(ok.with_headers(ok.headers.replace("CSeq", "99999999999 INVITE")))


def test_a_response_copies_what_binds_it_to_its_request():
    request = parse_message(invite_with(b"Max-Forwards", b"v: SIP/2.0/TLS second\r\nMax-Forwards"))
    response = response_to(request, 200, to_tag="ours", body=b"v=0\r\n", headers=[("Allow", "BYE")])
    assert response.reason == "OK"
    assert [name for name, _ in response.headers] == [
        "Via", "v", "From", "To", "Call-ID", "CSeq", "Allow", "Content-Type",
    ]  # fmt: skip
    assert response.to.tag == "ours"
    assert response.content_type == "application/sdp"
    assert response_to(request, 486, "Gone fishing").reason == "Gone fishing"
    assert response_to(request, 100).to.tag is None


def test_a_tag_that_is_there_stays():
    tagged = parse_message(invite_with(b"opensip.example>\r\nCall-ID", b"b>;tag=t\r\nCall-ID"))
    assert response_to(tagged, 200, to_tag="ours").to.tag == "t"
    broken = tagged.with_headers(tagged.headers.replace("To", "<<;TAG=t"))
    assert response_to(broken, 400, to_tag="ours").headers.get("To") == "<<;TAG=t"
    none = tagged.with_headers(tagged.headers.remove("To"))
    assert not response_to(none, 400, to_tag="ours").headers.has("To")


def test_a_request_that_cannot_be_parsed_is_answered_if_it_can_be():
    data = invite_with(b"SIP/2.0\r\nVia", b"SIP/7.0\r\nVia").replace(b"Max-Forwards: 66", b"junk")
    with pytest.raises(RemoteProtocolError) as caught:
        parse_message(data)
    answer = parse_message(refusal_of(data, caught.value, to_tag="t"))
    assert answer.status == 400
    assert answer.via.branch == "z9hG4bK0cB1d"
    assert answer.to.tag == "t"
    assert answer.cseq.number == 42


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00\xff",
        b"SIP/2.0 200 OK\r\nVia: a\r\nCSeq: 1 BYE\r\n\r\n",
        b"ACK sip:b SIP/9.0\r\nVia: a\r\nCSeq: 1 ACK\r\n\r\n",
        b"BYE sip:b SIP/9.0\r\nCSeq: 1 BYE\r\n\r\n",
        b"BYE sip:b SIP/9.0\r\nVia: a\r\nCSeq: 1\nBYE\r\n\r\n",
    ],
)
def test_what_must_not_or_cannot_be_answered(data):
    assert refusal_of(data, RemoteProtocolError("x"), to_tag="t") is None


def test_a_line_of_nothing_but_space_folds_too():
    data = b"A sip:b SIP/2.0\r\nSubject: one\r\n \r\n\t \r\n two\r\n\r\n"
    assert parse_message(data).headers.get("Subject") == "one two"


def test_folding_costs_little_however_much_space_there_is():
    data = b"A sip:b SIP/2.0\r\nX: " + b" " * 7000 + b"a" + b" " * 7000 + b"\r\n b\r\n\r\n"
    assert cpu_seconds(lambda: parse_message(data)) < DEAR


@given(st.lists(st.tuples(CASES, VALUES), max_size=8), st.binary(max_size=50))
def test_any_message_round_trips(items, body):
    items = [(name, value.strip(" \t")) for name, value in items]
    request = Request("INFO", Uri("sip", "a", host="b"), Headers(items), body)
    again = parse_message(request.to_bytes())
    assert again.headers.remove("Content-Length") == request.headers
    assert (again.method, again.uri, again.body) == ("INFO", request.uri, body)
    assert again.to_bytes() == request.to_bytes()


def read_everything(data: bytes) -> None:
    """Parsed, or RemoteProtocolError, nothing else; so for every field."""
    try:
        message = parse_message(data)
    except RemoteProtocolError as error:
        refusal_of(data, error, to_tag="t")
        return
    if isinstance(message, Request):
        response_to(message, 200, to_tag="t").to_bytes()
    assert parse_message(message.to_bytes()).headers.get_all("Via") == message.headers.get_all(
        "Via"
    )
    with suppress(RemoteProtocolError):
        check_request(message) if isinstance(message, Request) else check_response(message)


@given(st.binary(max_size=300))
def test_random_octets(data):
    read_everything(data)
    read_everything(b"SIP/2.0 200 " + data + b"\r\nCSeq: " + data + b"\r\n\r\n")
    read_everything(b"OPTIONS sip:b SIP/2.0\r\nVia: " + data + b"\r\n\r\n")
    read_everything(b"OPTIONS sip:" + data + b" SIP/2.0\r\nTo: <" + data + b"\r\n\r\n")


@given(st.lists(st.tuples(st.integers(0, len(INVITE_HEAD)), st.binary(max_size=3)), max_size=4))
def test_mutated_invites(changes):
    data = INVITE
    for at, octets in changes:
        data = data[:at] + octets + data[at + len(octets) // 2 :]
    read_everything(data)


@given(st.integers(0, len(INVITE)), st.integers(0, 60))
def test_invites_with_a_piece_missing(at, length):
    read_everything(INVITE[:at] + INVITE[at + length :])
