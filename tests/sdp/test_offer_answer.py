import base64
import contextlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.errors import NegotiationError, RemoteProtocolError
from opensip.rtp.payload import (
    G722,
    OPUS,
    PCMA,
    PCMU,
    TELEPHONE_EVENT,
    PayloadFormat,
    event_formats,
)
from opensip.rtp.srtp import SUITES
from opensip.sdp.description import SessionDescription
from opensip.sdp.fingerprint import DtlsPeer, Fingerprint, OwnDtls
from opensip.sdp.offer_answer import Local, apply_answer, make_answer, make_offer

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
        (sdp().replace(b"24680", b"0"), "offered audio; we can audio"),
        (b"v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\n", "offered no media"),
    ],
)
def test_no_audio_says_why(data, why):
    with pytest.raises(NegotiationError, match=why):
        answer(PLAIN, data)


@pytest.mark.parametrize("suite", SUITES)
def test_every_suite_as_both_sides(suite):
    offer = offer_of(replace(REQUIRED, suites=(suite,)))
    agreed = answer(PREFERRED, offer.sdp)
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
    local = replace(PLAIN, srtp=other, formats=tuple(second))
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


OWN = OwnDtls(Fingerprint("sha-256", bytes(32)), "ours", "p" * 24)
OWN_LINE = "a=fingerprint:sha-256 " + ":".join(["00"] * 32)
THEIR_PRINT = Fingerprint("sha-256", bytes(range(32)))
THEIR_LINE = f"a=fingerprint:{THEIR_PRINT}"
DTLS = replace(PLAIN, srtp="required", keying="dtls", dtls=OWN)
AUTO = replace(DTLS, keying="auto")
ICE = ("a=ice-ufrag:them", "a=ice-pwd:" + "q" * 22)
UDP_TLS = "UDP/TLS/RTP/SAVPF"


def lines_of(description: bytes) -> list[str]:
    return description.decode().split("\r\n")


def test_an_offer_of_dtls_is_answered_in_its_profile():
    offered = sdp(THEIR_LINE, "a=setup:actpass", "a=rtcp-mux", *ICE, profile=UDP_TLS)
    for local in (DTLS, AUTO):
        agreed = answer(local, offered)
        assert agreed.dtls == DtlsPeer((THEIR_PRINT,), "active")
        assert (agreed.mux, agreed.rtcp) == (True, ("198.51.100.7", 24680))
        assert agreed.ice is not None
        assert (agreed.suite, agreed.tx_key) == ("", b"")
        lines = lines_of(agreed.sdp)
        assert {OWN_LINE, "a=setup:active", "a=rtcp-mux", "a=ice-lite", "a=ice-ufrag:ours"} <= set(
            lines
        )
        assert f"m=audio 20000 {UDP_TLS} 0 101" in lines
        assert lines.index("a=ice-lite") < lines.index(f"m=audio 20000 {UDP_TLS} 0 101")
        assert "a=candidate:1 1 UDP 2130706431 192.0.2.9 20000 typ host" in lines
        assert not [line for line in lines if line.startswith("a=crypto")]


def test_ice_and_mux_are_answered_only_where_they_are_offered():
    agreed = answer(DTLS, sdp(THEIR_LINE, "a=setup:passive", profile="UDP/TLS/RTP/SAVP"))
    assert (agreed.mux, agreed.ice, agreed.rtcp) == (False, None, ("198.51.100.7", 24681))
    assert not [line for line in lines_of(agreed.sdp) if "ice" in line or "mux" in line]


def test_a_default_address_that_somebody_changed_ends_ice():
    wrong = "a=candidate:1 1 UDP 9 192.0.2.200 4 typ host"
    offered = sdp(THEIR_LINE, "a=setup:actpass", *ICE, "a=rtcp-mux", wrong, profile=UDP_TLS)
    assert answer(DTLS, offered).ice is None


def test_ice_for_two_ports_is_not_agreed_to():
    assert answer(DTLS, sdp(THEIR_LINE, "a=setup:actpass", *ICE, profile=UDP_TLS)).ice is None


def test_candidates_that_come_later_are_no_hold():
    offered = sdp(THEIR_LINE, "a=setup:actpass", *ICE, "a=rtcp-mux", profile=UDP_TLS)
    trickled = offered.replace(b"198.51.100.7", b"0.0.0.0").replace(b"audio 24680", b"audio 9")
    agreed = answer(DTLS, trickled)
    assert (agreed.held, agreed.direction, agreed.remote) == (False, "sendrecv", ("0.0.0.0", 9))


@pytest.mark.parametrize(
    ("local", "profile", "lines", "warning"),
    [
        (REQUIRED, UDP_TLS, (THEIR_LINE,), "offered UDP/TLS/RTP/SAVPF; we can RTP/SAVP and RTP/A"),
        (DTLS, UDP_TLS, (), "with no fingerprint; we can UDP/TLS/RTP/SAVP"),
        (AUTO, UDP_TLS, (crypto(),), "with no fingerprint; we can SRTP with AES"),
        (DTLS, "RTP/SAVP", (crypto(),), "offered RTP/SAVP with no fingerprint; we can UDP/TLS"),
        (DTLS, "RTP/AVP", (), "offered RTP/AVP with no fingerprint"),
        (DTLS, "TCP/TLS/RTP/SAVP", (THEIR_LINE,), "we can UDP/TLS/RTP/SAVP and RTP/AVP"),
        (AUTO, "TCP/TLS/RTP/SAVP", (), "we can RTP/SAVP and UDP/TLS/RTP/SAVP and RTP/AVP"),
        (replace(DTLS, srtp="off"), UDP_TLS, (THEIR_LINE,), "SRTP is off"),
    ],
)
def test_offers_that_do_not_fit_the_keying(local, profile, lines, warning):
    with pytest.raises(NegotiationError, match=warning):
        answer(local, sdp(*lines, profile=profile))


def test_auto_takes_either():
    agreed = answer(AUTO, sdp(crypto(), profile="RTP/SAVP"))
    assert (agreed.suite, agreed.dtls) == (SHA1_80, None)
    both = answer(AUTO, sdp(crypto(), THEIR_LINE))
    assert (both.suite, both.dtls) == (SHA1_80, None)
    plain = replace(AUTO, srtp="preferred")
    assert answer(plain, sdp(THEIR_LINE)).dtls is not None
    assert answer(plain, sdp()).dtls is None


def offered_dtls(srtp: str, **changes) -> tuple[list[str], Local]:
    local = replace(DTLS, srtp=srtp, dtls=replace(OWN, **changes))
    return lines_of(offer_of(local).sdp), local


def test_offers_of_dtls():
    lines, _ = offered_dtls("required")
    assert "m=audio 20000 UDP/TLS/RTP/SAVP 0 8 101" in lines
    assert {OWN_LINE, "a=setup:actpass", "a=rtcp-mux", "a=ice-lite", "a=ice-ufrag:ours"} <= set(
        lines
    )
    lines, _ = offered_dtls("preferred", role="passive", mux=False)
    assert "m=audio 20000 RTP/AVP 0 8 101" in lines
    assert "a=setup:passive" in lines
    assert "a=rtcp-mux" not in lines
    assert "a=candidate:1 2 UDP 2130706430 192.0.2.9 20001 typ host" in lines
    assert not [line for line in offered_dtls("off")[0] if "fingerprint" in line]
    assert "m=audio 20000 RTP/SAVP 0 8 101" in lines_of(offer_of(AUTO).sdp)


def test_answers_to_dtls():
    offer = offer_of(DTLS)
    profile = "UDP/TLS/RTP/SAVP"
    agreed = apply_answer(
        offer, sdp(THEIR_LINE, "a=setup:active", "a=rtcp-mux", *ICE, profile=profile)
    )
    assert agreed.dtls == DtlsPeer((THEIR_PRINT,), "passive")
    assert (agreed.mux, agreed.ice is not None, agreed.suite) == (True, True, "")
    with pytest.raises(NegotiationError, match="answered no fingerprint"):
        apply_answer(offer, sdp(profile=profile))
    with pytest.raises(NegotiationError, match="setup actpass to our actpass"):
        apply_answer(offer, sdp(THEIR_LINE, "a=setup:actpass", profile=profile))


def test_dtls_that_is_only_preferred_may_be_left_out():
    offer = offer_of(replace(DTLS, srtp="preferred"))
    agreed = apply_answer(offer, sdp())
    assert (agreed.dtls, agreed.suite) == (None, "")
    assert apply_answer(offer, sdp(THEIR_LINE, "a=setup:passive")).dtls == DtlsPeer(
        (THEIR_PRINT,), "active"
    )


@given(
    st.lists(
        st.sampled_from(
            (THEIR_LINE, "a=fingerprint:x", "a=fingerprint:sha-256 00", *ICE, crypto(),
             "a=setup:active", "a=setup:passive", "a=setup:actpass", "a=setup:x", "a=rtcp-mux",
             "a=candidate:1 1 UDP 1 198.51.100.7 24680 typ host", "a=candidate:1", "a=ice-lite")
        ),
        max_size=8,
    ),
    st.sampled_from((UDP_TLS, "UDP/TLS/RTP/SAVP", "RTP/SAVP", "RTP/AVP")),
    st.sampled_from(("required", "preferred")),
    st.sampled_from(("sdes", "dtls", "auto")),
)  # fmt: skip
def test_no_offer_makes_required_keys_optional(lines, profile, srtp, keying):
    local = replace(DTLS, srtp=srtp, keying=keying, dtls=None if keying == "sdes" else OWN)
    offered = sdp(*lines, profile=profile)
    try:
        agreed = answer(local, offered)
    except (NegotiationError, RemoteProtocolError):
        return
    assert bool(agreed.suite) + bool(agreed.dtls) <= 1
    if srtp == "required" or profile != "RTP/AVP":
        assert agreed.suite or agreed.dtls
    if agreed.dtls:
        assert keying != "sdes"
        assert set(agreed.dtls.fingerprints) == {THEIR_PRINT}
    own = SessionDescription.parse(agreed.sdp)
    assert own.media[0].protocol == profile


def test_an_answer_with_ice_for_two_ports_is_told():
    offer = make_offer(DTLS, session_id=1, version=0, keys=bytes)
    lines = (THEIR_LINE, "a=setup:active", *ICE)
    with pytest.raises(NegotiationError, match="rtcp-mux"):
        apply_answer(offer, sdp(*lines, profile=offer.protocol))
    lite = sdp(*lines, profile=offer.protocol).replace(b"t=0 0", b"t=0 0\r\na=ice-lite")
    assert apply_answer(offer, lite).mux is False  # it sends no checks either
