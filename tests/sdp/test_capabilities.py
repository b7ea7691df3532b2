import pytest

from opensip.errors import NegotiationError, RemoteProtocolError
from opensip.rtp.payload import PCMA, PCMU, TELEPHONE_EVENT, PayloadFormat
from opensip.sdp.capabilities import (
    Local,
    common_formats,
    directions,
    event_type,
    packet_time,
    remote_address,
    rtcp_address,
)
from opensip.sdp.description import MediaDescription, Origin, SessionDescription

OURS = (PCMU, PCMA, TELEPHONE_EVENT)
LOCAL = Local("192.0.2.9", 20000, OURS)
G729 = PayloadFormat("G729", 8000)
OPUS = PayloadFormat("opus", 48000, 2)
WIDE_EVENT = PayloadFormat("telephone-event", 48000)


def audio(*attributes: tuple[str, str], connection: str | None = None, port: int = 4000):
    return MediaDescription("audio", port, "RTP/AVP", ("0",), connection, attributes)


def session(*attributes: tuple[str, str], connection: str | None = "192.0.2.1"):
    origin = Origin("1", "1", "192.0.2.1")
    return SessionDescription(origin, connection=connection, attributes=attributes)


def test_the_first_codec_of_the_peer_is_taken_with_its_number():
    theirs = {18: G729, 97: PayloadFormat("pcma", 8000), 0: PCMU, 96: TELEPHONE_EVENT}
    assert common_formats(OURS, theirs) == ((97, PCMA), (96, TELEPHONE_EVENT))


def test_events_need_the_clock_of_the_codec():
    theirs = {100: WIDE_EVENT, 0: PCMU, 101: PayloadFormat("Telephone-Event", 8000, fmtp="0-11")}
    assert event_type(common_formats(OURS, theirs)) == 101
    both = (OPUS, TELEPHONE_EVENT, WIDE_EVENT)
    assert (
        event_type(common_formats(both, {96: OPUS, 101: TELEPHONE_EVENT, 100: WIDE_EVENT})) == 100
    )
    assert event_type(common_formats((PCMU,), theirs)) is None


def test_no_common_codec_says_what_either_can():
    with pytest.raises(NegotiationError) as caught:
        common_formats(OURS, {18: G729, 96: OPUS, 101: TELEPHONE_EVENT})
    assert caught.value.warning == "offered G729/8000, opus/48000/2; we can PCMU/8000, PCMA/8000"
    with pytest.raises(NegotiationError, match="offered no known codec"):
        common_formats(OURS, {})


@pytest.mark.parametrize(
    ("theirs", "ours", "direction", "held"),
    [
        ("sendrecv", "sendrecv", "sendrecv", False),
        ("sendonly", "sendrecv", "recvonly", True),
        ("recvonly", "sendrecv", "sendonly", False),
        ("inactive", "sendrecv", "inactive", True),
        ("sendrecv", "recvonly", "recvonly", False),
        ("sendrecv", "sendonly", "sendonly", False),
        ("recvonly", "recvonly", "inactive", False),
        ("sendonly", "sendonly", "inactive", True),
        ("sendrecv", "inactive", "inactive", False),
    ],
)
def test_directions_mirror(theirs, ours, direction, held):
    local = Local("192.0.2.9", 20000, OURS, direction=ours)
    for where in ((session(), audio((theirs, ""))), (session((theirs, "")), audio())):
        assert directions(local, *where, silent=False) == (direction, held)


def test_the_direction_of_the_stream_goes_before_that_of_the_session():
    assert directions(LOCAL, session(("inactive", "")), audio(("sendrecv", "")), silent=False) == (
        "sendrecv",
        False,
    )


@pytest.mark.parametrize("nowhere", ["0.0.0.0", "::"])
def test_an_address_of_nowhere_is_hold(nowhere):
    assert remote_address(LOCAL, session(), audio(connection=nowhere)) == (nowhere, True)
    assert directions(LOCAL, session(), audio(), silent=True) == ("recvonly", True)


def test_the_address_of_the_stream_goes_before_that_of_the_session():
    assert remote_address(LOCAL, session(), audio()) == ("192.0.2.1", False)
    assert remote_address(LOCAL, session(), audio(connection="192.0.2.2")) == ("192.0.2.2", False)


def test_addresses_we_cannot_reach():
    with pytest.raises(RemoteProtocolError, match="without c= line"):
        remote_address(LOCAL, session(connection=None), audio())
    with pytest.raises(NegotiationError, match="host name"):
        remote_address(LOCAL, session(connection="media.example.com"), audio())
    with pytest.raises(NegotiationError, match="offered IP6; we can IP4") as caught:
        remote_address(LOCAL, session(connection="2001:db8::1"), audio())
    assert caught.value.warning_code == 301


@pytest.mark.parametrize(
    ("media", "address"),
    [
        (audio(), ("192.0.2.1", 4001)),
        (audio(port=65535), ("192.0.2.1", 65535)),
        (audio(("rtcp", "53020")), ("192.0.2.1", 53020)),
        (audio(("rtcp", "53020 IN IP4 126.16.64.4")), ("126.16.64.4", 53020)),
        (audio(("rtcp", "53020 IN IP6 2001:DB8::0:1")), ("2001:db8::1", 53020)),
        (audio(("rtcp", "53020 IN IP4 0.0.0.0")), ("192.0.2.1", 53020)),
        (audio(("rtcp", "53020 IN IP4 host.example")), ("192.0.2.1", 53020)),
    ],
)
def test_where_rtcp_goes(media, address):
    assert rtcp_address(LOCAL, "192.0.2.1", media) == address


def test_a_place_that_is_no_peers_is_refused():
    for refused, code in (("224.2.3.4", 330), ("127.0.0.1", 399)):
        with pytest.raises(NegotiationError, match=f"media at {refused}") as caught:
            remote_address(LOCAL, session(connection=refused), audio(port=8080))
        assert caught.value.warning_code == code
        with pytest.raises(NegotiationError, match=f"media at {refused}"):
            rtcp_address(LOCAL, "192.0.2.1", audio(("rtcp", f"8080 IN IP4 {refused}")))
    behind = Local("203.0.113.5", 20000, OURS, bound="127.0.0.1")  # as in a trial of NAT
    assert remote_address(behind, session(connection="127.0.0.2"), audio()) == ("127.0.0.2", False)
    for local in (behind, Local("127.0.0.1", 20000, OURS)):
        for port in (20000, 20001):
            with pytest.raises(NegotiationError, match=f"127.0.0.1:{port}, which is ours"):
                remote_address(local, session(connection="127.0.0.1"), audio(port=port))


def test_addresses_of_ip6_are_told_as_sockets_do():
    local = Local("2001:db8::9", 20000, OURS)
    for written in ("2001:0DB8:0:0:0:0:0:7", "2001:DB8::7"):
        assert remote_address(local, session(connection=written), audio()) == ("2001:db8::7", False)
    assert remote_address(local, session(connection="0:0:0:0:0:0:0:0"), audio()) == ("::", True)


@pytest.mark.parametrize("port", ["", " ", "-1", "65536", "٣"])
def test_an_rtcp_port_that_is_none_is_refused(port):
    with pytest.raises(RemoteProtocolError, match="RTCP port"):
        rtcp_address(LOCAL, "192.0.2.1", audio(("rtcp", port)))


@pytest.mark.parametrize(
    ("stated", "used"),
    [
        *[("30", 30), ("50", 50), ("20 ", 20), ("0", 20), ("1", 20), ("65535", 20)],
        *[("30.0", 30), ("30.5", 20)],  # RFC 8866 section 6.4 lets it be a real number
    ],
)
def test_odd_packet_times_leave_it_to_us(stated, used):
    assert packet_time(LOCAL, session(), audio(("ptime", stated))) == used
    assert packet_time(LOCAL, session(("ptime", stated)), audio()) == used


@pytest.mark.parametrize(
    ("stated", "most", "used"),
    [("60", "40", 40), ("60", "45.5", 40), ("30", "30", 30), ("", "10", 10), ("", "5", 10)],
)
def test_no_packet_lasts_longer_than_the_peer_takes(stated, most, used):
    ptime = (("ptime", stated),) if stated else ()
    assert packet_time(LOCAL, session(), audio(*ptime, ("maxptime", most))) == used
    assert packet_time(LOCAL, session(("maxptime", most)), audio(*ptime)) == used


def test_a_packet_time_that_is_no_number_is_refused():
    for wrong in ("4294967296", "20.", "20.x", ".5", "2.0.0"):
        with pytest.raises(RemoteProtocolError, match="ptime"):
            packet_time(LOCAL, session(), audio(("ptime", wrong)))
    assert packet_time(LOCAL, session(), audio()) == 20
