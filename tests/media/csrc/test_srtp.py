"""The SRTP of the native engine: vectors, and libsrtp as its peer both ways."""

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.rtp.packet import RtpPacket
from opensip.rtp.srtp import SUITES, SrtpError, SrtpSession

_engine = pytest.importorskip("opensip.media._engine", exc_type=ImportError)
VECTORS = Path(__file__).parents[3] / "../shared/vectors/srtp.json"
SUITE = "AES_CM_128_HMAC_SHA1_80"


def key_of(suite):
    return bytes(range(SUITES[suite].master_length))


def packet(n, ssrc=7, payload=bytes(160)):
    return RtpPacket(0, n & 0xFFFF, 160 * n & 0xFFFFFFFF, ssrc, payload).serialize()


def fate(context, sealed):
    """Tell why a context refuses a packet, "" when it does not."""
    try:
        context.unprotect(sealed)
    except SrtpError as error:
        return error.why
    except ValueError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", ["AES_CM_128_HMAC_SHA1_80", "AEAD_AES_128_GCM"])
def test_vectors(name):
    if not VECTORS.exists():
        pytest.skip(f"no test vectors at {VECTORS}")
    vector = json.loads(VECTORS.read_text())[name]
    key, plain, sealed = (
        bytes.fromhex(vector["key"] + vector["salt"]),
        bytes.fromhex(vector["rtp"]),
        bytes.fromhex(vector["srtp"]),
    )
    assert _engine.Srtp(name, key).protect(plain) == sealed
    assert _engine.Srtp(name, key).unprotect(sealed) == plain


def test_the_key_stream_of_rfc_3711_appendix_b_2():
    """Its session key comes of no master key, so only what the KDF makes of B.3 can be shown."""
    key = bytes.fromhex("e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6")
    ours = _engine.Srtp(SUITE, key).protect(packet(0, 0, bytes(32)))
    theirs = SrtpSession(SUITE, key).protect(packet(0, 0, bytes(32)))
    assert ours == theirs


@pytest.mark.parametrize("suite", SUITES)
def test_libsrtp_and_we_read_each_other_through_two_wraps(suite):
    key = key_of(suite)
    ours, theirs = _engine.Srtp(suite, key), SrtpSession(suite, key)
    to_us, to_them = _engine.Srtp(suite, key), SrtpSession(suite, key)
    for n in range(0, 140_000, 1777):
        assert to_them.unprotect(ours.protect(packet(n))) == packet(n)
        assert to_us.unprotect(theirs.protect(packet(n))) == packet(n)


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 480, 1200])
def test_any_size_with_csrcs_and_extension(suite, size):
    key = key_of(suite)
    plain = RtpPacket(0, 1, 2, 3, bytes(size), csrcs=(4, 5), extension=(0xBEDE, bytes(8)))
    sealed = _engine.Srtp(suite, key).protect(plain.serialize())
    assert SrtpSession(suite, key).unprotect(sealed) == plain.serialize()
    assert _engine.Srtp(suite, key).unprotect(sealed) == plain.serialize()


@pytest.mark.parametrize("suite", SUITES)
def test_every_flipped_bit_is_forged_and_the_packet_itself_still_good(suite):
    key = key_of(suite)
    sealed = SrtpSession(suite, key).protect(packet(1, payload=b"\x55" * 4))
    ours = _engine.Srtp(suite, key)
    for bit in range(8 * len(sealed)):
        bad = (int.from_bytes(sealed) ^ 1 << bit).to_bytes(len(sealed))
        assert fate(ours, bad) in ("forged", "malformed"), bit
    assert ours.unprotect(sealed) == packet(1, payload=b"\x55" * 4)


def test_replays_and_ancient_packets_as_libsrtp_tells_them():
    sending = SrtpSession(SUITE, key_of(SUITE))
    sealed = [sending.protect(packet(n)) for n in range(400)]
    dice = random.Random(5)
    order = [min(399, max(0, n + dice.randrange(-150, 150))) for n in range(0, 400, 2)] * 2
    ours, theirs = _engine.Srtp(SUITE, key_of(SUITE)), SrtpSession(SUITE, key_of(SUITE))
    for n in order:
        assert fate(ours, sealed[n]) == fate(theirs, sealed[n]), n


@given(st.binary(max_size=300), st.sampled_from([*SUITES]))
def test_any_octets_are_refused(data, suite):
    assert fate(_engine.Srtp(suite, key_of(suite)), data) in ("forged", "malformed")


def test_sources_do_not_disturb_each_other_and_are_not_without_end():
    ours, theirs = _engine.Srtp(SUITE, key_of(SUITE)), SrtpSession(SUITE, key_of(SUITE))
    sealed = [theirs.protect(packet(9, ssrc)) for ssrc in range(1100)]
    fates = [fate(ours, one) for one in sealed]
    assert fates == [""] * 1024 + ["replayed"] * 76
    assert {fate(ours, one) for one in sealed} == {"replayed"}


def test_a_sequence_number_is_never_used_twice():
    ours = _engine.Srtp(SUITE, key_of(SUITE))
    ours.protect(packet(5))
    with pytest.raises(ValueError, match="replayed"):
        ours.protect(packet(5))
    with pytest.raises(ValueError, match="malformed"):
        ours.protect(b"\x8f" * 20)
    with pytest.raises(ValueError, match="malformed"):
        ours.protect(bytes(1501))


@pytest.mark.parametrize(("suite", "size"), [("AES_256_CM", 46), (SUITE, 29), (SUITE, 31)])
def test_what_is_no_suite_or_no_key_of_it(suite, size):
    with pytest.raises(ValueError, match=suite):
        _engine.Srtp(suite, bytes(size))
