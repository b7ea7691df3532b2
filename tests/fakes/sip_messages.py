"""SIP messages as they are seen on a trunk."""

SDP = (
    b"v=0\r\no=- 8193 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n"
    b"m=audio 24680 RTP/SAVP 0 18 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:18 G729/8000\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
    b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\r\n"
    b"a=ptime:20\r\na=sendrecv\r\n"
)

INVITE_HEAD = (
    b"""\
INVITE sip:+15553334444@sip.us.opensip.example:5061;transport=tls SIP/2.0
Via: SIP/2.0/TLS 192.0.2.10:5061;branch=z9hG4bK0cB1d;rport
Max-Forwards: 66
Record-Route: <sip:192.0.2.10:5061;transport=tls;lr>
From: "WIRELESS CALLER" <sip:+15551112222@192.0.2.10;user=phone>;tag=gK0c6e4a21
To: <sip:+15553334444@sip.us.opensip.example>
Call-ID: 1234567_98765432@192.0.2.10
CSeq: 42 INVITE
Contact: <sip:+15551112222@192.0.2.10:5061;transport=tls>
P-Asserted-Identity: "WIRELESS CALLER" <sip:+15551112222@192.0.2.10>;verstat=TN-Validation-Passed
P-Attestation-Indicator: A
Diversion: <sip:+15558884444@192.0.2.10>;reason=no-answer;privacy=off;counter=1
User-to-User: aGVsbG8gd29ybGQ=;encoding=base64
Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, NOTIFY
Supported: timer, 100rel
Session-Expires: 1800
Content-Type: application/sdp
Content-Length: %d

""".replace(b"\n", b"\r\n")
    % len(SDP)
)

INVITE = INVITE_HEAD + SDP
"""An INVITE as Bandwidth's Forward delivers it (synthetic)."""


def invite_with(old: bytes, new: bytes) -> bytes:
    """The INVITE with something changed; `old` must be in it."""
    assert old in INVITE
    return INVITE.replace(old, new)
