import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.errors import RemoteProtocolError
from opensip.rtp.srtp import SUITES
from opensip.sdp.crypto import CryptoAttribute, choose

KEY = bytes(range(30))
INLINE = base64.b64encode(KEY).decode()
SHA1_80 = "AES_CM_128_HMAC_SHA1_80"


def line(options: str = "", suite: str = SHA1_80, tag: int = 1) -> str:
    return f"{tag} {suite} inline:{INLINE}{options}"


@pytest.mark.parametrize(
    ("options", "lifetime", "mki"),
    [
        ("", None, ""),
        ("|2^20", 1 << 20, ""),
        ("|1048576", 1 << 20, ""),
        ("|2^20|1:4", 1 << 20, "1:4"),
        ("|1:4", None, "1:4"),
    ],
)
def test_lifetime_and_mki(options, lifetime, mki):
    assert CryptoAttribute.parse(line(options)) == CryptoAttribute(1, SHA1_80, KEY, lifetime, mki)


def test_session_parameters():
    crypto = CryptoAttribute.parse(line(" KDR=1 UNENCRYPTED_SRTP"))
    assert crypto.parameters == ("KDR=1", "UNENCRYPTED_SRTP")


def test_a_key_without_padding_is_read():
    value = "2 AEAD_AES_128_GCM inline:" + base64.b64encode(bytes(28)).decode().rstrip("=")
    assert CryptoAttribute.parse(value).key == bytes(28)


def test_the_key_is_never_shown():
    assert INLINE not in repr(CryptoAttribute.parse(line()))
    with pytest.raises(RemoteProtocolError) as caught:
        CryptoAttribute.parse(line("|nonsense"))
    assert INLINE not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "1",
        f"1 {SHA1_80}",
        f"x {SHA1_80} inline:{INLINE}",
        f"٣ {SHA1_80} inline:{INLINE}",
        f"1 {SHA1_80} outline:{INLINE}",
        f"1 {SHA1_80} inline:{INLINE};inline:{INLINE}|1:1",
        f"1 {SHA1_80} inline:{INLINE[:-3]}",
        f"1 {SHA1_80} inline:!!!!",
        f"1 {SHA1_80} inline:é",
        line("|"),
        line("|2^64"),
        line("|2^49"),
        line("|0"),
        line("|1:4|2^20"),
        line("|2^20|2^20"),
        line("|2^20|2^20|1:4"),
    ],
)
def test_malformed_lines_are_refused(value):
    with pytest.raises(RemoteProtocolError):
        CryptoAttribute.parse(value)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (line(), ""),
        (line("|2^20"), ""),
        (line(" WSH=128 -x"), ""),
        (line("|1:4"), "with MKI"),
        (line(" UNENCRYPTED_SRTP"), "with UNENCRYPTED_SRTP"),
        (line(" UNENCRYPTED_SRTCP"), "with UNENCRYPTED_SRTCP"),
        (line(" UNAUTHENTICATED_SRTP"), "with UNAUTHENTICATED_SRTP"),
        (line(" KDR=1"), "with KDR=1"),
        (line(' FEC_KEY="é'), "with FEC_KEY=??"),
        (line(suite="F8_128_HMAC_SHA1_80"), "F8_128_HMAC_SHA1_80 unknown"),
        (line(suite="AEAD_AES_256_GCM"), "key of 30 bytes"),
    ],
)
def test_what_we_cannot_do_is_named(value, why):
    refusal = CryptoAttribute.parse(value).refusal(tuple(SUITES))
    assert why in refusal
    assert bool(refusal) is bool(why)


def test_the_first_usable_line_is_chosen():
    values = [line(suite="F8"), "junk", line("|1:1", tag=3), line(tag=4), line(tag=5)]
    crypto, refusals = choose(values, [SHA1_80])
    assert crypto is not None
    assert crypto.tag == 4
    assert refusals == ("F8 unknown", "a malformed line", f"{SHA1_80} with MKI")


def test_a_suite_that_the_trunk_does_not_allow_is_not_chosen():
    assert choose([line()], ["AEAD_AES_128_GCM"]) == (None, (f"{SHA1_80} unknown",))
    assert choose([], [SHA1_80]) == (None, ())


@given(
    st.builds(
        CryptoAttribute,
        tag=st.integers(0, 999_999_999),
        suite=st.sampled_from(sorted(SUITES)),
        key=st.binary(min_size=1, max_size=60),
        lifetime=st.none() | st.integers(1, 1 << 48),
        mki=st.sampled_from(["", "1:4", "65535:2"]),
        parameters=st.lists(st.sampled_from(["KDR=1", "WSH=64", "-x"]), max_size=3).map(tuple),
    )
)
def test_what_is_written_is_read_back(crypto):
    assert CryptoAttribute.parse(str(crypto)) == crypto


@given(st.text(max_size=60))
def test_random_text_is_parsed_or_refused(text):
    for value in (text, f"1 {SHA1_80} {text}", f"1 {SHA1_80} inline:{text}", line(text)):
        with contextlib.suppress(RemoteProtocolError):
            CryptoAttribute.parse(value).refusal(tuple(SUITES))
