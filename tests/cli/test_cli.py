import click
import pytest
from click.testing import CliRunner

from opensip.cli import COMMANDS, main
from opensip.errors import ConfigError


def test_help_has_a_sentence_for_each_command():
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    for name in COMMANDS:
        [line] = [row for row in result.stdout.splitlines() if row.split()[:1] == [name]]
        assert len(line.split()) > 3


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_one_example(name):
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0
    assert result.stdout.count(f"Example: opensip {name}") == 1


def test_an_unknown_command_is_wrong_usage():
    result = CliRunner().invoke(main, ["servr"])
    assert result.exit_code == 2
    assert "servr" in result.stderr


def test_what_fails_is_said_on_standard_error(monkeypatch):
    @click.command()
    def failing():
        raise ConfigError("one\ntwo")

    monkeypatch.setattr(type(main), "get_command", lambda *_: failing)
    result = CliRunner().invoke(main, ["serve"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "opensip: one\nopensip: two\n"
