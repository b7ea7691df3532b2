"""Descriptions of sessions that tests offer and answer."""

import base64
from dataclasses import replace

from opensip.rtp.payload import (
    PCMA,
    PCMU,
    TELEPHONE_EVENT,
)
from opensip.sdp.offer_answer import Local, make_answer, make_offer

OURS = (PCMU, PCMA, TELEPHONE_EVENT)
PLAIN = Local("192.0.2.9", 20000, OURS)
PREFERRED = replace(PLAIN, srtp="preferred")
REQUIRED = replace(PLAIN, srtp="required")
THEIR_KEY = bytes(range(30))
OUR_KEY = bytes(range(100, 144))
SHA1_80, SHA1_32 = "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"


def crypto(options: str = "", suite: str = SHA1_80, tag: int = 1) -> str:
    return f"a=crypto:{tag} {suite} inline:{base64.b64encode(THEIR_KEY).decode()}{options}"


def sdp(*lines: str, profile: str = "RTP/AVP", formats: str = "0 8 101", head: str = "") -> bytes:
    start = f"v=0 o=-_8193_1_IN_IP4_198.51.100.7 s=- c=IN_IP4_198.51.100.7 t=0_0 {head}"
    media = f"m=audio 24680 {profile} {formats}"
    event = "a=rtpmap:101 telephone-event/8000"
    session = [line.replace("_", " ") for line in start.split()]
    return "\r\n".join([*session, media, event, *lines, ""]).encode()


def answer(local: Local, offer: bytes):
    return make_answer(local, offer, session_id=7, version=3, keys=lambda n: OUR_KEY[:n])


def offer_of(local: Local):
    return make_offer(local, session_id=7, version=3, keys=lambda n: OUR_KEY[:n])
