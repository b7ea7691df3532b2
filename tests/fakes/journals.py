"""Journals of calls, as `opensip.call.journal` writes them."""

import json

SDP = (
    "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    "m=audio 4000 RTP/SAVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:***\r\n"
    "a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:***\r\n"
)


def message(start, *headers, cseq, body="", call_id="a@b"):
    """Write a SIP message as a journal holds it: masked, so Content-Length is not the body's."""
    length = f"Content-Length: {len(body) + 40 if body else 0}"
    lines = [start, "Via: SIP/2.0/UDP h;branch=z9hG4bK1", "From: <sip:a@h>;tag=1", "To: <sip:b@h>"]
    lines += [f"Call-ID: {call_id}", f"CSeq: {cseq}", *headers, length]
    return "\r\n".join(lines) + "\r\n\r\n" + body


def line(at, kind, **fields):
    return json.dumps({"at": at, "kind": kind, **fields}, ensure_ascii=False)


def sip(at, kind, text, remote="192.0.2.1:5060"):
    address = {"transport": "UDP", "local": "192.0.2.9:5060", "remote": remote}
    return line(at, f"sip_{kind}", **address, text=text)


def opened(version=1):
    head = {"version": version, "call_id": "c-1", "started": "2026-01-02T03:04:05.000+00:00"}
    return line(0.0, "journal_opened", **head)


def started(direction="inbound"):
    numbers = {"caller": "+15551112222", "called": "+15553334444"}
    rest = {"trunk": "demo", "agent": "shop", "sip_call_id": "a@b", "source": "192.0.2.1:5060"}
    return line(0.001, "call_started", direction=direction, **numbers, **rest)


def invite(at=0.0, **more):
    text = message(
        "INVITE sip:b@h SIP/2.0", "Content-Type: application/sdp", cseq="1 INVITE", body=SDP, **more
    )
    return sip(at, "received", text)


def transferred():
    """The lines of a call that an agent answers, and hands over by REFER."""
    notify = ("Event: refer", "Content-Type: message/sipfrag")
    refer = message("REFER sip:a@h SIP/2.0", "Refer-To: <sip:desk@d?X=%20>", cseq="1 REFER")
    told = message(
        "NOTIFY sip:b@h SIP/2.0", *notify, "Subscription-State: terminated;reason=noresource",
        cseq="2 NOTIFY", body="SIP/2.0 200 OK\r\n",
    )  # fmt: skip
    return [
        opened(),
        invite(-0.001),
        started(),
        sip(0.01, "sent", message("SIP/2.0 180 Ringing", cseq="1 INVITE")),
        line(0.02, "media_negotiated", codec="PCMU", suite="", local="l:2", remote="r:4"),
        sip(0.02, "sent", message("SIP/2.0 200 OK", cseq="1 INVITE")),
        sip(0.03, "received", message("ACK sip:b@h SIP/2.0", cseq="1 ACK")),
        line(0.03, "call_answered"),
        line(3.0, "agent_said", text="How can I help?", heard="How can", interrupted=True),
        line(
            5.0, "caller_said", text="a person please", confidence=0.5, intent="human", slots=None,
            way="voice",
        ),
        line(5.1, "dtmf", digit="5", duration_ms=80, way="rfc4733"),
        line(
            5.2, "tool_called", name="look_up", arguments={}, result={}, duration_ms=2.0, error=""
        ),
        line(6.0, "transfer_started", strategy="refer", target="sip:desk@d;transport=tls"),
        sip(6.0, "sent", refer),
        sip(6.1, "received", message("SIP/2.0 202 Accepted", cseq="1 REFER")),
        line(6.1, "transfer_progress", way="refer", sip_status=202),
        sip(6.2, "received", told),
        line(6.2, "transfer_progress", way="notify", sip_status=200),
        line(6.2, "transfer_ended", strategy="refer", outcome="transferred", sip_status=200),
        line(6.3, "fault", where="recording", error="disk full"),
        line(6.4, "call_ended", side="us", cause="transferred", sip_status=200),
    ]  # fmt: skip
