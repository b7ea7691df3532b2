"""Seeds that several targets share."""

from pathlib import Path

from tests.fakes.sip_messages import INVITE

_TORTURE = Path(__file__).parents[2] / "../shared/sip-torture"

TORTURE = tuple(path.read_bytes() for path in sorted(_TORTURE.glob("*/*.dat")))
"""The messages of RFC 4475 and RFC 5118; none where they are not on this machine."""

RESPONSE = (
    b"SIP/2.0 401 Unauthorized\r\nv: SIP/2.0/UDP [2001:db8::9]:5070;received=192.0.2.1;rport=9\r\n"
    b"f: <sip:a@b>;tag=1\r\nt: <sip:c@d>;tag=2\r\ni: x@y\r\nCSeq: 1 REGISTER\r\n"
    b'WWW-Authenticate: Digest realm="r", nonce="n"\r\nl: 0\r\n\r\n'
)
REFER = (
    b"REFER sip:b@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKa,\r\n"
    b" SIP/2.0/UDP c.example\r\nFrom: Ann <sips:a@b>;tag=1\r\nTo: sip:c@d;tag=2\r\nCall-ID: x\r\n"
    b"CSeq: 2 REFER\r\nContact: *\r\nMax-Forwards: 70\r\n"
    b"Refer-To: <tel:+15551112222;ext=1>\r\nSubject : folded\r\n\tvalue\r\n"
    b"Authorization: Basic dTpw\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nbody"
)
MESSAGES = (INVITE, RESPONSE, REFER, *TORTURE)
