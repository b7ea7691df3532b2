"""The torture messages of RFC 4475 and RFC 5118, as far as a parser can judge them."""

import json
from pathlib import Path

import pytest

from opensip.errors import RemoteProtocolError
from opensip.sip.framing import Ping, StreamFramer, frame_datagram
from opensip.sip.message import (
    Message,
    Request,
    Response,
    check_request,
    check_response,
    parse_message,
    refusal_of,
)

ROOT = Path(__file__).parents[2] / "../shared/sip-torture"
pytestmark = pytest.mark.skipif(
    not ROOT.exists(), reason="the torture messages are not on this machine"
)

# Status that the parser itself gives; every other message has to be read.
REFUSED = {
    "badinv01": 400, "clerr": 400, "ncl": 400, "scalar02": 400, "scalarlg": 400, "quotbal": 400,
    "ltgtruri": 400, "lwsruri": 400, "lwsstart": 400, "trws": 400, "regbadct": 400, "badvers": 505,
    "mismatch01": 400, "mismatch02": 400, "bigcode": 400, "insuf": 400, "multi01": 400,
    "mcl01": 400, "ipv6-bad": 400, "ipv6-bug-abnf-3-colons": 400,
}  # fmt: skip

# Read by the parser, and rightly so: what is wrong with them is judged further up, or not at all.
JUDGED_ELSEWHERE = {
    "wsinv": "To has a tag of no dialog: 481 by the user agent",
    "intmeth": "unknown method: 501 by the user agent",
    "esc02": "unknown method: 501 by the user agent",
    "unreason": "a stray response is dropped by the transaction layer",
    "noreason": "a stray response is dropped by the transaction layer",
    "bcast": "a stray response is dropped by the transaction layer",
    "escruri": "headers in the Request-URI may be ignored, and are",
    "baddate": "Date is never read",
    "badaspec": "white space at the end of an addr-spec may be ignored, and is",
    "baddn": "a display name with non-token characters can be read without doubt",
    "badbranch": "an empty branch is matched by RFC 2543's rules, or refused, by transactions",
    "unkscm": "unknown scheme: 416 by the user agent",
    "novelsc": "a scheme that is not ours: 416 by the user agent",
    "unksm2": "unknown schemes in header fields concern a registrar",
    "bext01": "unknown Require: 420 by the user agent",
    "invut": "unknown Content-Type: 415 by the user agent",
    "regaut01": "an unknown Authorization scheme is as none, by admission",
    "sdp01": "Accept without application/sdp: 406 by the user agent, if it minds",
    "dblreq": "one answer, by the user agent; the trailing octets are cut off here",
}


def verdicts():
    for folder in ("rfc4475", "rfc5118"):
        path = ROOT / folder / "verdicts.json"
        for verdict in json.loads(path.read_text()) if path.exists() else ():
            name = verdict.get("name") or verdict["file"]
            yield pytest.param(name, folder, verdict, id=name)


def data_of(name: str) -> bytes:
    return next(ROOT.glob(f"*/{name}.dat")).read_bytes()


def read(name: str) -> Message:
    data = frame_datagram(data_of(name))
    assert data is not None
    message = parse_message(data)
    check_request(message) if isinstance(message, Request) else check_response(message)
    return message


@pytest.mark.parametrize(("name", "folder", "verdict"), list(verdicts()))
def test_every_message_is_judged_as_the_rfc_says(name, folder, verdict):
    if name in REFUSED:
        assert verdict["valid"] is not True
        with pytest.raises(RemoteProtocolError) as caught:
            read(name)
        assert caught.value.sip_status == REFUSED[name]
        allowed = verdict.get("accept", ["400"])
        assert {str(REFUSED[name]), "drop", "any4xx5xx"} & set(allowed)
        return
    message = read(name)
    expected = verdict["method"].removesuffix("...")
    method = "response" if isinstance(message, Response) else message.method
    assert method.startswith(expected)
    assert verdict["valid"] or name in JUDGED_ELSEWHERE or name == "inv2543"
    assert parse_message(message.to_bytes()).headers.get("Call-ID") == message.headers.get(
        "Call-ID"
    )


@pytest.mark.parametrize(("name", "folder", "verdict"), list(verdicts()))
def test_every_message_goes_over_a_stream_or_ends_it(name, folder, verdict):
    framer = StreamFramer()
    framer.receive(data_of(name))
    try:
        message = framer.next_message()
    except RemoteProtocolError:
        return
    assert not isinstance(message, Ping)
    if message is not None:
        assert data_of(name).startswith(message)


@pytest.mark.parametrize("name", [n for n in REFUSED if n not in ("scalarlg", "bigcode")])
def test_every_refused_request_can_be_answered(name):
    error = RemoteProtocolError("x", sip_status=REFUSED[name])
    answer = refusal_of(data_of(name), error, to_tag="t")
    assert answer is not None
    assert answer.startswith(b"SIP/2.0 %d " % REFUSED[name])


def test_what_is_in_the_tortuous_invite():
    request = read("wsinv")
    assert request.uri.user == "vivekg"
    assert request.uri.params.has("unknownparam")
    assert request.cseq.number == 9
    assert request.headers.get("Max-Forwards") == "0068"
    assert [via.host for via in request.vias] == [
        "192.0.2.2",
        "spindle.example.com",
        "192.168.255.111",
    ]
    assert request.from_.display_name == 'J Rosenberg \\"'
    assert request.headers.get("Subject") == ""
    assert request.headers.get("NewFangledHeader").startswith("newfangled value continued")
    assert len(request.body) == 150


def test_escapes_are_undone_once_and_only_where_they_are_escapes():
    assert read("esc01").uri.user == "sips:user@example.com"
    assert read("escnull").headers.values("Contact")[0] == "<sip:%00@host5.example.com>"
    assert read("escnull").contact.uri.user == "\x00"
    assert len(read("esc02").headers.values("Contact")) == 2
    assert read("esc02").method == "RE%47IST%45R"


def test_semicolons_in_the_user_part_and_parameters_of_contact():
    assert read("semiuri").uri.user == "user;par=u@example.net"
    assert read("cparam01").contact.params.has("unknownparam")
    assert read("cparam02").contact.uri.params.has("unknownparam")
    assert read("regescrt").contact.uri.unescaped_headers() == (("Route", "<sip:sip.example.com>"),)
    assert read("lwsdisp").from_.display_name == "caller"


def test_octets_beyond_the_body_are_cut_off_and_binary_bodies_kept():
    assert read("dblreq").body == b""
    assert b"\x00" in read("mpart01").body
    assert read("unreason").reason.startswith("= 2**3 * 5**2")
    assert read("noreason").reason == ""


def test_ipv6():
    ambiguous, clear = read("port-ambiguous").uri, read("port-unambiguous").uri
    assert (ambiguous.host, ambiguous.port) == ("2001:db8::10:5070", None)
    assert (clear.host, clear.port) == ("2001:db8::10", 5070)
    received = {read(f"via-received-param-{w}-delim").via.received for w in ("with", "no")}
    assert received == {"2001:db8::9:255"}
