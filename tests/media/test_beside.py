import pytest

from opensip.media.beside import BesideInbox, is_beside
from opensip.media.engine import MOST_BESIDE, Beside


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


def test_what_waits_is_bounded_until_it_is_taken():
    inbox, one = BesideInbox(), Beside(b"\x00", ("127.0.0.1", 1))
    assert all(inbox.put(one) for _ in range(MOST_BESIDE))
    assert not inbox.put(one)
    assert inbox.take() == [one] * MOST_BESIDE
    assert inbox.put(one)
