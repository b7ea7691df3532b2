import pytest

from opensip.media_streams.message import Clear, Heard, Play


def test_messages_are_values():
    assert Play(b"\xff") == Play(b"\xff", 0)
    assert Clear() == Clear()
    with pytest.raises(AttributeError):
        Heard(b"").payload = b"x"
