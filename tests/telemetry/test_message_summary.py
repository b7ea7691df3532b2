import pytest

from opensip.telemetry.message_summary import summarise
from tests.fakes.journals import SDP, message


def details(*headers, body="", start="INVITE sip:b@h SIP/2.0", cseq="1 INVITE"):
    return " | ".join(summarise(message(start, *headers, cseq=cseq, body=body)).details)


def offer(old, new):
    return details("Content-Type: application/sdp", body=SDP.replace(old, new))


def test_a_request_and_its_offer():
    summary = summarise(
        message(
            "INVITE sip:b@h SIP/2.0", "Content-Type: application/sdp", cseq="7 INVITE", body=SDP
        )
    )
    assert (summary.title, summary.kind, summary.call_id) == ("INVITE", "request", "a@b")
    assert summary.details == ("cseq 7", "audio PCMU dtmf SRTP AES_CM_128_HMAC_SHA1_80 (+1)")


@pytest.mark.parametrize(
    ("status", "kind"),
    [("183 Session Progress", "provisional"), ("200 OK", "success"), ("486 Busy", "failure")],
)
def test_a_response_names_what_it_answers(status, kind):
    summary = summarise(message(f"SIP/2.0 {status}", cseq="3 UPDATE"))
    assert (summary.title, summary.kind, summary.details) == (status, kind, ("to UPDATE 3",))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("RTP/SAVP 0", "RTP/SAVP 0", "audio PCMU"),
        ("a=crypto:1", "a=sendonly\r\na=crypto:1", "hold (sendonly)"),
        ("t=0 0", "t=0 0\r\na=inactive", "hold (inactive)"),
        ("c=IN IP4 192.0.2.1", "c=IN IP4 0.0.0.0", "hold (0.0.0.0)"),
        ("a=crypto:1", "a=recvonly\r\na=crypto:1", "recvonly"),
        ("m=audio 4000", "m=video 0", "video refused"),
        ("audio 4000 RTP/SAVP 0 101", "image 4000 udptl t38", "image t38"),
        ("m=audio", "m=au dio", "unreadable SDP"),
        (SDP[SDP.index("m=") :], "", "SDP without media"),
    ],
)
def test_what_a_session_description_says(old, new, told):
    assert told in offer(old, new)


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("Authorization: Digest username=x", "with credentials"),
        ("Proxy-Authenticate: Digest realm=x", "challenge"),
        ("Refer-To: <sip:desk@d;transport=tls?X=0>", "refer to sip:desk@d;transport=tls"),
        ("Refer-To: <sip:desk@d?Replaces=a%40b>", "replaces a call"),
        ("Refer-To: sip:desk@d?X=1", "refer to sip:desk@d"),
        ("Replaces: x;to-tag=1;from-tag=2", "replaces a call"),
        ("Require: 100rel, timer", "reliable"),
        ("Session-Expires: 90;refresher=uas", "Session-Expires 90;refresher=uas"),
        ("Reason: SIP;cause=200", "Reason SIP;cause=200"),
    ],
)  # fmt: skip
def test_fields_that_explain(header, told):
    assert told in details(header).split(" | ")


def test_a_notify_tells_how_far_a_transfer_is():
    text = details(
        "Subscription-State: active;expires=60", "Content-Type: message/sipfrag",
        start="NOTIFY sip:b@h SIP/2.0", cseq="2 NOTIFY", body="SIP/2.0 180 Ringing\r\n",
    )  # fmt: skip
    assert text == "cseq 2 | active;expires=60 | says 180 Ringing"


@pytest.mark.parametrize(
    ("kind", "body", "told"),
    [
        ("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", "digit 5"),
        ("application/dtmf", "#", "digit #"),
        ("application/dtmf", "nothing", "digit?"),
        ("message/sipfrag", "x", "sipfrag"),
        ("text/plain", "hello", "text/plain"),
        ("multipart/mixed;boundary=x", f"--x\r\n\r\n{SDP}\r\n--x--\r\n", "audio PCMU dtmf SRTP"),
    ],
)
def test_other_bodies(kind, body, told):
    assert told in details(f"Content-Type: {kind}", body=body)


def test_what_cannot_be_read_keeps_its_first_line():
    summary = summarise("HELLO\r\nno colon\r\n\r\n")
    assert summary.title == "HELLO"
    assert summary.details[0].startswith("unreadable: ")
    assert summary.call_id == ""
