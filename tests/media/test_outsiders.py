import socket

import pytest

from opensip.media.latch import SILENT, SourceLatch
from opensip.media.outsiders import FLOOD, FLOODED, Outsiders


@pytest.fixture
def places():
    """Ours, the peer's, and a stranger's."""
    made = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]
    for place in made:
        place.bind(("127.0.0.1", 0))
        place.setblocking(False)
    yield made
    for place in made:
        place.close()


def hears(ours, other):
    try:
        other.sendto(b"here", ours.getsockname())
        return ours.recv(100) == b"here"
    except (BlockingIOError, ConnectionRefusedError):
        return False


def settled(peer, **mode):
    latch = SourceLatch(peer.getsockname(), **mode)
    latch.admit(peer.getsockname(), 7, now=0)
    return latch


def tick(outsiders, latch, *, now=0.0, last=0.0, datagrams=1, beside=False):
    outsiders.tick(latch, last, now=now, datagrams=datagrams, beside=beside)


def test_the_system_keeps_others_out_while_the_peer_is_there(places):
    ours, peer, stranger = places
    outsiders, port = Outsiders(ours), ours.getsockname()
    latch = settled(peer, authenticated=True)
    for now, alone in ((0.0, True), (SILENT / 2, True), (2 * SILENT, False), (3 * SILENT, False)):
        tick(outsiders, latch, now=now)
        assert hears(ours, peer)
        assert hears(ours, stranger) is not alone
        assert ours.getsockname() == port


def test_a_peer_that_moved_meanwhile_is_followed(places):
    ours, peer, other = places
    outsiders, latch = Outsiders(ours), settled(peer, authenticated=True)
    tick(outsiders, latch)
    latch.admit(other.getsockname(), 7, now=0)  # it had waited in the socket
    tick(outsiders, latch)
    assert hears(ours, other)
    assert not hears(ours, peer)
    tick(outsiders, None)
    assert hears(ours, peer)


def test_where_checks_may_come_from_anywhere_a_flood_alone_shuts_the_door(places):
    ours, peer, stranger = places
    outsiders, latch = Outsiders(ours), settled(peer, authenticated=True)
    tick(outsiders, latch, beside=True, datagrams=FLOOD)
    assert hears(ours, stranger)
    tick(outsiders, latch, beside=True, datagrams=FLOOD + 1)
    assert not hears(ours, stranger)
    tick(outsiders, latch, beside=True, now=FLOODED, last=FLOODED)
    assert hears(ours, stranger)


def test_what_cannot_be_connected_to_stays_open(places):
    ours, _, stranger = places
    outsiders = Outsiders(ours)
    tick(outsiders, SourceLatch(("255.255.255.255", 9), symmetric=False))
    assert hears(ours, stranger)
    outsiders.let_all_in()
    assert hears(ours, stranger)
