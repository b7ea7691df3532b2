import pytest
from hypothesis import given
from hypothesis import strategies as st

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

TOKEN = st.text("abcXYZ019-.!%*_+`'~", min_size=1, max_size=12)


def test_via():
    via = Via.parse(
        "SIP / 2.0 / udp  [2001:db8::9]:5060 ;rport=5070;Branch=z9hG4bK1;received=[::1]"
    )
    assert (via.transport, via.host, via.port) == ("UDP", "2001:db8::9", 5060)
    assert (via.branch, via.rport, via.received) == ("z9hG4bK1", 5070, "::1")
    assert via.sent_by == "[2001:db8::9]:5060"
    assert str(Via("TLS", "a", 5061).with_param("branch", "b").with_param("rport")) == (
        "SIP/2.0/TLS a:5061;branch=b;rport"
    )
    bare = Via.parse("SIP/2.0/TCP a;rport")
    assert (bare.branch, bare.rport, bare.received) == (None, 0, None)
    assert Via.parse("SIP/2.0/TCP a").rport is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SIP/2.0/UDP",
        "SIP/2.0 a",
        "SIP/3.0/UDP a",
        "SIP/2.0/UDP a b",
        "SIP/2.0/UDP a;;",
        "x a",
        "SIP/2.0/UDP :1",
    ],
)
def test_what_is_no_via(text):
    with pytest.raises(RemoteProtocolError):
        Via.parse(text)


def test_an_rport_that_is_no_port():
    with pytest.raises(RemoteProtocolError):
        _ = Via.parse("SIP/2.0/UDP a;rport=99999").rport


@given(TOKEN, st.sampled_from(["a", "192.0.2.1", "::1"]), st.none() | st.integers(0, 65535), TOKEN)
def test_via_round_trips(transport, host, port, branch):
    via = Via(transport.upper(), host, port).with_param("branch", branch)
    assert Via.parse(str(via)) == via


def test_cseq():
    assert CSeq.parse("0009 \t INVITE") == CSeq(9, "INVITE")
    assert str(CSeq(9, "INVITE")) == "9 INVITE"
    assert CSeq.parse(f"{2**31 - 1} X").number == 2**31 - 1


@pytest.mark.parametrize(
    "text", ["", "1", "INVITE", "1INVITE", "-1 X", "2147483648 X", "1 A B", "1 <", "1" * 21 + " X"]
)
def test_what_is_no_cseq(text):
    with pytest.raises(RemoteProtocolError):
        CSeq.parse(text)


def test_subscription_state():
    state = SubscriptionState.parse("Terminated ;Reason=NoResource;expires=0")
    assert state.is_terminated
    assert (state.reason, state.expires) == ("noresource", 0)
    assert str(SubscriptionState.parse("active;expires=60")) == "active;expires=60"
    bare = SubscriptionState.parse("active")
    assert (bare.reason, bare.expires, bare.is_terminated) == (None, None, False)
    with pytest.raises(RemoteProtocolError):
        SubscriptionState.parse("")


def test_event():
    event = Event.parse("Refer;id=93809824")
    assert (event.package, event.id) == ("refer", "93809824")
    assert str(event) == "refer;id=93809824"
    assert Event.parse("refer").id is None


def test_refer_to():
    refer_to = ReferTo.parse("<sip:+1@h?User-to-User=00%3Bencoding%3Dhex&X-Intent=billing>")
    assert refer_to.uri.unescaped_headers() == (
        ("User-to-User", "00;encoding=hex"),
        ("X-Intent", "billing"),
    )
    assert ReferTo.parse(str(refer_to)) == refer_to


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("sip:desk@h;transport=tls", "sip:desk@h;transport=tls"),
        ("<sip:desk@h>;transport=tls", "sip:desk@h"),
        ("sip:desk@h;method=INVITE", "sip:desk@h"),
    ],
)
def test_a_refer_to_without_brackets_keeps_its_transport(text, uri):
    assert str(ReferTo.parse(text).uri) == uri


def test_reason():
    assert Reason.parse('Q.850 ;cause=16;text="Terminated"') == Reason("Q.850", 16, "Terminated")
    assert str(Reason("SIP", 200, 'a "b"')) == 'SIP;cause=200;text="a \\"b\\""'
    assert str(Reason.parse("SIP")) == "SIP"
    with pytest.raises(RemoteProtocolError):
        Reason.parse("SIP;cause=1000")


def test_replaces():
    replaces = Replaces.parse("425928@bobster.example.org;to-tag=7743;from-tag=6472;early-only")
    assert replaces == Replaces("425928@bobster.example.org", "7743", "6472", True)
    assert Replaces.parse(str(replaces)) == replaces
    assert str(Replaces("c", "a", "b")) == "c;to-tag=a;from-tag=b"
    for text in ("", "c", "c;to-tag=a", ";to-tag=a;from-tag=b", 'c;to-tag=";x=";from-tag=b'):
        with pytest.raises(RemoteProtocolError):
            Replaces.parse(text)


def test_user_to_user():
    hexed = UserToUser.parse("00616263;encoding=HEX;purpose=isdn-uui")
    assert (hexed.data, hexed.encoding, hexed.quoted) == ("00616263", "hex", False)
    assert str(hexed) == "00616263;encoding=HEX;purpose=isdn-uui"
    quoted = UserToUser.parse('"a;b";encoding=ascii')
    assert (quoted.data, quoted.encoding, quoted.quoted) == ("a;b", "ascii", True)
    assert str(quoted) == '"a;b";encoding=ascii'
    assert UserToUser.parse("aGVsbG8=").encoding is None
    assert UserToUser.parse('"open').data == '"open'
    assert str(UserToUser.parse('"open')) == '"open'
    escaped = UserToUser.parse(r'"a\"b\\";encoding=ascii')
    assert escaped.data == 'a"b\\'
    assert UserToUser.parse(str(escaped)) == escaped
    with pytest.raises(RemoteProtocolError):
        UserToUser.parse(" ;encoding=hex")


@pytest.mark.parametrize(
    "text", ["sip:a@b;transport;x", 'sip:a@b;transport=""', "x:+@1;transport=TLS?y"]
)
def test_a_refer_to_whose_transport_is_none_stays_as_it_was(text):
    refer_to = ReferTo.parse(text)
    assert not refer_to.uri.params.has("transport")
    assert ReferTo.parse(str(refer_to)).uri == refer_to.uri
