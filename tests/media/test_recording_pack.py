import io

import pytest

from opensip.errors import MediaError

pytest.importorskip("av", reason="the extra 'codecs' is not installed")

from opensip.media.recording_pack import decode, encode


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("form", ["flac", "opus"])
@pytest.mark.parametrize("frames", [1, 8192, 20000])
def test_a_recording_keeps_its_length_and_rate(form, rate, frames):
    file = io.BytesIO()
    sound = bytes(4 * frames)
    encode((sound[n : n + 999] for n in range(0, len(sound), 999)), rate, form, file)
    file.seek(0)
    came, pieces = decode(file)
    assert came == rate
    seconds = sum(map(len, pieces)) / 4 / rate
    assert -1 / rate <= seconds - frames / rate < 0.015  # Opus ends a file with a whole packet


def test_what_is_no_recording_is_told():
    with pytest.raises(MediaError, match="no recording"):
        decode(io.BytesIO(b"nothing of the kind"))


def test_a_rate_that_no_coder_takes_is_told():
    with pytest.raises(MediaError, match="cannot be written as opus"):
        encode([bytes(4000)], 11025, "opus", io.BytesIO())
