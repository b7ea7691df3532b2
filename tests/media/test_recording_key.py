import base64
import json
import os

import pytest

from opensip.errors import ConfigError, MediaError
from opensip.media.recording_key import Cipher, KeyFolder, MasterKey

ONE, TWO = MasterKey(bytes(range(32))), MasterKey(bytes(32))


def test_a_master_key_is_read_in_both_forms_and_shown_in_none():
    text = ONE.key.hex()
    assert MasterKey.parse(text) == MasterKey.parse(base64.b64encode(ONE.key).decode()) == ONE
    assert ONE.name not in (text, TWO.name)
    assert text not in repr(ONE)


@pytest.mark.parametrize("text", ["", "ab" * 31, "no key, but long enough to be one: 32", "ä" * 44])
def test_what_is_no_master_key_is_told_and_not_repeated(text):
    with pytest.raises(ConfigError, match="openssl rand -hex 32") as raised:
        MasterKey.parse(text)
    assert not text or text not in str(raised.value)


def test_a_key_is_wrapped_and_comes_back_by_whichever_master_wrapped_it(tmp_path):
    key = KeyFolder(tmp_path / "keys", [ONE]).create("c-1")
    folder = KeyFolder(tmp_path / "keys", [TWO, ONE])
    assert folder.read("c-1") == key
    assert key not in folder.path("c-1").read_bytes()
    assert folder.path("c-1").stat().st_mode & 0o777 == 0o600
    assert folder.seals
    assert not KeyFolder(tmp_path, []).seals
    with pytest.raises(ConfigError, match=ONE.name):
        KeyFolder(tmp_path / "keys", [TWO]).read("c-1")


def test_a_key_is_on_disk_before_anything_is_sealed_with_it(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(
        os, "fsync", lambda file: synced.append(os.readlink(f"/proc/self/fd/{file}"))
    )
    folder = KeyFolder(tmp_path / "keys", [ONE])
    folder.create("c-1")
    folder.create("c-2")
    assert synced[3:] == [str(folder.path("c-2")), str(tmp_path / "keys")]
    assert synced[:3] == [str(folder.path("c-1")), str(tmp_path / "keys"), str(tmp_path)]


def test_a_key_of_another_call_or_a_damaged_one_opens_nothing(tmp_path):
    folder = KeyFolder(tmp_path, [ONE])
    folder.create("c-1")
    folder.path("c-2").write_bytes(folder.path("c-1").read_bytes())
    with pytest.raises(MediaError, match="c-2"):
        folder.read("c-2")
    for damaged in ("{", "[]", "{}", json.dumps({"master": ONE.name, "wrapped": "AA=="})):
        folder.path("c-1").write_text(damaged)
        with pytest.raises(MediaError, match="damaged"):
            folder.read("c-1")


def test_an_erased_key_is_gone(tmp_path):
    folder = KeyFolder(tmp_path, [ONE])
    folder.create("c-1")
    kept = tmp_path / "kept"
    kept.hardlink_to(folder.path("c-1"))
    wrapped = kept.read_bytes()
    assert folder.erase("c-1")
    assert not folder.erase("c-1")
    assert kept.read_bytes() != wrapped  # what the disk had is overwritten
    with pytest.raises(MediaError, match="erased"):
        folder.read("c-1")


def test_a_key_that_cannot_be_read_is_told(tmp_path):
    folder = KeyFolder(tmp_path, [ONE])
    folder.path("c-1").mkdir()
    with pytest.raises(MediaError, match="cannot be read"):
        folder.read("c-1")


def test_each_file_has_a_key_of_its_own():
    one, other = Cipher(bytes(32), b"a" * 16), Cipher(bytes(32), b"b" * 16)
    sealed = one.seal(0, b"sound", b"header")
    assert one.open(0, sealed, b"header") == b"sound"
    assert other.seal(0, b"sound", b"header") != sealed
    for number, bound in ((1, b"header"), (0, b"other")):
        with pytest.raises(MediaError, match="damaged or forged"):
            one.open(number, sealed, bound)
