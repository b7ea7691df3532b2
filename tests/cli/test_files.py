import pytest

from opensip.cli.files import names_file, read, write
from opensip.errors import ConfigError


def test_what_is_no_utf_8_is_replaced(tmp_path):
    (tmp_path / "x").write_bytes(b"a\xff\nb\n")
    assert read(tmp_path / "x") == "a\ufffd\nb\n"


def test_what_was_written_is_told(tmp_path, capsys):
    write(tmp_path / "x.svg", "<svg/>")
    assert (tmp_path / "x.svg").read_text() == "<svg/>"
    assert capsys.readouterr().err == f"wrote {tmp_path}/x.svg\n"


def test_errors_name_the_file_and_the_reason(tmp_path):
    missing = tmp_path / "none/x"
    with pytest.raises(ConfigError, match=r"none/x cannot be read: No such file"):
        read(missing)
    with pytest.raises(ConfigError, match=r"none/x cannot be written: No such file"):
        write(missing, "")


def test_a_path_is_told_from_a_call_id(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert [names_file(one) for one in ("x.json", "data/x", "c-07454b", "07")] == [
        True,
        True,
        False,
        False,
    ]
    (tmp_path / "07").touch()
    assert names_file("07")
