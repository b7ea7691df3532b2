"""The SRTCP of both engines: vectors, and each the other's peer."""

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.errors import LocalProtocolError
from opensip.media.engine import SrtpKeys
from opensip.media.reports import context
from opensip.rtp.rtcp import ReceiverReport, SourceDescription, serialize_compound
from opensip.rtp.srtp import SUITES, SrtpError, SrtpSession
from tests.fakes.engines import needs_native

pytestmark = needs_native
VECTORS = Path(__file__).parents[2] / "../shared/vectors/srtp.json"
SUITE, GCM = "AES_CM_128_HMAC_SHA1_80", "AEAD_AES_128_GCM"
ENGINES = ("native", "python")
TRAILERS = {SUITE: 14, "AES_CM_128_HMAC_SHA1_32": 14, GCM: 20, "AEAD_AES_256_GCM": 20}


def opened(engine, suite=SUITE, key=None):
    if engine == "python":
        return SrtpSession(suite, key or key_of(suite))
    from opensip.media.native_srtcp import NativeSrtcp

    return NativeSrtcp(suite, key or key_of(suite))


def key_of(suite):
    return bytes(range(SUITES[suite].master_length))


def report(ssrc=7, size=12):
    return serialize_compound(ReceiverReport(ssrc), SourceDescription(ssrc, ((1, bytes(size)),)))


def index_of(sealed, suite):
    """Read the E flag and the index."""
    word = sealed[-4:] if "GCM" in suite else sealed[-14:-10]
    return divmod(int.from_bytes(word), 1 << 31)


def fate(rx, sealed):
    """Tell why a context refuses a packet, "" when it does not."""
    try:
        rx.unprotect_rtcp(sealed)
    except SrtpError as error:
        return error.why
    return ""


@pytest.mark.parametrize("name", [SUITE, GCM])
@pytest.mark.parametrize("engine", ENGINES)
def test_vectors_of_libsrtp(engine, name):
    if not VECTORS.exists():
        pytest.skip(f"no test vectors at {VECTORS}")
    vector = json.loads(VECTORS.read_text())[name]
    key, plain, sealed = (
        bytes.fromhex(vector["key"] + vector["salt"]),
        bytes.fromhex(vector["rtcp"]),
        bytes.fromhex(vector["srtcp"]),
    )
    assert opened(engine, name, key).protect_rtcp(plain) == sealed
    assert opened(engine, name, key).unprotect_rtcp(sealed) == plain


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize(("one", "other"), [("native", "python"), ("python", "native")])
def test_each_reads_the_other_and_seals_the_same(one, other, suite):
    tx, same, rx = opened(one, suite), opened(other, suite), opened(other, suite)
    for n in range(1, 40):
        for ssrc in (7, 0xFFFFFFFF):
            plain = report(ssrc, 3 * n)
            sealed = tx.protect_rtcp(plain)
            assert sealed == same.protect_rtcp(plain)
            assert rx.unprotect_rtcp(sealed) == plain
            assert index_of(sealed, suite) == (1, n)
            assert len(sealed) == len(plain) + TRAILERS[suite]


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("size", [8, 9, 23, 24, 25, 1300])
def test_any_size_goes_both_ways(suite, size):
    plain = report()[:8] + bytes(size - 8)
    for one, other in (("native", "python"), ("python", "native")):
        sealed = opened(one, suite).protect_rtcp(plain)
        assert opened(other, suite).unprotect_rtcp(sealed) == plain


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("engine", ENGINES)
def test_a_change_of_any_octet_is_refused_and_the_packet_itself_still_good(engine, suite):
    sealed = opened("python", suite).protect_rtcp(report())
    rx = opened(engine, suite)
    for place in range(len(sealed)):
        for flip in (0x01, 0x80):
            bad = bytearray(sealed)
            bad[place] ^= flip
            assert fate(rx, bytes(bad)) in ("forged", "malformed"), place
    for size in range(len(sealed)):
        assert fate(rx, sealed[:size]) in ("forged", "malformed"), size
    assert fate(rx, sealed + b"\0") in ("forged", "malformed")
    assert rx.unprotect_rtcp(sealed) == report()
    assert fate(rx, sealed) == "replayed"


@pytest.mark.parametrize("suite", SUITES)
def test_replays_and_ancient_packets_as_libsrtp_tells_them(suite):
    tx = opened("native", suite)
    sealed = [tx.protect_rtcp(report()) for _ in range(400)]
    dice = random.Random(5)
    order = [min(399, max(0, n + dice.randrange(-150, 150))) for n in range(0, 400, 2)] * 2
    native, python = opened("native", suite), opened("python", suite)
    for n in order:
        assert fate(native, sealed[n]) == fate(python, sealed[n]), n


def test_sources_do_not_disturb_each_other_and_are_not_without_end():
    tx, rx = opened("python"), opened("native")
    sealed = [tx.protect_rtcp(report(ssrc)) for ssrc in range(1100)]
    assert [fate(rx, one) for one in sealed] == [""] * 1024 + ["replayed"] * 76
    assert {fate(rx, one) for one in sealed} == {"replayed"}


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_not_encrypted_is_refused(engine):
    """An E flag that is not set is of a session that agreed to UNENCRYPTED_SRTCP: RFC 4568."""
    sealed = bytearray(opened("python").protect_rtcp(report()))
    sealed[-14] &= 0x7F
    assert fate(opened(engine), bytes(sealed)) == "malformed"


@pytest.mark.parametrize("engine", ENGINES)
def test_the_index_goes_on_while_the_key_is_the_same_and_begins_anew_with_another(engine):
    keys, new = (SrtpKeys(SUITE, letter * 30, letter * 30) for letter in (b"k", b"n"))
    tx = rx = None
    indices = []
    for agreed in (keys, keys, new, keys):
        tx = context(tx, agreed, "transmit", lambda *key: opened(engine, *key))
        rx = context(rx, agreed, "receive", lambda *key: opened(engine, *key))
        sealed = tx.protect_rtcp(report())
        assert rx.unprotect_rtcp(sealed) == report()
        indices.append(index_of(sealed, SUITE))
    assert indices == [(1, 1), (1, 2), (1, 1), (1, 1)]


@pytest.mark.parametrize("engine", ENGINES)
@given(st.binary(max_size=1700), st.sampled_from([*SUITES]))
def test_any_octets_are_refused(engine, data, suite):
    rx = opened(engine, suite)
    assert fate(rx, data) in ("forged", "malformed")
    assert rx.unprotect_rtcp(opened("python", suite).protect_rtcp(report())) == report()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("size", [0, 7, 1501])
def test_what_is_no_report_is_not_sealed(engine, size):
    with pytest.raises(SrtpError) as caught:
        opened(engine).protect_rtcp(bytes(size))
    assert caught.value.why == "malformed"


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("suite", "size"), [("F8_128", 30), (SUITE, 29), (SUITE, 31)])
def test_what_is_no_suite_or_no_key_of_it_is_our_bug(engine, suite, size):
    with pytest.raises(LocalProtocolError, match=suite):
        opened(engine, suite, bytes(size))
