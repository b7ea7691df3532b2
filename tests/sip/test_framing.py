from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.errors import RemoteProtocolError
from opensip.sip.framing import (
    MAX_DATAGRAM,
    Ping,
    StreamFramer,
    UnreadableStream,
    body_length,
    frame_datagram,
)
from opensip.sip.message import MAX_BODY, MAX_HEAD
from tests.fakes.sip_messages import INVITE, INVITE_HEAD, SDP, invite_with

OPTIONS = b"OPTIONS sip:b SIP/2.0\r\nContent-Length: 0\r\n\r\n"


def take(framer):
    taken = []
    while (message := framer.next_message()) is not None:
        taken.append(message)
    return taken


def frames(*pieces):
    framer, taken = StreamFramer(), []
    for piece in pieces:
        framer.receive(piece)
        taken += take(framer)
    return taken


def refused(data):
    with pytest.raises(UnreadableStream) as caught:
        frames(data)
    return caught.value


@given(st.lists(st.integers(0, 2 * len(INVITE) + len(OPTIONS) + 4), max_size=12))
def test_any_fragmentation_gives_the_same_messages(cuts):
    stream = INVITE + b"\r\n\r\n" + OPTIONS + INVITE
    edges = sorted({0, *cuts, len(stream)} - {c for c in cuts if c > len(stream)})
    pieces = [stream[a:b] for a, b in pairwise(edges)]
    assert frames(*pieces) == [INVITE, Ping(), OPTIONS, INVITE]


def test_octet_by_octet():
    stream = b"\r\n" + INVITE + b"\r\n\r\n" + OPTIONS
    assert frames(*(stream[i : i + 1] for i in range(len(stream)))) == [INVITE, Ping(), OPTIONS]


def test_a_lone_line_break_between_messages_is_the_peers_pong():
    assert frames(OPTIONS + b"\r\n" + OPTIONS) == [OPTIONS, OPTIONS]


def test_the_compact_and_the_folded_content_length():
    for length in (b"l:4", b"L \t: 4", b"Content-Length:\r\n 4", b"content-length: 4 \r\nX: y"):
        message = b"A sip:b SIP/2.0\r\n" + length + b"\r\n\r\nbody"
        assert frames(message + OPTIONS) == [message, OPTIONS]


def test_pending_tells_of_a_message_that_has_begun():
    framer = StreamFramer()
    assert not framer.pending
    framer.receive(b"\r\n")
    assert framer.next_message() is None
    assert not framer.pending
    framer.receive(OPTIONS[:9])
    assert framer.next_message() is None
    assert framer.pending


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (b"Content-Length: ", b"X: ", 400),
        (b"Content-Length: ", b"Content-Length: -", 400),
        (b"Content-Length: ", b"Content-Length: +", 400),
        (b"Content-Length: ", b"Content-Length: 4294967", 400),
        (b"Content-Length: ", b"Content-Length: 999", 513),
        (b"Content-Length: ", b"l: 5\r\nContent-Length: ", 400),
    ],
)
def test_a_stream_whose_next_boundary_is_unclear_cannot_go_on(old, new, status):
    error = refused(invite_with(old, new))
    assert error.sip_status == status
    assert error.head.startswith(b"INVITE")
    assert error.head.endswith(b"\r\n\r\n")


def test_a_header_block_without_end_is_refused_early():
    error = refused(b"A sip:b SIP/2.0\r\nX: " + b"a" * MAX_HEAD)
    assert (error.sip_status, error.head) == (513, b"")
    with pytest.raises(UnreadableStream):
        frames(b"A sip:b SIP/2.0\r\nX: " + b"a" * (MAX_HEAD - 40), b"a" * 100 + b"\r\n\r\n")


def test_the_largest_body_passes():
    message = b"A sip:b SIP/2.0\r\nl: %d\r\n\r\n" % MAX_BODY + b"x" * MAX_BODY
    assert frames(message) == [message]


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_random_octets_give_messages_or_the_error(pieces):
    try:
        frames(*pieces, *pieces)
    except RemoteProtocolError:
        return


def test_a_datagram_is_trimmed_to_its_message():
    assert frame_datagram(b"\r\n" + INVITE + b"INVITE again") == INVITE
    assert frame_datagram(b"A sip:b SIP/2.0\r\n\r\nwhole") == b"A sip:b SIP/2.0\r\n\r\nwhole"
    assert frame_datagram(invite_with(b"Content-Length: ", b"Content-Length: 9")) == invite_with(
        b"Content-Length: ", b"Content-Length: 9"
    )


@pytest.mark.parametrize(
    "data",
    [b"", b"\r\n\r\n", b"\x00" * 40, b"hello\r\n\r\n", INVITE_HEAD[:80], b"GET / HTTP/1.1\r\n\r\n"],
)
def test_keep_alives_and_garbage_are_passed_over(data):
    assert frame_datagram(data) is None


HALF_ENDED = b"PRACK sip:b SIP/2.0\r\nRAck: 7 1 INVITE\nContent-Length: 2\r\n\r\nhi"
WHOLE = HALF_ENDED.replace(b"INVITE\n", b"INVITE\r\n")


def test_the_prack_of_libre_is_read():
    assert frame_datagram(HALF_ENDED) == WHOLE
    assert frames(HALF_ENDED + OPTIONS) == [WHOLE, OPTIONS]
    assert frames(*(HALF_ENDED[n : n + 1] for n in range(len(HALF_ENDED)))) == [WHOLE]


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"PRACK", b"BYE"), (b"RAck", b"Subject"), (b"\nContent-", b"\nVia: x\r\nContent-")],
)
def test_no_other_line_may_end_in_lf_alone(old, new):
    data = HALF_ENDED.replace(old, new)
    assert frame_datagram(data) == data


def test_datagrams_that_are_refused():
    with pytest.raises(RemoteProtocolError) as caught:
        frame_datagram(INVITE + b"x" * MAX_DATAGRAM)
    assert caught.value.sip_status == 513
    with pytest.raises(RemoteProtocolError):
        frame_datagram(invite_with(b"Content-Length: ", b"Content-Length: -"))


def test_framer_and_parser_read_the_same_length():
    assert body_length(INVITE_HEAD) == len(SDP)
    assert body_length(b"A sip:b SIP/2.0\r\nX-Content-Length: 4\r\n\r\n") is None
