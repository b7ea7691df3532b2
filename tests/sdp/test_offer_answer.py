import base64
import contextlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.errors import NegotiationError, RemoteProtocolError
from opensip.rtp.payload import (
    G722,
    PCMA,
    PCMU,
    TELEPHONE_EVENT,
    PayloadFormat,
)
from opensip.rtp.srtp import SUITES
from opensip.sdp.description import SessionDescription
from opensip.sdp.offer_answer import apply_answer, make_offer
from tests.fakes.descriptions import (
    OUR_KEY,
    OURS,
    PLAIN,
    PREFERRED,
    REQUIRED,
    SHA1_32,
    SHA1_80,
    THEIR_KEY,
    answer,
    crypto,
    offer_of,
    sdp,
)


def test_an_answer_to_a_trunk():
    agreed = answer(REQUIRED, sdp(crypto("|2^20"), "a=ptime:30", profile="RTP/SAVP"))
    key = base64.b64encode(OUR_KEY[:30]).decode()
    assert agreed.sdp.decode().split("\r\n") == [
        "v=0",
        "o=- 7 3 IN IP4 192.0.2.9",
        "s=-",
        "c=IN IP4 192.0.2.9",
        "t=0 0",
        "m=audio 20000 RTP/SAVP 0 101",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-15",
        f"a=crypto:1 {SHA1_80} inline:{key}",
        "a=ptime:20",
        "a=sendrecv",
        "",
    ]
    assert (agreed.remote, agreed.rtcp) == (("198.51.100.7", 24680), ("198.51.100.7", 24681))
    assert (agreed.codec, agreed.payload_type, agreed.dtmf_payload_type) == (PCMU, 0, 101)
    assert agreed.receive == ((0, PCMU), (101, TELEPHONE_EVENT))
    assert (agreed.suite, agreed.tx_key, agreed.rx_key) == (SHA1_80, OUR_KEY[:30], THEIR_KEY)
    assert (agreed.ptime, agreed.direction, agreed.held) == (30, "sendrecv", False)
    assert key not in repr(agreed)


@pytest.mark.parametrize(
    ("srtp", "profile", "lines", "suite"),
    [
        ("required", "RTP/SAVP", [crypto()], SHA1_80),
        ("required", "RTP/SAVPF", [crypto()], SHA1_80),
        ("required", "RTP/AVP", [crypto()], SHA1_80),
        ("preferred", "RTP/SAVP", [crypto()], SHA1_80),
        ("preferred", "RTP/AVP", [crypto()], SHA1_80),
        ("preferred", "RTP/AVP", [crypto("|1:1")], ""),
        ("preferred", "RTP/AVP", [], ""),
        ("preferred", "RTP/AVPF", [], ""),
        ("off", "RTP/AVP", [crypto()], ""),
        ("off", "RTP/AVP", [], ""),
        ("required", "RTP/SAVP", [crypto("|1:1"), crypto(suite=SHA1_32, tag=2)], SHA1_32),
        ("required", "RTP/SAVP", [crypto(" UNENCRYPTED_SRTP"), crypto(tag=9)], SHA1_80),
    ],
)
def test_keys_by_setting_and_profile_which_is_never_changed(srtp, profile, lines, suite):
    agreed = answer(replace(PLAIN, srtp=srtp), sdp(*lines, profile=profile))
    media = SessionDescription.parse(agreed.sdp).media[0]
    assert agreed.suite == suite
    assert bool(agreed.tx_key) is bool(agreed.rx_key) is bool(media.get("crypto")) is bool(suite)
    assert media.protocol == profile
    if suite:
        tags = [line.split()[0].split(":")[1] for line in lines]
        assert str(media.get("crypto")).split()[0] == tags[-1]


@pytest.mark.parametrize(
    ("srtp", "profile", "lines", "why"),
    [
        ("required", "RTP/AVP", [], "offered RTP/AVP with no keys; we can SRTP with AES_CM_128"),
        ("required", "RTP/AVP", [crypto("|1:1")], f"offered RTP/AVP with {SHA1_80} with MKI"),
        ("required", "RTP/SAVP", [], "offered RTP/SAVP with no keys"),
        ("preferred", "RTP/SAVP", [crypto(suite="F8")], "with F8 unknown; we can SRTP with"),
        ("off", "RTP/SAVP", [crypto()], "offered RTP/SAVP; we can RTP/AVP, SRTP is off"),
        ("preferred", "UDP/TLS/RTP/SAVPF", [], "offered UDP/TLS/RTP/SAVPF; we can RTP/SAVP"),
    ],
)
def test_no_common_suite_says_why(srtp, profile, lines, why):
    with pytest.raises(NegotiationError) as caught:
        answer(replace(PLAIN, srtp=srtp), sdp(*lines, profile=profile))
    assert why in caught.value.warning
    assert (caught.value.sip_status, caught.value.warning_code) == (488, 305)


def test_no_common_codec_says_why():
    with pytest.raises(NegotiationError, match="offered G729/8000; we can PCMU/8000, PCMA/8000"):
        answer(PLAIN, sdp(formats="18 101"))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (sdp().replace(b"audio", b"video"), "offered video; we can audio"),
        (sdp().replace(b"24680", b"0"), "offered audio at port 0; we can audio"),
        (b"v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\n", "offered no media"),
    ],
)
def test_no_audio_says_why(data, why):
    with pytest.raises(NegotiationError, match=why):
        answer(PLAIN, data)


@pytest.mark.parametrize("suite", SUITES)
def test_every_suite_as_both_sides(suite):
    offer = offer_of(replace(REQUIRED, suites=(suite,)))
    agreed = answer(replace(PREFERRED, port=30000), offer.sdp)
    ours = apply_answer(offer, agreed.sdp)
    assert agreed.suite == ours.suite == suite
    assert (agreed.tx_key, agreed.rx_key) == (ours.rx_key, ours.tx_key)
    assert len(ours.tx_key) == SUITES[suite].master_length


def test_every_other_stream_is_refused_with_port_0_in_its_place():
    video = "m=video 5000/2 RTP/AVP 31 32\r\na=rtpmap:31 H261/90000"
    image = "m=image 6000 udptl t38"
    second = "m=audio 7000 RTP/AVP 0"
    agreed = answer(
        PLAIN, sdp(image, second).replace(b"m=audio 24680", f"{video}\r\nm=audio 24680".encode())
    )
    media = SessionDescription.parse(agreed.sdp).media
    assert [(m.kind, m.port, m.protocol) for m in media] == [
        ("video", 0, "RTP/AVP"),
        ("audio", 20000, "RTP/AVP"),
        ("image", 0, "udptl"),
        ("audio", 0, "RTP/AVP"),
    ]


@pytest.mark.parametrize(("srtp", "ports"), [("preferred", [0, 20000]), ("off", [20000, 0])])
def test_of_a_plain_and_a_secure_stream_the_secure_one_is_taken_if_it_can_be(srtp, ports):
    offer = sdp("m=audio 7000 RTP/SAVP 0", crypto())
    agreed = answer(replace(PLAIN, srtp=srtp), offer)
    assert [m.port for m in SessionDescription.parse(agreed.sdp).media] == ports


def test_times_are_those_of_the_offer():
    agreed = answer(PLAIN, sdp().replace(b"t=0 0", b"t=1 2"))
    assert b"t=1 2\r\n" in agreed.sdp
    assert b"t=0 0\r\n" in answer(PLAIN, sdp().replace(b"t=0 0\r\n", b"")).sdp


@pytest.mark.parametrize(
    ("change", "direction"),
    [
        ((b"", b"a=sendonly\r\n"), "recvonly"),
        ((b"", b"a=inactive\r\n"), "inactive"),
        ((b"c=IN IP4 198.51.100.7", b"c=IN IP4 0.0.0.0"), "recvonly"),
    ],
)
def test_hold_in_every_style(change, direction):
    old, new = change
    offer = sdp().replace(old, new) if old else sdp() + new
    agreed = answer(PLAIN, offer)
    assert (agreed.held, agreed.direction) == (True, direction)
    assert f"a={direction}\r\n".encode() in agreed.sdp
    assert not answer(PLAIN, sdp()).held


def test_mux_is_not_agreed_to_and_rtcp_is_followed():
    agreed = answer(PLAIN, sdp("a=rtcp-mux", "a=rtcp:9999 IN IP4 198.51.100.8"))
    assert agreed.rtcp == ("198.51.100.8", 9999)
    assert b"rtcp" not in agreed.sdp


def test_ipv6():
    local = replace(PLAIN, address="2001:db8::9")
    offer = sdp().replace(b"IP4 198.51.100.7", b"IP6 2001:db8::7")
    agreed = answer(local, offer)
    assert agreed.remote == ("2001:db8::7", 24680)
    assert b"c=IN IP6 2001:db8::9\r\n" in agreed.sdp


def test_an_offer_of_each_setting():
    for local, protocol, lines in (
        (PLAIN, "RTP/AVP", 0),
        (PREFERRED, "RTP/AVP", 4),
        (REQUIRED, "RTP/SAVP", 4),
    ):
        media = SessionDescription.parse(offer_of(local).sdp).media[0]
        assert media.protocol == protocol
        assert len(media.get_all("crypto")) == lines
        assert media.formats == ("0", "8", "101")
        assert media.get("sendrecv") == ""


def test_a_later_offer_keeps_refused_streams_in_their_places():
    video = b"m=video 5000 RTP/AVP 31\r\nm=audio 24680"
    agreed = answer(PLAIN, sdp("m=image 6000 udptl t38").replace(b"m=audio 24680", video))
    offer = make_offer(PLAIN, session_id=7, version=4, keys=bytes, previous=agreed.sdp)
    media = SessionDescription.parse(offer.sdp).media
    assert [(m.kind, m.port) for m in media] == [("video", 0), ("audio", 20000), ("image", 0)]
    theirs = answer(replace(PLAIN, port=7000), offer.sdp)
    assert apply_answer(offer, theirs.sdp).remote == ("192.0.2.9", 7000)
    with pytest.raises(NegotiationError, match="refuses the audio"):
        apply_answer(offer, sdp())


@pytest.mark.parametrize("local", [PREFERRED, REQUIRED])
@pytest.mark.parametrize("profile", ["RTP/AVP", "RTP/SAVP"])
def test_a_later_offer_keeps_the_profile_and_the_secrecy(local, profile):
    agreed = answer(local, sdp(crypto(), profile=profile))
    offer = make_offer(local, session_id=7, version=4, keys=bytes, previous=agreed.sdp)
    assert SessionDescription.parse(offer.sdp).media[0].protocol == offer.protocol == profile
    if local is REQUIRED or profile == "RTP/SAVP":
        with pytest.raises(NegotiationError, match="answered no keys"):
            apply_answer(offer, sdp(profile=profile))


def test_an_offer_shows_no_key():
    offer = offer_of(REQUIRED)
    key = base64.b64encode(OUR_KEY[:30])
    assert key in offer.sdp
    assert key.decode() not in repr(offer)


def test_dynamic_numbers_leave_101_to_events():
    dynamic = tuple(PayloadFormat(f"X{n}", 8000) for n in range(6))
    media = SessionDescription.parse(
        offer_of(replace(PLAIN, formats=(*dynamic, TELEPHONE_EVENT))).sdp
    ).media[0]
    assert media.formats == ("96", "97", "98", "99", "100", "102", "101")


def test_the_answer_may_number_otherwise():
    speex = PayloadFormat("speex", 8000, fmtp="mode=3")
    offer = offer_of(replace(PLAIN, formats=(speex, PCMU, TELEPHONE_EVENT)))
    assert b"a=fmtp:96 mode=3\r\n" in offer.sdp
    reply = sdp("a=rtpmap:110 SPEEX/8000", "a=rtpmap:99 telephone-event/8000", formats="110 99")
    agreed = apply_answer(offer, reply)
    assert (agreed.codec, agreed.payload_type, agreed.dtmf_payload_type) == (speex, 110, 99)
    assert agreed.receive == ((96, speex), (101, TELEPHONE_EVENT))
    assert agreed.sdp == offer.sdp


def test_plain_answer_to_preferred_is_plain_and_keys_nobody_asked_for_are_ignored():
    assert apply_answer(offer_of(PREFERRED), sdp()).suite == ""
    assert apply_answer(offer_of(PLAIN), sdp(crypto())).suite == ""


@pytest.mark.parametrize(
    ("local", "reply", "why"),
    [
        (PLAIN, sdp().replace(b"24680", b"0"), "refuses the audio"),
        (PLAIN, b"v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\n", "refuses the audio"),
        (PLAIN, sdp(profile="RTP/SAVP"), "offered RTP/AVP, answered audio RTP/SAVP"),
        (PLAIN, sdp().replace(b"audio", b"video"), "answered video"),
        (PLAIN, sdp(formats="18"), "offered G729/8000"),
        (REQUIRED, sdp(profile="RTP/SAVP"), "answered no keys"),
        (REQUIRED, sdp(), "offered RTP/SAVP, answered audio RTP/AVP"),
        (REQUIRED, sdp(crypto("|1:1"), profile="RTP/SAVP"), "answered .* with MKI"),
        (REQUIRED, sdp(crypto(tag=2), profile="RTP/SAVP"), f"answered {SHA1_80}"),
        (PREFERRED, sdp("a=crypto:1 junk"), "answered a malformed line"),
    ],
)
def test_an_answer_that_does_not_fit_the_offer(local, reply, why):
    with pytest.raises(NegotiationError, match=why):
        apply_answer(offer_of(local), reply)


def test_hold_in_an_answer():
    agreed = apply_answer(offer_of(PLAIN), sdp("a=recvonly"))
    assert (agreed.direction, agreed.held) == ("sendonly", False)
    assert apply_answer(offer_of(PLAIN), sdp("a=inactive")).held


@given(
    st.sampled_from(["off", "preferred", "required"]),
    st.sampled_from(["off", "preferred", "required"]),
    st.permutations(OURS),
    st.permutations(OURS),
)
def test_two_of_us_always_agree_or_say_why(one, other, first, second):
    offer = offer_of(replace(PLAIN, srtp=one, formats=tuple(first)))
    local = replace(PLAIN, srtp=other, formats=tuple(second), port=30000)
    if {one, other} == {"off", "required"}:
        with pytest.raises(NegotiationError):
            answer(local, offer.sdp)
        return
    theirs = answer(local, offer.sdp)
    ours = apply_answer(offer, theirs.sdp)
    assert (ours.codec, ours.suite) == (theirs.codec, theirs.suite)
    assert (ours.tx_key, ours.rx_key) == (theirs.rx_key, theirs.tx_key)
    assert bool(ours.suite) is ("off" not in (one, other))


def try_both(data: bytes) -> None:
    for local in (PLAIN, PREFERRED, REQUIRED):
        with contextlib.suppress(RemoteProtocolError, NegotiationError):
            answer(local, data)
        with contextlib.suppress(RemoteProtocolError, NegotiationError):
            apply_answer(offer_of(local), data)


SAMPLE = sdp(crypto("|2^20"), "a=ptime:20", "a=rtcp:1 IN IP4 1.1.1.1", "a=sendonly")


@given(st.integers(0, len(SAMPLE)), st.binary(max_size=6), st.integers(0, 6))
def test_a_damaged_description_is_used_or_refused(position, junk, cut):
    try_both(SAMPLE[:position] + junk + SAMPLE[position + cut :])


@given(st.lists(st.sampled_from(SAMPLE.split(b"\r\n")), max_size=20))
def test_shuffled_lines_are_used_or_refused(lines):
    try_both(b"v=0\r\n" + b"\r\n".join(lines))


def test_every_codec_of_the_answer_may_come():
    """RFC 3264 section 7: who answers with several may send any of them."""
    offer = offer_of(PLAIN)
    agreed = apply_answer(offer, sdp(formats="8 18 0 101"))
    assert (agreed.codec, agreed.payload_type) == (PCMA, 8)
    assert agreed.receive == ((0, PCMU), (8, PCMA), (101, TELEPHONE_EVENT))


def test_all_that_the_peer_lists_is_told():
    offer = offer_of(replace(PLAIN, formats=(G722, PCMU, PCMA)))
    there = replace(PLAIN, formats=(PCMA,), address="192.0.2.1")
    answered = answer(there, offer.sdp)
    assert answered.codec == PCMA
    assert answered.listed == (G722, PCMU, PCMA)
    assert apply_answer(offer, answered.sdp).listed == (PCMA,)
