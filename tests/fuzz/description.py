"""A session description is read, or refused with RemoteProtocolError, and nothing else.

An offer is answered, or refused with NegotiationError too; each answer can itself be read and
has as many m= lines as the offer. So with an answer to an offer of ours.
"""

from contextlib import suppress
from dataclasses import replace

from opensip.errors import NegotiationError, RemoteProtocolError
from opensip.rtp.payload import PCMA, PCMU, TELEPHONE_EVENT
from opensip.sdp.description import MAX_BYTES, SessionDescription
from opensip.sdp.offer_answer import Local, apply_answer, make_answer, make_offer
from tests.fakes.sip_messages import SDP
from tests.fuzz.seeds import TORTURE
from tests.fuzz.target import Fault, Target

_PLAIN = Local("192.0.2.9", 20000, (PCMU, PCMA, TELEPHONE_EVENT))
_LOCALS = tuple(replace(_PLAIN, srtp=srtp) for srtp in ("off", "preferred", "required"))
_OFFERS = tuple(make_offer(own, session_id=1, version=1, keys=bytes) for own in _LOCALS)
_IN_IP6 = replace(_PLAIN, address="2001:db8::9")


def one_input(data: bytes) -> None:
    try:
        offered = SessionDescription.parse(data)
    except RemoteProtocolError:
        return
    _read_back(offered)
    for local in (*_LOCALS, _IN_IP6):
        with suppress(RemoteProtocolError, NegotiationError):
            agreed = make_answer(local, data, session_id=7, version=3, keys=bytes)
            if len(agreed.sdp) <= MAX_BYTES:
                answered = SessionDescription.parse(agreed.sdp)
                assert len(answered.media) == len(offered.media)
            assert bool(agreed.suite) == bool(agreed.rx_key)
            assert agreed.suite or local.srtp != "required"
    for offer in _OFFERS:
        with suppress(RemoteProtocolError, NegotiationError):
            agreed = apply_answer(offer, data)
            assert agreed.suite or offer.local.srtp != "required"


def _read_back(described: SessionDescription) -> None:
    written = described.to_bytes()
    if len(written) > MAX_BYTES:
        return
    again = SessionDescription.parse(written)
    assert (again.origin, again.connection) == (described.origin, described.connection)
    assert [m.formats for m in again.media] == [m.formats for m in described.media]


_HEAD = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
_AUDIO = _HEAD + b"m=audio 4000 RTP/AVP 0 8 101\r\n"
_SAVP = _HEAD + b"m=audio 4000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 "
_KEY = b"inline:" + b"A" * 40

_SEEDS = (
    SDP,
    *(message.partition(b"\r\n\r\n")[2] for message in TORTURE if b"\r\n\r\nv=0" in message),
    *(offer.sdp for offer in _OFFERS),
    _AUDIO.replace(b"\r\n", b"\n"),
    _AUDIO + b"a=ptime:30\r\na=rtcp:4003 IN IP4 192.0.2.3\r\na=sendonly\r\n",
    _AUDIO.replace(b"IP4 192.0.2.1\r\nt", b"IP4 0.0.0.0\r\nt"),
    _AUDIO.replace(b"c=IN IP4 192.0.2.1", b"c=IN IP6 2001:db8::1"),
    _AUDIO.replace(b"c=IN IP4 192.0.2.1", b"c=IN IP4 host.example"),
    _AUDIO.replace(b"c=IN IP4 192.0.2.1\r\n", b""),
    _AUDIO
    + b"m=video 0 RTP/AVP 96\r\ni=film\r\nc=IN IP4 192.0.2.4/127\r\na=rtpmap:96 H264/90000\r\n",
    _AUDIO + b"a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000/1\r\na=fmtp:101 0-15\r\n",
    _HEAD + b"m=audio 4000/2 UDP 0\r\n",
    _HEAD + b"m=audio 4000 RTP/AVP 18 \r\n",
    _HEAD + b"m=image 4000 udptl t38\r\n",
    _SAVP + _KEY + b"|2^20|1:4 WSH=64\r\n",
    _SAVP + _KEY + b"|1048576 UNENCRYPTED_SRTP\r\n",
    _SAVP + b"inline:AAAA\r\n",
    _SAVP + _KEY + b"|2^20 -x\r\na=crypto:2 F8_128_HMAC_SHA1_80 " + _KEY + b"\r\n",
    _SAVP + b"other:x\r\n",
    _SAVP + _KEY + b"|0\r\n",
    _HEAD + b"v=0\r\n",
    _AUDIO + b"s=-\r\n",
    b"v=0\r\ns=-\r\n",
    _HEAD + b"x\x01=1",
    _HEAD + b"X=1",
    _HEAD.replace(b"IN IP4 192.0.2.1\r\ns", b"IN\r\ns"),
    _HEAD + b"m=audio 4000 RTP/AVP 0\r\n" * 33,
    _HEAD + b"a=" + b"x" * MAX_BYTES,
)


def _dear() -> tuple[bytes, ...]:
    lines = (
        b"a=rtpmap:101 telephone-event/8000\r\n",
        b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 " + _KEY + b"\r\n",
        b"a=crypto:1 X " + _KEY + b"|1:1\r\n",
        b"a=fmtp:0 x\r\n",
        b"a=\r\n",
        b"t=0 0\r\n",
        b"i=\r\n",
        b"\r\n",
        b"c=IN IP4 192.0.2.1\r\n",
    )
    heads = (_HEAD, _AUDIO, _AUDIO.replace(b"AVP", b"SAVP"), _SAVP + _KEY + b"\r\n")
    room = MAX_BYTES - max(map(len, heads))
    runs = (
        b"m=audio 1 RTP/AVP 0" + b" 101" * 4000,
        b"m=audio 1 RTP/AVP" + b" 0" * 8000,
        b"m=audio 1 RTP/AVP 0" + b" " * 16000 + b"\xff",
        b"m=audio 1 RTP" + b"/A" * 8000,
        b"m=audio" + b" " * 16000,
        b"m=" + b"a" * 16000,
        b"c=IN IP6 " + b":" * 16000,
        b"c=IN IP4 " + b"1." * 8000,
        b"c=IN" + b" " * 16000,
        b"a=crypto:1 X" + b" x" * 8000,
        b"a=crypto:1 X inline:" + b"|1" * 8000,
        b"a=crypto:1 X inline:" + b"A" * 16000,
        b"a=crypto:1" + b" " * 16000,
        b"a=ptime:" + b"9" * 16000,
        b"a=rtcp:1" + b" x" * 8000,
        b"a=rtpmap:" + b"9" * 16000,
        b"a=rtpmap:0 " + b"a" * 16000,
        b"o=" + b"- " * 8000,
    )
    repeated = [line * (room // len(line)) for line in lines]
    many = _HEAD + (b"m=audio 1 RTP/SAVP" + b" 0" * 220 + b"\r\n") * 32
    return (*(h + tail[:room] for h in heads for tail in (*repeated, *runs)), many, b"v" * 65536)


_WORDS = (
    b"m=audio 4000 RTP/SAVP 0", b"a=rtpmap:", b"a=fmtp:", b"a=crypto:1 ", b"inline:", b"|2^31",
    b"|1:4", b"a=rtcp:", b"a=ptime:", b"c=IN IP6 ::", b"a=inactive", b"RTP/SAVPF", b"\r\n",
)  # fmt: skip
TARGET = Target(
    one_input,
    parser=(
        "opensip.sdp.description",
        "opensip.sdp.crypto:choose",
        "opensip.sdp.crypto:_parse_",
        "opensip.sdp.crypto:CryptoAttribute.parse",
        "opensip.sdp.crypto:CryptoAttribute.refusal",
        "opensip.sdp.offer_answer:make_answer",
        "opensip.sdp.offer_answer:apply_answer",
        "opensip.sdp.capabilities",
    ),
    seeds=_SEEDS,
    fault=Fault(
        "opensip.sdp.description", 'parse_integer(text, "payload type", 0, 127)', "int(text)"
    ),
    words=_WORDS,
    dear=_dear(),
)
