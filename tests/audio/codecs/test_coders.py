import pytest

from opensip.audio.codecs.coders import coders


def test_the_coders_are_imported_when_asked_for():
    pytest.importorskip("av", reason="the extra 'codecs' is not installed")
    assert coders().__name__ == "opensip.audio.codecs.ffmpeg"
