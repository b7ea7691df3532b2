"""Messages that broke others: the rows of docs/reliability.md that are about reading."""

import pytest

from opensip.errors import RemoteProtocolError
from opensip.sip.framing import StreamFramer
from opensip.sip.message import check_request, parse_message, refusal_of, response_to
from tests.fakes.cost import cpu_seconds
from tests.fakes.sip_messages import INVITE, invite_with

LENGTHS = (0, 1, 69, 70, 71, 255, 256, 1023, 1024, 8191, 8192, 8193, 16384, 65000, 70000)
ONCE = ("From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Length", "Content-Type")
MANDATORY = ("Via", "From", "To", "Call-ID", "CSeq")
LISTS = ("Accept", "Allow", "Via", "Record-Route", "Route", "Contact", "Supported", "Require")


def judge(data):
    """Read a request to its end: its status, 200 where nothing is wrong. It can be answered."""
    status, answer = read(data)
    assert answer is None or answer.startswith(b"SIP/2.0 %d " % status)
    return status


def read(data):
    try:
        request = parse_message(data)
    except RemoteProtocolError as error:
        return error.sip_status, refusal_of(data, error, to_tag="t")
    try:
        check_request(request)
    except RemoteProtocolError as error:
        return error.sip_status, response_to(request, error.sip_status, to_tag="t").to_bytes()
    return 200, response_to(request, 200, to_tag="t").to_bytes()


def without(name):
    kept = [line for line in INVITE.split(b"\r\n") if not line.startswith(name.encode() + b":")]
    return b"\r\n".join(kept)


@pytest.mark.parametrize("length", [1000, 8000, 64000])
@pytest.mark.parametrize("branch", [b"z9hG4bK0cB1d", b""])
def test_a_long_method_in_cseq(length, branch):
    data = invite_with(b"42 INVITE", b"42 " + b"I" * length).replace(b"z9hG4bK0cB1d", branch)
    assert judge(data) in (400, 513)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize(
    "old", [b"gK0c6e4a21", b"z9hG4bK0cB1d", b"1234567_98765432", b"WIRELESS CALLER", b"TN-Valid"]
)
def test_tags_branches_ids_and_names_of_any_length(old, length):
    status = judge(invite_with(old, b"x" * length))
    assert status in ((200, 400) if length <= 70 else (200, 400, 513))
    assert status == 513 or length <= 16384


@pytest.mark.parametrize("name", LISTS)
def test_a_thousand_of_each_list_header(name):
    value = b"SIP/2.0/UDP h;branch=z9hG4bKx" if name == "Via" else b"<sip:a@b>"
    lines = (name.encode() + b": " + value + b"\r\n") * 1000
    assert judge(invite_with(b"Max-Forwards", lines + b"Max-Forwards")) == 513
    one = name.encode() + b": " + b", ".join([value] * 250) + b"\r\n"
    assert judge(invite_with(b"Max-Forwards", one + b"Max-Forwards")) in (200, 400)


@pytest.mark.parametrize("name", ONCE)
def test_a_header_that_may_stand_once_stands_twice(name):
    (line,) = (one for one in INVITE.split(b"\r\n") if one.startswith(name.encode() + b":"))
    other = line.replace(b"42", b"43").replace(b"66", b"67").replace(b"sip:+1", b"sip:+2")
    other = other[:-1] + b"x" if other == line else other
    assert judge(invite_with(line + b"\r\n", line + b"\r\n" + other + b"\r\n")) == 400


@pytest.mark.parametrize("name", MANDATORY)
def test_a_header_that_must_be_there_is_missing(name):
    assert judge(without(name)) == 400


@pytest.mark.parametrize("octet", [*range(9), *range(11, 13), *range(14, 32), 127])
def test_a_control_character_before_the_colon_is_no_space(octet):
    smuggled = b"To" + bytes([octet]) + b": <sip:other@b>\r\nTo:"
    assert judge(invite_with(b"\r\nTo:", b"\r\n" + smuggled)) == 400


@pytest.mark.parametrize("name", [b"X-Edge-Source ", b"X-Edge-Source\t", b"x-edge-source"])
def test_odd_spacing_hides_no_header(name):
    request = parse_message(invite_with(b"Max-Forwards", name + b":\r\n 6.6.6.6\r\nMax-Forwards"))
    assert request.headers.get_all("X-Edge-Source") == ("6.6.6.6",)
    assert not request.headers.remove("X-Edge-Source").has("X-Edge-Source")


@pytest.mark.parametrize("length", [b"4294967295", b"2147483648", b"-1", b"+5", b"1_000", b"1e3"])
def test_a_length_that_lies_ends_the_stream_before_its_body(length):
    head = INVITE.partition(b"\r\n\r\n")[0].rpartition(b": ")[0]
    framer = StreamFramer()
    framer.receive(head + b": " + length + b"\r\n\r\n")
    with pytest.raises(RemoteProtocolError) as caught:
        framer.next_message()
    assert caught.value.sip_status in (400, 513)


@pytest.mark.parametrize("name", [b"Warning", b"Content-Type", b"Call-ID", b"Contact", b"Via"])
def test_values_beyond_the_buffers_of_others_cost_little(name):
    line = name + b": " + b'399 h "' + b"\\" * 8000 + b'"\r\n'
    assert (
        cpu_seconds(lambda: judge(without(name.decode()).replace(b"Max-F", line + b"Max-F"))) < 0.05
    )


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n\r\n", b"\x00" * 40, b"OPTIONS", b"INVITE\r\n\r\n", b"SIP/2.0\r\n\r\n",
        b"\xff\xfe\r\n\r\n",
        b"NOTIFY sip:a SIP/2.0\r\nno colon\r\n\r\n", b"OPTIONS sip:a SIP/2.0\r\n folded\r\n\r\n",
        INVITE.replace(b"CSeq: 42", b"CSeq: x"), INVITE.replace(b"Call-ID", b"Call\x00ID"),
    ],
)  # fmt: skip
def test_what_raised_out_of_another_phone_is_refused(data):
    assert judge(data) == 400
