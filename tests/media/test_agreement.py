import pytest

from opensip.errors import MissingExtra
from opensip.events import MediaNegotiated
from opensip.media import agreement
from opensip.media.agreement import (
    check_keying,
    is_news,
    make_keying,
    news,
    place,
    stream_config,
    summary,
    with_keys,
)
from opensip.media.engine import SrtpKeys
from opensip.rtp.payload import PCMU
from opensip.sdp.fingerprint import DtlsPeer
from opensip.sdp.offer_answer import Negotiated

THERE, RTCP = ("192.0.2.1", 4000), ("192.0.2.1", 4001)
KEYS = SrtpKeys("AEAD_AES_128_GCM", b"t" * 28, b"r" * 28)


def agreed(**more) -> Negotiated:
    return Negotiated(
        b"", THERE, RTCP, PCMU, 0, None, ((0, PCMU),), 20, "sendrecv", False, **more
    )  # fmt: skip


def configured(what: Negotiated, **more):
    return stream_config(what, remote=THERE, rtcp=RTCP, symmetric=True, **more)


def test_plain_rtp_begins_at_once():
    config = configured(agreed())
    assert (config.remote, config.rtcp, config.keys) == (THERE, RTCP, None)
    assert (config.beside, config.mux) == (False, False)
    nowhere = stream_config(agreed(), remote=THERE, rtcp=("192.0.2.1", 0), symmetric=True)
    assert nowhere.rtcp is None  # a=rtcp:0 is no place to report to


def test_without_keys_of_dtls_there_is_no_peer():
    waiting = agreed(dtls=DtlsPeer((), "active"), mux=True)
    assert (configured(waiting).remote, configured(waiting).rtcp) == (None, None)
    assert configured(waiting).beside
    config = configured(with_keys(waiting, KEYS))
    assert (config.remote, config.rtcp, config.keys, config.mux) == (THERE, RTCP, KEYS, True)


def test_without_mux_rtcp_stays_away_under_dtls():
    config = configured(with_keys(agreed(dtls=DtlsPeer((), "active")), KEYS))
    assert (config.remote, config.rtcp) == (THERE, None)


def test_without_mux_rtcp_goes_by_keys_of_its_own():
    keyed = with_keys(agreed(dtls=DtlsPeer((), "active")), KEYS)
    own = SrtpKeys("AEAD_AES_128_GCM", b"t" * 28, b"r" * 28)
    config = configured(keyed, control=own)
    assert (config.rtcp, config.keys, config.control) == (RTCP, KEYS, own)
    waiting = agreed(dtls=DtlsPeer((), "active"))
    assert configured(waiting, control=own).rtcp is None


def test_keys_in_sdp_want_no_keying():
    assert make_keying("sdes", None, keyed=None, failed=None, random=None) is None


def test_keys_are_added_to_dtls_alone():
    assert with_keys(agreed(), KEYS) == agreed()
    waiting = agreed(dtls=DtlsPeer((), "active"))
    assert with_keys(waiting, None) is waiting
    assert summary(with_keys(waiting, KEYS)) == ("PCMU", "AEAD_AES_128_GCM", "192.0.2.1:4000")
    assert place(waiting.remote) == "192.0.2.1:4000"
    assert place(("2001:db8::1", 4000)) == "[2001:db8::1]:4000"


def test_a_missing_extra_is_named(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(agreement.importlib, "import_module", missing)
    check_keying("sdes")
    with pytest.raises(MissingExtra, match=r"keying = 'dtls' needs .* opensip-agent\[webrtc\]"):
        check_keying("dtls")


def test_what_is_worth_a_note():
    assert is_news(agreed(), None)
    assert not is_news(agreed(), agreed())
    assert is_news(agreed(suite="AES_CM_128_HMAC_SHA1_80"), agreed())
    assert not is_news(agreed(dtls=DtlsPeer((), "active")), None)  # its keys are to come
    note = news(agreed(), ("192.0.2.7", 20000), at=1.0)
    assert note == MediaNegotiated(1.0, "PCMU", "", "192.0.2.7:20000", "192.0.2.1:4000")
