import pytest

from opensip.errors import ConfigError
from opensip.settings.secrets import Secret, exposure, fetch


def test_from_the_environment(tmp_path):
    secret = fetch("env:TRUNK", base=tmp_path, environ={"TRUNK": "s3cret"})
    assert secret == "s3cret"
    assert isinstance(secret, Secret)


def test_from_a_file_beside_the_configuration(tmp_path):
    (tmp_path / "trunk.key").write_text("s3cret\n")
    assert fetch("file:trunk.key", base=tmp_path) == "s3cret"


def test_shows_itself_to_nobody():
    assert "s3cret" not in repr(Secret("s3cret"))


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("hunter2", "never in the file"),
        ("env:", "never in the file"),
        ("env:UNSET", "environment variable UNSET is not set"),
        ("file:absent", "there is no secret file .*absent: write"),
        ("file:.", "cannot be read"),
        ("file:empty", "is empty"),
    ],
)
def test_names_what_is_wrong(tmp_path, reference, message):
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(ConfigError, match=message):
        fetch(reference, base=tmp_path, environ={})


def test_says_who_else_may_read_it(tmp_path):
    (tmp_path / "key").write_text("s3cret")
    for mode, is_open in ((0o600, False), (0o640, True), (0o602, True)):
        (tmp_path / "key").chmod(mode)
        assert ("others than its owner" in exposure("file:key", base=tmp_path)) is is_open
    assert exposure("file:absent", base=tmp_path) == exposure("env:KEY", base=tmp_path) == ""
