import os
import stat
import wave

import pytest

from opensip.media.recording_file import WavFile, open_private, wav_header, write_at


def test_a_wav_file_is_whole_after_each_piece(tmp_path):
    file = WavFile(tmp_path / "new" / "call.wav", 16000)
    for n in range(1, 4):
        file.append(bytes(4 * 100))
        with wave.open(str(tmp_path / "new" / "call.wav")) as sound:
            assert sound.getparams()[:4] == (2, 2, 16000, 100 * n)
    file.close()
    assert stat.S_IMODE((tmp_path / "new" / "call.wav").stat().st_mode) == 0o600


def test_a_header_says_no_more_than_it_can():
    assert wav_header(1 << 40, 8000)[40:44] == (0xFFFF_FFFF - 44).to_bytes(4, "little")


def test_a_file_that_cannot_begin_is_let_go(tmp_path):
    if not os.access("/dev/full", os.W_OK):
        pytest.skip("no /dev/full here")
    (tmp_path / "call.wav").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space"):
        WavFile(tmp_path / "call.wav", 8000)


def test_all_of_it_is_written_where_it_belongs(tmp_path):
    file = open_private(tmp_path / "file")
    write_at(file, 3, b"abc")
    os.close(file)
    assert (tmp_path / "file").read_bytes() == b"\0\0\0abc"
