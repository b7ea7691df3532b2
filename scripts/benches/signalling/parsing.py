"""What reading one INVITE costs: that of a carrier, with SDP, identity and two User-to-User."""

import timeit

from opensip.sdp.description import SessionDescription
from opensip.sip.message import Request, check_request, parse_message

SDP = """\
v=0
o=- 8193 1 IN IP4 198.51.100.7
s=-
c=IN IP4 198.51.100.7
t=0 0
m=audio 24680 RTP/SAVP 0 18 101
a=rtpmap:0 PCMU/8000
a=rtpmap:18 G729/8000
a=fmtp:18 annexb=no
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj
a=ptime:20
a=sendrecv
"""
INVITE = """\
INVITE sip:+15553334444@sip.us.opensip.example:5061;transport=tls SIP/2.0
Via: SIP/2.0/TLS 192.0.2.10:5061;branch=z9hG4bK0cB1d;rport
Max-Forwards: 66
Record-Route: <sip:192.0.2.10:5061;transport=tls;lr>
From: "WIRELESS CALLER" <sip:+15551112222@192.0.2.10;user=phone>;tag=gK0c6e4a21
To: <sip:+15553334444@sip.us.opensip.example>
Call-ID: 1234567_98765432@192.0.2.10
CSeq: 42 INVITE
Contact: <sip:+15551112222@192.0.2.10:5061;transport=tls>
P-Asserted-Identity: "WIRELESS CALLER" <sip:+15551112222@192.0.2.10:5061>
P-Attestation-Indicator: A
P-Origination-ID: b37efe53-564d-5095-b66d-720366cc1395
Diversion: <sip:+15558884444@192.0.2.10>;reason=no-answer;privacy=off;counter=1
User-to-User: eyJhbGciOiJIUzI1NiJ9.WyJoaSJd.-znkjYyCkgz4djmHUPSXl9YrJ6Nix_Xvm;encoding=jwt
User-to-User: aGVsbG8gd29ybGQ=;encoding=base64
Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, NOTIFY
Supported: timer, 100rel
Session-Expires: 1800
Min-SE: 90
Content-Type: application/sdp
Content-Length: {length}

"""
ROUNDS, TIMES = 7, 500


def parse_us() -> float:
    """Tell the microseconds of reading message and description, the fastest of some rounds."""
    body = SDP.replace("\n", "\r\n")
    wire = (INVITE.format(length=len(body)).replace("\n", "\r\n") + body).encode()

    def read() -> None:
        message = parse_message(wire)
        if isinstance(message, Request):
            check_request(message)
        SessionDescription.parse(message.body)

    return min(timeit.repeat(read, number=TIMES, repeat=ROUNDS)) / TIMES * 1e6
