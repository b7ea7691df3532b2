"""Offer and answer of keys by DTLS, with ICE and RTCP beside RTP."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.errors import NegotiationError, RemoteProtocolError
from opensip.sdp.description import SessionDescription
from opensip.sdp.fingerprint import DtlsPeer, Fingerprint, OwnDtls
from opensip.sdp.offer_answer import Local, apply_answer, make_offer
from tests.fakes.descriptions import PLAIN, REQUIRED, SHA1_80, answer, crypto, offer_of, sdp

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
