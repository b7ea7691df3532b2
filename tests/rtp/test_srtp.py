import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.errors import LocalProtocolError
from opensip.rtp.packet import RtpPacket
from opensip.rtp.srtp import SUITES, SrtpError, SrtpSession

VECTORS = Path(__file__).parents[2] / "../shared/vectors/srtp.json"
REPORT = bytes.fromhex("80c80006cafebabe") + bytes(20)


def key_of(suite: str) -> bytes:
    return bytes(range(SUITES[suite].master_length))


def packet(sequence: int) -> bytes:
    return RtpPacket(0, sequence & 0xFFFF, 160 * sequence & 0xFFFFFFFF, 7, bytes(160)).serialize()


@pytest.mark.parametrize("name", ["AES_CM_128_HMAC_SHA1_80", "AEAD_AES_128_GCM"])
def test_vectors_of_libsrtp(name):
    if not VECTORS.exists():
        pytest.skip(f"no test vectors at {VECTORS}")
    vector = json.loads(VECTORS.read_text())[name]
    key = bytes.fromhex(vector["key"] + vector["salt"])
    rtp, srtp, rtcp, srtcp = (bytes.fromhex(vector[k]) for k in ("rtp", "srtp", "rtcp", "srtcp"))
    assert SrtpSession(name, key).protect(rtp) == srtp
    assert SrtpSession(name, key).unprotect(srtp) == rtp
    assert SrtpSession(name, key).protect_rtcp(rtcp) == srtcp
    assert SrtpSession(name, key).unprotect_rtcp(srtcp) == rtcp


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("ssrcs", [(7,), (7, 8)])
def test_round_trip_of_every_suite(suite, ssrcs):
    tx, rx = SrtpSession(suite, key_of(suite)), SrtpSession(suite, key_of(suite))
    for ssrc in ssrcs:
        sent = RtpPacket(0, 1, 160, ssrc, bytes(160)).serialize()
        assert rx.unprotect(tx.protect(sent)) == sent
    assert rx.unprotect_rtcp(tx.protect_rtcp(REPORT)) == REPORT


@pytest.mark.parametrize("suite", SUITES)
def test_every_flipped_bit_of_the_tag_is_forged(suite):
    tx, rx = SrtpSession(suite, key_of(suite)), SrtpSession(suite, key_of(suite))
    sealed = tx.protect(packet(1))
    for bit in range(32):
        bad = sealed[:-4] + (int.from_bytes(sealed[-4:]) ^ 1 << bit).to_bytes(4)
        with pytest.raises(SrtpError) as caught:
            rx.unprotect(bad)
        assert caught.value.why == "forged"
    assert rx.unprotect(sealed) == packet(1)


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("keeps", [True, False], ids=["goes on", "begins anew"])
def test_a_new_key_goes_on_from_the_rounds_of_the_one_before(suite, keeps):
    tx, rx = SrtpSession(suite, key_of(suite)), SrtpSession(suite, key_of(suite))
    if keeps:
        for number in range(0, 3 << 16, 1 << 14):
            tx.protect(packet(number))
    rx.follow(7, (3 << 16) - 10)
    sent = [packet((3 << 16) - 9 + n) for n in range(30)]  # over the next wrap
    assert [rx.unprotect(tx.protect(one)) for one in sent] == sent


def test_replayed_and_ancient_packets_are_told_apart_from_forged_ones():
    suite = "AES_CM_128_HMAC_SHA1_80"
    tx, rx = SrtpSession(suite, key_of(suite)), SrtpSession(suite, key_of(suite))
    sealed = [tx.protect(packet(n)) for n in range(1, 300)]
    for data in sealed[1:]:
        rx.unprotect(data)
    for old in (sealed[-1], sealed[0]):
        with pytest.raises(SrtpError) as caught:
            rx.unprotect(old)
        assert caught.value.why == "replayed"


def test_the_wrong_key_opens_nothing():
    suite = "AEAD_AES_256_GCM"
    tx, rx = SrtpSession(suite, key_of(suite)), SrtpSession(suite, bytes(44))
    with pytest.raises(SrtpError) as caught:
        rx.unprotect(tx.protect(packet(1)))
    assert caught.value.why == "forged"


def test_sequence_numbers_wrap():
    suite = "AES_CM_128_HMAC_SHA1_32"
    tx, rx = SrtpSession(suite, key_of(suite)), SrtpSession(suite, key_of(suite))
    for n in range(65500, 65600):
        assert rx.unprotect(tx.protect(packet(n))) == packet(n)


@given(st.binary(max_size=2000))
def test_garbage_is_refused_and_does_no_harm(data):
    suite = "AES_CM_128_HMAC_SHA1_80"
    rx = SrtpSession(suite, key_of(suite))
    for unprotect in (rx.unprotect, rx.unprotect_rtcp):
        with pytest.raises(SrtpError):
            unprotect(data)
    good = SrtpSession(suite, key_of(suite)).protect(packet(1))
    assert rx.unprotect(good) == packet(1)


@pytest.mark.parametrize("length", [0, 29, 31])
def test_a_key_of_the_wrong_length_is_our_bug(length):
    with pytest.raises(LocalProtocolError, match="30 bytes"):
        SrtpSession("AES_CM_128_HMAC_SHA1_80", bytes(length))


def test_an_unknown_suite_is_our_bug():
    with pytest.raises(LocalProtocolError, match="F8_128"):
        SrtpSession("F8_128_HMAC_SHA1_80", bytes(30))


@pytest.mark.parametrize("length", [1357, 3000])
def test_what_is_longer_than_a_packet_can_be_is_refused(length):
    with pytest.raises(SrtpError) as caught:
        SrtpSession("AEAD_AES_128_GCM", bytes(28)).protect(packet(1) + bytes(length))
    assert caught.value.why == "malformed"
