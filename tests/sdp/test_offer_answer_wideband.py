"""Offer and answer of codecs that are more than a static number."""

from dataclasses import replace

import pytest

from opensip.rtp.payload import (
    G722,
    OPUS,
    PCMU,
    TELEPHONE_EVENT,
    event_formats,
)
from opensip.sdp.offer_answer import apply_answer
from tests.fakes.descriptions import PLAIN, answer, offer_of, sdp

WIDE = replace(PLAIN, formats=(OPUS, G722, PCMU, *event_formats((OPUS, G722, PCMU))))


def test_wideband_is_offered_as_rfc_7587_and_3551_want_it():
    lines = offer_of(WIDE).sdp.decode().split("\r\n")
    assert lines[lines.index("t=0 0") + 1 : lines.index("a=ptime:20")] == [
        "m=audio 20000 RTP/AVP 96 9 0 97 101",
        "a=rtpmap:96 opus/48000/2",
        "a=fmtp:96 maxplaybackrate=16000;sprop-maxcapturerate=16000",
        "a=rtpmap:9 G722/8000",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:97 telephone-event/48000",
        "a=fmtp:97 0-15",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-15",
    ]


def test_opus_is_taken_under_the_peers_number_and_its_wishes_are_kept():
    agreed = answer(
        WIDE,
        sdp(
            "a=rtpmap:109 opus/48000/2",
            "a=fmtp:109 maxaveragebitrate=16000;cbr=1",
            "a=rtpmap:110 telephone-event/48000",
            formats="109 9 0 101 110",
        ),
    )
    assert (agreed.payload_type, agreed.codec) == (109, OPUS)
    assert agreed.fmtp == "maxaveragebitrate=16000;cbr=1"
    assert (agreed.dtmf_payload_type, agreed.event_clock) == (110, 48000)
    assert b"a=rtpmap:109 opus/48000/2\r\na=fmtp:109 maxplaybackrate=16000" in agreed.sdp


def test_g722_needs_no_rtpmap_and_has_the_clock_of_the_mistake():
    agreed = answer(WIDE, sdp(formats="9 0 101"))
    assert (agreed.payload_type, agreed.codec, agreed.event_clock) == (9, G722, 8000)
    assert b"a=rtpmap:9 G722/8000\r\n" in agreed.sdp


@pytest.mark.parametrize("wrong", ["G722/16000", "opus/48000", "opus/16000/2"])
def test_what_only_looks_like_it_is_another_codec(wrong):
    agreed = answer(WIDE, sdp(f"a=rtpmap:98 {wrong}", formats="98 0 101"))
    assert agreed.codec == PCMU


def test_an_answer_to_a_wideband_offer():
    offer = offer_of(WIDE)
    agreed = apply_answer(
        offer, sdp("a=rtpmap:111 OPUS/48000/2", "a=fmtp:111 useinbandfec=1", formats="111 101")
    )
    assert (agreed.codec, agreed.payload_type) == (OPUS, 111)
    assert agreed.fmtp == "useinbandfec=1"
    assert agreed.receive == ((96, OPUS), (101, TELEPHONE_EVENT))  # sent to us by our numbers
    assert (agreed.dtmf_payload_type, agreed.event_clock) == (101, 8000)
