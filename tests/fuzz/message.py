"""A whole message is parsed, or refused with RemoteProtocolError, and nothing else.

What was parsed can be checked, answered, masked, and written so that it reads the same again;
what was refused can be answered or dropped.
"""

from contextlib import suppress

from opensip.errors import RemoteProtocolError
from opensip.sip.masking import masked
from opensip.sip.message import (
    Request,
    check_request,
    check_response,
    parse_message,
    refusal_of,
    response_to,
)
from tests.fakes.sip_messages import INVITE_HEAD
from tests.fuzz.seeds import MESSAGES
from tests.fuzz.target import MAX_INPUT, Fault, Target

_START = b"INVITE sip:b SIP/2.0\r\n"
_END = b"\r\nContent-Length: 0\r\n\r\n"


def one_input(data: bytes) -> None:
    masked(data.decode("utf-8", "surrogateescape"))
    try:
        message = parse_message(data)
    except RemoteProtocolError as error:
        refusal_of(data, error, to_tag="t")
        return
    with suppress(RemoteProtocolError):
        check_request(message) if isinstance(message, Request) else check_response(message)
    if isinstance(message, Request):
        response_to(message, 200, to_tag="t").to_bytes()
    written = message.to_bytes()
    try:
        again = parse_message(written)
    except RemoteProtocolError as error:
        if error.sip_status == 513:
            return  # our Content-Length was one line too many
        raise
    length = "Content-Length"
    assert again.headers.remove(length) == message.headers.remove(length)
    assert again.body == message.body
    assert again.to_bytes() == written


def _dear() -> tuple[bytes, ...]:
    values = (
        b"X:" + b" " * 8000 + b"a" + b"\t" * 8000 + b"\r\n b",
        b"X:" + b"\r\n " * 5000,
        b"X:" + b" \r\n\t" * 4000,
        b"Via: " + b"SIP/2.0/A b," * 1300,
        b"Via: SIP/2.0/UDP" + b" " * 8000 + b",",
        b"Via: SIP/2.0/UDP b" + b";a" * 4000,
        b"Via: SIP/2.0/UDP b;a=" + b'"' + b"\\" * 8000,
        b"Contact: " + b'"",' * 2700,
        b'Contact: "' + b'\\"' * 4000,
        b"Contact: " + b"<>" * 4000,
        b"Contact: " + b"<sip:b>," * 1000,
        b"To: <sip:b>" + b";a=b" * 2000,
        b"From: sip:b" + b";a" * 4000,
        b"CSeq: " + b"1" * 8000,
        b"Content-Length: " + b"9" * 8000,
        b"Call-ID: " + b"a " * 4000,
        b"a" * 16000,
        b"X:" + b"a" * 8190 + b"\r\nX:" + b"b" * 8000,
        b"\r\n".join([b"Via: SIP/2.0/UDP b"] * 120),
        b"\r\n".join([b"a" * 120 + b":" for _ in range(125)]),
        b"authorization:" + b" " * 8000,
        b"\r\nauthorization: a" * 900,
    )
    heads = [_START + value + _END for value in values]
    whole = [INVITE_HEAD.replace(b"Max-Forwards: 66", value) for value in values]
    bodies = [
        b"a=crypto:" * 7000,
        b"a=crypto: inline" * 4000,
        b"\nauthorization:" + b" " * 64000,
        b"\nauthorization: digest" * 2900,
        b"\nauthorization:\n" * 4000,
        b"authorization response=" + b" " * 64000,
        b"authorization" + b"response" * 8000,
        b"authorization" + b"response = " * 5800,
        b"\r\n " * 21000,
    ]
    lines = [
        b"INVITE sip:" + b"a" * 16000 + b" SIP/2.0" + _END,
        b"INVITE sip:" + b"%41" * 5000 + b"@b SIP/2.0" + _END,
        b"INVITE sip:b" + b";a" * 8000 + b" SIP/2.0" + _END,
        b"A" * 16000 + _END,
        b" " * 16000 + _END,
        b"SIP/2.0 200 " + b" " * 16000 + _END,
        b"SIP/" + b"2" * 16000 + _END,
    ]
    return tuple(
        data[:MAX_INPUT]
        for data in (*heads, *whole, *(_START + b"\r\n" + body for body in bodies), *bodies, *lines)
    )


TARGET = Target(
    one_input,
    parser=(
        "opensip.sip.message:parse_message",
        "opensip.sip.message:check_",
        "opensip.sip.message:refusal_of",
        "opensip.sip.message:response_to",
        "opensip.sip.masking:masked",
        "opensip.sip.message:_parse_",
        "opensip.sip.message:_with_body",
        "opensip.sip.message:_check_",
        "opensip.sip.message:_answered",
        "opensip.sip.message:_has_tag",
        "opensip.sip.message:_first",
        "opensip.sip.message:_too_large",
        "opensip.sip.message:_Fields",
    ),
    seeds=(
        *MESSAGES,
        INVITE_HEAD.replace(b"2.0\r\nVia", b"7.0\r\nVia"),
        INVITE_HEAD.replace(b"2.0\r\nVia", b"x\r\nVia"),
        INVITE_HEAD.replace(b"Max-Forwards: 66", b"t: x"),
        INVITE_HEAD.replace(b"To: <", b"To: <<tag="),
        INVITE_HEAD.replace(b"CSeq: 42 INVITE", b"CSeq: 42 BYE"),
        _START + b"X: y" + b"\r\nX: y" * 128 + _END,
        _START + b"X: " + b"y" * 8200 + _END,
        _START + b"X: " + b"y" * 16400 + _END,
        _START + b"\r\n" + b"y" * 65000,
        _START + b"X: a\rb" + _END,
        _START + b"X\x01: a" + _END,
        _START + b"l: 1" + _END,
        _START.replace(b"\r", b"\rX") + _END,
        b"SIP/2.0 2000 OK" + _END,
        b"ACK sip:b SIP/9.0" + _END,
    ),
    fault=Fault(
        "opensip.sip.message", 'parse_number(lengths[0], "Content-Length")', "int(lengths[0])"
    ),
    words=(
        b"Content-Length",
        b"SIP/2.0",
        b"\r\n\r\n",
        b"\r\n ",
        b"sip:",
        b"Authorization: Digest ",
    ),
    dear=_dear(),
)
