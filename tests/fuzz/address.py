"""A header field with an inner structure is parsed, or refused with RemoteProtocolError.

So with URIs, name-addrs, Vias and the smaller fields; what was parsed can be written, and is
then parsed as the same. The first octet chooses the field.
"""

from collections.abc import Callable
from typing import TypeVar

from opensip.errors import RemoteProtocolError
from opensip.sip.fields import (
    CSeq,
    Event,
    Reason,
    ReferTo,
    Replaces,
    SubscriptionState,
    UserToUser,
    Via,
)
from opensip.sip.grammar import split
from opensip.sip.message import MAX_HEADER
from opensip.sip.uri import Uri
from tests.fuzz.target import Fault, Target

T = TypeVar("T")
Field = CSeq | Event | Reason | ReferTo | Replaces | SubscriptionState | UserToUser | Via | Uri
_PARSERS: tuple[Callable[[str], Field], ...] = (
    Via.parse,
    Uri.parse,
    ReferTo.parse,
    CSeq.parse,
    Event.parse,
    Reason.parse,
    Replaces.parse,
    SubscriptionState.parse,
    UserToUser.parse,
)


def one_input(data: bytes) -> None:
    text = data[1:].decode("utf-8", "surrogateescape")
    chosen = data[0] % (len(_PARSERS) + 1) if data else 0
    if chosen == len(_PARSERS):
        parts = _parsed(lambda value: split(value, ","), text)
        assert parts is None or ",".join(parts) == text
        return
    field = _parsed(_PARSERS[chosen], text)
    if field is not None and len(text) <= MAX_HEADER:  # what is longer is not even parsed
        _check_field(field, _PARSERS[chosen])


def _parsed(parse: Callable[[str], T], text: str) -> T | None:
    try:
        return parse(text)
    except RemoteProtocolError:
        return None


def _check_field(field: Field, parse: Callable[[str], Field]) -> None:
    again = parse(str(field))
    assert str(again) == str(field)
    match field:
        case Via():
            _ = field.branch, field.received
            _parsed(lambda _: field.rport, "")
            assert again == field
        case ReferTo():
            assert isinstance(again, ReferTo)
            assert (again.uri, again.address.params) == (field.uri, field.address.params)
            assert again.address.tag == field.address.tag
        case Uri():
            _check_uri(field)
        case SubscriptionState():
            _ = field.reason, field.is_terminated
            _parsed(lambda _: field.expires, "")
        case Event():
            _ = field.id
        case UserToUser():
            _ = field.encoding


def _check_uri(uri: Uri) -> None:
    assert uri.equivalent(uri)
    assert uri.transport is None or uri.transport
    plain = uri.without_headers()
    if uri.scheme in ("sip", "sips"):
        assert Uri.parse(str(plain)).equivalent(plain)


_SEEDS = (
    b"SIP/2.0/TLS 192.0.2.10:5061;branch=z9hG4bK0cB1d;rport",
    b"SIP / 2.0 / UDP  [2001:db8::9]:5060 ; received=[2001:db8::1];rport=70000",
    b"sip:+15551112222:pass%77ord@192.0.2.10:5061;user=phone;transport=TLS?Subject=a%20b&x=",
    b"sips:a@[::1]",
    b"tel:+1-555-111(2222);ext=1",
    b"tel:x",
    b"urn:service:sos",
    b'"A \\"B\\" C" <sip:a@b;lr>;tag=1;x="y;z"',
    b"Ann Other <sip:a@b>",
    b"sip:a@b;tag=1",
    b"sip:a@b?x=y",
    b'A "b" <sip:c>',
    b'"a" b',
    b"<sip:a",
    b"<sip:@b>",
    b"<sip:a@b;;c>",
    b"42 INVITE",
    b"4294967296 INVITE",
    b"terminated;reason=NoResource;expires=10",
    b"refer;id=7",
    b'Q.850;cause=16;text="Normal \\"clearing\\""',
    b"call@x;to-tag=1;from-tag=2;early-only",
    b"call@x;to-tag=1",
    b"68656c6c6f;encoding=hex;purpose=x",
    b'"quoted data";encoding=Token',
    b";x",
    b"<sip:a@b>;x=<",
    b"<sip:a@b>x",
    b"<sip:a@b>;=",
    b"SIP/2.0/UDP [::g]",
    b"SIP/2.0/UDP host x",
    b'"a,b" <sip:c,d>, <sip:e>,"f',
)
_RUNS = (
    b";a", b";a=b", b';a="b"', b'"', b'\\"', b"<", b">", b"<>", b",", b" ", b"%41", b"%", b"a",
    b"1", b":", b"[", b"@", b"&", b"?a=b", b".", b"=", b";", b"\t", b"SIP/", b"\xff",
)  # fmt: skip
_STARTS = (
    b"\x00", b"\x00SIP/2.0/", b"\x00SIP/2.0/UDP ", b"\x00SIP/2.0/UDP b", b"\x00SIP/2.0/UDP b;a=",
    b"\x00SIP", b"\x01sip:", b"\x01sip:a@b", b"\x01sip:b?", b"\x01tel:", b"\x02", b"\x02sip:a",
    b"\x02<sip:a@b>", b'\x02"', b'\x02"a" <sip:', b"\x031 ", b"\x04a;", b"\x05a;text=", b"\x06a;",
    b"\x07a;", b"\x08", b'\x08"a', b'\x08"a";', b"\x09", b'\x09"a"',
)  # fmt: skip
_WORDS = (
    b"SIP/2.0/UDP ", b"sip:", b"tel:+", b";tag=", b";branch=", b";received=", b";rport", b"%00",
    b"[::1]", b'"', b"<sip:a@b>", b";to-tag=1;from-tag=2", b";cause=", b";encoding=",
)  # fmt: skip
TARGET = Target(
    one_input,
    parser=(
        "opensip.sip.uri:Uri.parse",
        "opensip.sip.uri:Uri.equivalent",
        "opensip.sip.uri:Uri._",
        "opensip.sip.uri:NameAddr.parse",
        "opensip.sip.uri:NameAddr.__str__",
        "opensip.sip.uri:_",
        "opensip.sip.fields",
        "opensip.sip.grammar:parse_",
        "opensip.sip.grammar:split",
        "opensip.sip.grammar:_",
        "opensip.sip.grammar:skip_quoted",
        "opensip.sip.grammar:unquote",
        "opensip.sip.grammar:unescape",
        "opensip.sip.grammar:Params.parse",
        "opensip.sip.grammar:Params.get",
    ),
    seeds=tuple(bytes([n]) + seed for n in range(len(_PARSERS) + 1) for seed in _SEEDS),
    fault=Fault("opensip.sip.grammar", "except ValueError:", "except TypeError:"),
    words=_WORDS,
    dear=tuple(start + (run * 65536)[: 65536 - len(start)] for start in _STARTS for run in _RUNS),
)
