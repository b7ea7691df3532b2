import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.errors import RemoteProtocolError
from opensip.rtp.packet import Extension, RtpPacket

_engine = pytest.importorskip("opensip.media._engine", exc_type=ImportError)

RICH = RtpPacket(8, 65535, 1, 2**32 - 1, b"abc", True, (1, 2), Extension(1, bytes(4))).serialize()


def as_python_does(data):
    try:
        return RtpPacket.parse(data)[:6]
    except RemoteProtocolError:
        return None


@pytest.mark.parametrize("size", range(len(RICH) + 1))
def test_cut_anywhere(size):
    assert _engine.parse(RICH[:size]) == as_python_does(RICH[:size])


@pytest.mark.parametrize("padding", [0, 1, 3, 4, 255])
def test_padding(padding):
    data = b"\xb2" + RICH[1:] + bytes((padding,))
    assert _engine.parse(data) == as_python_does(data)


HEADS = st.sampled_from([b"\x80", b"\xa0", b"\x90", b"\x8f", b"\xbf", b"\x40", b""])


@given(HEADS, st.binary(max_size=120))
def test_any_octets(head, rest):
    assert _engine.parse(head + rest) == as_python_does(head + rest)
