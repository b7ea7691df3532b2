import pytest

from opensip.media.beside import BesideInbox, is_beside
from opensip.media.engine import MOST_BESIDE, Beside
from opensip.media.strangers import MOST_OF_ONE, MOST_WAITING


@pytest.mark.parametrize(
    ("datagram", "mux", "beside"),
    [
        (b"", True, False),
        (b"\x00\x01", False, True),  # STUN
        (b"\x16\xfe", False, True),  # DTLS
        (b"\x80\x00" + bytes(10), True, False),  # RTP
        (b"\x80\xc8" + bytes(10), True, True),  # RTCP
        (b"\x80\xc8" + bytes(10), False, False),
    ],
)
def test_protocols_are_told_apart_by_their_first_octets(datagram, mux, beside):
    assert is_beside(datagram, mux=mux) == beside


PEER, PROVEN, STRANGER = ("127.0.0.1", 1), ("127.0.0.1", 2), ("127.0.0.2", 1)


def put(inbox, source, now=0.0):
    return inbox.put(Beside(b"\x00", source), remote=PEER, now=now)


def test_what_waits_is_bounded_until_it_is_taken():
    inbox, one = BesideInbox(), Beside(b"\x00", PEER)
    assert all(put(inbox, PEER) for _ in range(MOST_BESIDE))
    assert not put(inbox, PEER)
    assert inbox.take() == [one] * MOST_BESIDE
    assert put(inbox, PEER)


def test_strangers_take_a_part_and_the_peer_the_rest():
    inbox = BesideInbox()
    inbox.strangers.known = {PROVEN}
    assert sum(put(inbox, STRANGER) for _ in range(100)) == MOST_WAITING
    assert sum(put(inbox, source) for source in (PEER, PROVEN) * 50) == MOST_BESIDE - MOST_WAITING
    inbox.take()
    taken = 0
    for _ in range(100):
        taken += put(inbox, STRANGER)
        inbox.take()
    assert taken == MOST_OF_ONE - MOST_WAITING
    assert put(inbox, STRANGER, now=1.0)
