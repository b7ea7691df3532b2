import pytest
from click.testing import CliRunner

from opensip.cli import main
from tests.fakes.journals import opened, transferred


@pytest.fixture
def config(tmp_path):
    """A configuration whose data directory has the journals of three calls."""
    journals = tmp_path / "data/journals"
    journals.mkdir(parents=True)
    for call_id in ("c-11aa", "c-11bb", "c-22cc"):
        lines = transferred()
        lines[0] = lines[0].replace("c-1", call_id)
        (journals / f"{call_id}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    path = tmp_path / "opensip.toml"
    path.write_text(f'data = "{tmp_path}/data"\n')
    return path


def trace(config, *words, **more):
    return CliRunner().invoke(main, ["trace", *words, "--config", str(config)], **more)


@pytest.mark.parametrize("call", ["c-22cc", "c-2", "22"])
def test_a_call_by_the_beginning_of_its_id(config, call):
    result = trace(config, call)
    assert result.exit_code == 0, result.output
    assert "call c-22cc" in result.stdout
    assert " INVITE ─" in result.stdout
    assert "\x1b" not in result.stdout  # this is no terminal


def test_colours_where_it_is_a_terminal(config):
    assert "\x1b[34m" in trace(config, "22", color=True).stdout


def test_a_journal_by_its_path(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text("\n".join(transferred()), encoding="utf-8")
    result = CliRunner().invoke(main, ["trace", str(path), "--messages"])
    assert result.exit_code == 0, result.output
    assert "inline:***" in result.stdout


def test_pictures_are_written(config, tmp_path):
    svg, html = tmp_path / "call.svg", tmp_path / "call.html"
    result = trace(config, "22", "--svg", str(svg), "--html", str(html), "--hide-words")
    assert result.exit_code == 0, result.output
    assert f"wrote {svg}" in result.stderr
    assert f"wrote {html}" in result.stderr
    assert svg.read_text(encoding="utf-8").startswith("<svg ")
    assert "person please" not in html.read_text(encoding="utf-8") + result.stdout


def test_which_of_several(config):
    result = trace(config, "c-11")
    assert result.exit_code == 1
    assert "'c-11' is the beginning of 2 calls: " in result.stderr
    assert "c-11aa" in result.stderr
    assert "c-11bb" in result.stderr


def test_no_such_call(config):
    result = trace(config, "c-9")
    assert result.exit_code == 1
    assert "no journal of a call 'c-9'" in result.stderr
    assert "the newest are c-" in result.stderr
    assert "or another --config?" in result.stderr


def test_no_journal_at_all(tmp_path):
    path = tmp_path / "opensip.toml"
    path.write_text(f'data = "{tmp_path}/data"\n')
    assert "there is none at all" in trace(path, "c-9").stderr


def test_what_is_no_journal_is_named(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("hello\n")
    result = CliRunner().invoke(main, ["trace", str(path)])
    assert result.exit_code == 1
    assert f"opensip: {path}: this is no journal" in result.stderr
    assert "journals/ID.jsonl" in result.stderr


def test_a_journal_that_is_not_there_is_named_without_any_configuration(tmp_path):
    result = trace(tmp_path / "none.toml", "nofile.jsonl")
    assert result.exit_code == 1
    assert "nofile.jsonl cannot be read: No such file" in result.stderr


def test_a_picture_that_cannot_be_written(config, tmp_path):
    result = trace(config, "22", "--svg", str(tmp_path / "none/call.svg"))
    assert result.exit_code == 1
    assert "call.svg cannot be written: No such file or directory" in result.stderr


def test_a_file_that_cannot_be_read(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_bytes(opened().encode() + b"\n\xff\xfe\n")
    result = CliRunner().invoke(main, ["trace", str(path)])
    assert result.exit_code == 0, result.output  # a broken line is left out
