import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.errors import MediaError
from opensip.media.recording_sealed import CHUNK, SealedFile, SealedReader

KEY = bytes(range(32))


def sealed(path, *pieces, close=True):
    file = SealedFile(path, 16000, KEY)
    for piece in pieces:
        file.append(piece)
    if close:
        file.close()
    return path


def content(path, key=KEY):
    return b"".join(SealedReader(path).content(key))


def test_what_was_sealed_comes_back(tmp_path):
    pieces = [b"one", bytes(2 * CHUNK + 5), b"two"]
    path = sealed(tmp_path / "new" / "call", *pieces)
    reader = SealedReader(path)
    assert (reader.rate, reader.form, reader.whole) == (16000, "wav", True)
    assert content(path) == b"".join(pieces)
    assert reader.size == len(b"".join(pieces))


def test_no_known_sample_is_to_be_seen_and_no_other_key_opens_it(tmp_path):
    sound = os.urandom(4000)
    path = sealed(tmp_path / "call", sound)
    raw = path.read_bytes()
    assert not any(sound[n : n + 4] in raw for n in range(0, 4000, 4))
    with pytest.raises(MediaError, match="damaged or forged"):
        content(path, bytes(32))


@given(st.integers(0, 10_000))
def test_a_recording_that_is_cut_off_opens_up_to_its_last_chunk(tmp_path_factory, cut):
    path = sealed(tmp_path_factory.mktemp("cut") / "call", *([b"x" * 300] * 10))
    data = path.read_bytes()
    end = min(32 + cut % (len(data) - 32), len(data) - 1)
    path.write_bytes(data[:end])
    assert content(path) == b"x" * (300 * min(10, (end - 32) // 320))
    assert not SealedReader(path).whole


@pytest.mark.parametrize("at", [5, 14, 20, 40, 400, -1])
def test_a_bit_that_changed_is_noticed(tmp_path, at):
    path = sealed(tmp_path / "call", b"x" * 300, b"y" * 300)
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    with pytest.raises(MediaError, match=r"damaged or forged|no encrypted recording"):
        content(path)


def test_nothing_can_be_added_behind_the_end(tmp_path):
    path = sealed(tmp_path / "call", b"x" * 300)
    whole = path.read_bytes()
    for added in (b"y", whole[32:352]):
        path.write_bytes(whole + added)
        with pytest.raises(MediaError, match=f"{len(added)} bytes follow.*-s {len(whole)}"):
            content(path)
    path.write_bytes(whole)
    assert content(path) == b"x" * 300


def test_chunks_cannot_change_their_places(tmp_path):
    path = sealed(tmp_path / "call", b"x" * 300, b"y" * 300)
    data = path.read_bytes()
    path.write_bytes(data[:32] + data[352:672] + data[32:352] + data[672:])
    with pytest.raises(MediaError, match="chunk 0"):
        content(path)


def test_a_disk_that_is_full_leaves_what_was_written(tmp_path, monkeypatch):
    file = SealedFile(tmp_path / "call", 8000, KEY)
    file.append(b"x" * 300)
    written = os.pwrite

    def full(number, data, offset):
        if len(data) > 100:
            return written(number, data[:100], offset)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(OSError, match="No space"):
        file.append(b"y" * 150)
    monkeypatch.undo()
    file.close()
    assert content(tmp_path / "call") == b"x" * 300
    assert not SealedReader(tmp_path / "call").whole


def test_what_is_no_recording_is_told(tmp_path):
    (tmp_path / "call").write_bytes(b"RIFF" + bytes(60))
    with pytest.raises(MediaError, match="no encrypted recording"):
        SealedReader(tmp_path / "call")
    with pytest.raises(MediaError, match="cannot be read"):
        SealedReader(tmp_path / "none")


def test_a_file_that_cannot_begin_is_let_go(tmp_path):
    if not os.access("/dev/full", os.W_OK):
        pytest.skip("no /dev/full here")
    (tmp_path / "call").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space"):
        SealedFile(tmp_path / "call", 8000, KEY)
