import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.errors import RemoteProtocolError
from opensip.sdp.description import MediaDescription, Origin, SessionDescription
from opensip.sdp.ice import Candidate, IcePeer, ice_attributes, read_ice

UFRAG, PASSWORD = ("ice-ufrag", "8hhY"), ("ice-pwd", "asd88fgpdd777uzjYhagZg")
HOST = "1 1 UDP 2130706431 192.0.2.1 4000 typ host"
RELAY = "9 1 udp 7 198.51.100.4 5000 typ relay raddr 192.0.2.1 rport 4000 generation 0"


def read(*attributes, session=()) -> IcePeer | None:
    media = MediaDescription("audio", 4000, "UDP/TLS/RTP/SAVP", ("0",), attributes=attributes)
    described = SessionDescription(Origin("1", "1", "192.0.2.1"), attributes=session)
    return read_ice(described, media)


def test_a_peer_that_does_ice():
    peer = read(UFRAG, PASSWORD, ("candidate", HOST), ("candidate", RELAY), ("candidate", "x"))
    assert peer is not None
    assert (peer.ufrag, peer.password, peer.lite) == ("8hhY", "asd88fgpdd777uzjYhagZg", False)
    assert [c.kind for c in peer.candidates] == ["host", "relay"]
    assert "asd88" not in repr(peer)


def test_places_are_those_of_the_first_candidates():
    many = [("candidate", HOST.replace("4000", str(port))) for port in range(4000, 4020)]
    rtcp = ("candidate", HOST.replace("1 1", "1 2"))
    peer = read(UFRAG, PASSWORD, rtcp, *many)
    assert peer.places == {("192.0.2.1", port) for port in range(4000, 4008)}


def test_credentials_may_stand_above():
    peer = read(session=(UFRAG, PASSWORD, ("ice-lite", "")))
    assert peer is not None
    assert peer.lite


@pytest.mark.parametrize(
    "attributes",
    [(), (UFRAG,), (PASSWORD,), (("ice-ufrag", "abc"), PASSWORD), (UFRAG, ("ice-pwd", "short"))],
)
def test_nothing_usable_is_no_ice(attributes):
    assert read(*attributes) is None


def test_a_default_address_that_is_no_candidate_does_not_fit():
    peer = read(UFRAG, PASSWORD, ("candidate", HOST))
    assert peer is not None
    assert peer.fits("192.0.2.1", 4000)
    assert not peer.fits("192.0.2.99", 4000)
    assert peer.fits("0.0.0.0", 9)
    assert IcePeer("8hhY", "x" * 22).fits("192.0.2.99", 4000)


words = st.text("abcXYZ059+/", min_size=1, max_size=8)


@given(
    st.builds(
        Candidate,
        words,
        st.integers(1, 256),
        st.sampled_from(("UDP", "TCP")),
        st.integers(1, 2**31 - 1),
        st.ip_addresses().map(str),
        st.integers(0, 65535),
        st.sampled_from(("host", "srflx", "prflx", "relay")),
    )
)
def test_what_is_written_is_read_the_same(candidate):
    assert Candidate.parse(str(candidate)) == candidate


@given(st.text(max_size=80))
def test_anything_is_read_or_refused(value):
    try:
        Candidate.parse(value)
    except RemoteProtocolError:
        return


def test_what_we_write():
    ours = list(ice_attributes("ours", "secret", "192.0.2.1", 4000, mux=False))
    assert ours == [
        ("ice-ufrag", "ours"),
        ("ice-pwd", "secret"),
        ("candidate", "1 1 UDP 2130706431 192.0.2.1 4000 typ host"),
        ("candidate", "1 2 UDP 2130706430 192.0.2.1 4001 typ host"),
    ]
    assert len(list(ice_attributes("ours", "secret", "192.0.2.1", 4000, mux=True))) == 3


def test_addresses_are_compared_as_addresses():
    peer = IcePeer(
        "8hhY", "x" * 22, candidates=(Candidate.parse("1 1 UDP 9 2001:DB8:0:0::7 4000 typ host"),)
    )
    assert peer.places == {("2001:db8::7", 4000)}
    assert peer.fits("2001:db8:0::7", 4000)
    assert Candidate.parse("1 1 UDP 9 Some.local 4000 typ host").address == "Some.local"
