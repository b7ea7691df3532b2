import hashlib
import tomllib

from click.testing import CliRunner

from opensip.cli.hash_password import command


def test_prints_the_table_of_a_user():
    result = CliRunner().invoke(command, ["alice", "--realm", "office"], input="wonder\n")
    assert result.exit_code == 0
    secret = b"alice:office:wonder"
    assert tomllib.loads(result.stdout)["users"]["alice"] == {
        "md5": hashlib.md5(secret, usedforsecurity=False).hexdigest(),
        "sha256": hashlib.sha256(secret).hexdigest(),
    }


def test_an_empty_password_is_wrong_usage():
    result = CliRunner().invoke(command, ["alice"], input="\n")
    assert result.exit_code == 2
    assert "the password is empty" in result.stderr
