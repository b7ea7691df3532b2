import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.errors import NegotiationError, RemoteProtocolError
from opensip.sdp.description import MediaDescription, Origin, SessionDescription
from opensip.sdp.fingerprint import (
    HASHES,
    DtlsPeer,
    Fingerprint,
    OwnDtls,
    dtls_attributes,
    read_peer,
)

OURS = Fingerprint("sha-256", bytes(32))
OWN = OwnDtls(OURS, "ufrag", "p" * 22)
THEIRS = Fingerprint("sha-256", bytes(range(32)))


def peer(*attributes, own=OWN, session=(), offered="") -> DtlsPeer | None:
    media = MediaDescription("audio", 4000, "UDP/TLS/RTP/SAVP", ("0",), attributes=attributes)
    described = SessionDescription(Origin("1", "1", "192.0.2.1"), attributes=session)
    return read_peer(own, described, media, offered=offered)


@given(st.sampled_from(sorted(HASHES)), st.data())
def test_what_is_written_is_read_the_same(algorithm, data):
    size = HASHES[algorithm]
    fingerprint = Fingerprint(algorithm, data.draw(st.binary(min_size=size, max_size=size)))
    assert Fingerprint.parse(str(fingerprint)) == fingerprint
    assert Fingerprint.parse(str(fingerprint).lower()) == fingerprint


@pytest.mark.parametrize(
    "value",
    ["", "sha-256", "sha-256 AA", "sha-256 " + "AA" * 32, "sha-256 " + ":".join(["GG"] * 32)],
)
def test_what_is_no_fingerprint(value):
    with pytest.raises(RemoteProtocolError):
        Fingerprint.parse(value)


@given(st.text(max_size=60))
def test_anything_is_read_or_refused(value):
    try:
        Fingerprint.parse(value)
    except RemoteProtocolError:
        return


def test_nothing_said_is_no_dtls():
    assert peer(("setup", "actpass")) is None


def test_both_levels_count_and_the_nearer_first():
    line = ("fingerprint", str(THEIRS))
    far = ("fingerprint", str(OURS))
    assert peer(session=(line, ("setup", "passive"))) == DtlsPeer((THEIRS,), "active")
    assert peer(line, ("setup", "active"), session=(far, ("setup", "passive"))) == DtlsPeer(
        (THEIRS,), "passive"
    )


@pytest.mark.parametrize(
    ("theirs", "current", "ours"),
    [
        ("actpass", "", "active"),
        ("actpass", "passive", "passive"),
        ("actpass", "active", "active"),
        ("active", "", "passive"),
        ("active", "active", "passive"),
        ("passive", "passive", "active"),
        (None, "", "passive"),
    ],
)
def test_roles_of_an_offer(theirs, current, ours):
    own = OwnDtls(OURS, "ufrag", "p" * 22, current)
    setup = () if theirs is None else (("setup", theirs),)
    found = peer(("fingerprint", str(THEIRS)), *setup, own=own)
    assert found is not None
    assert (found.role, found.is_client) == (ours, ours == "active")


@pytest.mark.parametrize(
    ("offered", "answered", "ours"),
    [
        ("actpass", "active", "passive"),
        ("actpass", "passive", "active"),
        ("active", "passive", "active"),
        ("passive", "active", "passive"),
        ("passive", None, "passive"),
    ],
)
def test_roles_of_an_answer(offered, answered, ours):
    setup = () if answered is None else (("setup", answered),)
    found = peer(("fingerprint", str(THEIRS)), *setup, offered=offered)
    assert found is not None
    assert found.role == ours


@pytest.mark.parametrize(
    ("offered", "theirs"),
    [("", "holdconn"), ("actpass", "actpass"), ("active", "active"), ("passive", "passive")],
)
def test_roles_that_do_not_fit(offered, theirs):
    with pytest.raises(NegotiationError, match="we can active and passive"):
        peer(("fingerprint", str(THEIRS)), ("setup", theirs), offered=offered)


def test_only_the_strongest_hash_counts():
    strong = Fingerprint("sha-512", bytes(64))
    lines = [("fingerprint", str(f)) for f in (THEIRS, strong, OURS)]
    assert peer(*lines) == DtlsPeer((strong,), "passive")
    assert peer(*(lines[::2])) == DtlsPeer((THEIRS, OURS), "passive")


def test_broken_hashes_are_refused_by_name():
    weak = ("fingerprint", "sha-1 " + ":".join(["AB"] * 20))
    malformed = ("fingerprint", "sha-256 AB")
    with pytest.raises(NegotiationError, match=r"offered fingerprints by sha-1, sha-256; we can"):
        peer(weak, malformed)
    assert peer(weak, ("fingerprint", str(THEIRS))) == DtlsPeer((THEIRS,), "passive")


def test_what_we_write():
    assert list(dtls_attributes(OWN, "actpass")) == [
        ("fingerprint", "sha-256 " + ":".join(["00"] * 32)),
        ("setup", "actpass"),
    ]


@pytest.mark.parametrize(
    ("value", "read"),
    [("a" * 20, "a" * 20), (" -_+/" + "b" * 20, "-_+/" + "b" * 20), ("short", "")],
)
def test_the_name_of_an_association(value, read):
    found = peer(("fingerprint", str(THEIRS)), ("tls-id", value))
    assert found == DtlsPeer((THEIRS,), "passive", read)


def test_an_association_is_named_where_that_is_understood():
    own = OwnDtls(OURS, "ufrag", "p" * 22, tls_id="c" * 24)
    assert ("tls-id", "c" * 24) in dtls_attributes(own, "active")
    assert not [name for name, _ in dtls_attributes(own, "active", named=False) if name == "tls-id"]
