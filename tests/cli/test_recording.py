import contextlib
import io
import json
import wave
from datetime import UTC, datetime

import numpy as np
import pytest
from click.testing import CliRunner

from opensip.call.journal import Journal
from opensip.cli import main
from opensip.events import Silent
from opensip.media.recording_key import MasterKey
from opensip.media.recordings import Recordings
from tests.fakes.journals import transferred

MASTER = MasterKey(bytes(range(32)))


@pytest.fixture(params=[True, False], ids=["sealed", "plain"])
def config(request, tmp_path, monkeypatch):
    """A configuration whose data directory has a recording of c-11aa and one of c-22cc."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KEY", MASTER.key.hex())
    recordings = Recordings(tmp_path / "data", [MASTER] * request.param)
    for call_id in ("c-11aa", "c-22cc"):
        recorder = recordings.recorder(call_id, 8000, Silent())
        recorder.start(now=0.0)
        recorder.heard(np.full(800, 7, np.int16), at=0.0)
        recorder.close(now=0.1)
    path = tmp_path / "opensip.toml"
    path.write_text('data = "data"\n[recording]\nkey = "env:KEY"\n')
    return path


def run(config, *words, **more):
    return CliRunner().invoke(main, ["recording", *words, "--config", str(config)], **more)


def samples(file):
    with wave.open(file) as sound:
        assert sound.getparams()[:3] == (2, 2, 8000)
        return np.frombuffer(sound.readframes(sound.getnframes()), "<i2").reshape(-1, 2)


def test_what_is_there_is_listed(config):
    result = run(config, "list")
    assert result.exit_code == 0, result.output
    assert sorted(line.split()[0] for line in result.stdout.splitlines()) == ["c-11aa", "c-22cc"]
    for call in ("11", "22"):
        run(config, "erase", call, "--yes")
    empty = run(config, "list")
    assert (empty.exit_code, empty.stdout) == (0, "")
    assert "no recordings in " in empty.stderr


def test_an_export_can_be_played_by_anybody_and_overwrites_nothing(config, tmp_path):
    result = run(config, "export", "11")
    assert result.exit_code == 0, result.output
    assert (samples(str(tmp_path / "c-11aa.wav"))[:, 0] == 7).all()
    assert run(config, "export", "11").exit_code == 1
    written = run(config, "export", "11", "-").stdout_bytes
    assert (samples(io.BytesIO(written))[:, 0] == 7).all()


def test_a_file_of_no_form_or_in_no_folder_is_told(config):
    assert run(config, "export", "11", "call.mp3").exit_code == 2
    result = run(config, "export", "11", "nowhere/call.wav")
    assert result.exit_code == 1
    assert "nowhere/call.wav cannot be written" in result.stderr


def test_a_recording_is_played_by_a_command(config, tmp_path):
    player = f"sh -c 'cat > {tmp_path}/played'"
    assert run(config, "play", "c-11", "--player", player).exit_code == 0
    assert len(samples(str(tmp_path / "played"))) == 800
    failed = run(config, "play", "c-11", "--player", "sh -c 'exit 3'")
    assert failed.exit_code == 1
    assert "sh failed with status 3: name another player" in failed.stderr
    assert "cannot be run" in run(config, "play", "c-11", "--player", "./none").stderr


def test_without_a_player_the_way_out_is_told(config, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert "recording export" in run(config, "play", "c-11").stderr
    assert "no recording" in run(config, "play", "c-99").stderr


def test_an_erased_recording_is_gone_and_the_books_say_so(config, tmp_path):
    for folder in ("journals", "calls"):
        (tmp_path / "data" / folder).mkdir()
    lines = transferred()
    journal = tmp_path / "data/journals/c-11aa.jsonl"
    journal.write_text("\n".join(lines) + "\n")
    assert run(config, "erase", "11", input="n\n").exit_code == 1
    unasked = run(config, "erase", "11", input="")  # no terminal
    assert (unasked.exit_code, "--yes erases without asking" in unasked.output) == (1, True)
    result = run(config, "erase", "11", input="y\n")
    assert result.exit_code == 0, result.output
    assert run(config, "export", "11").exit_code == 1
    assert json.loads(journal.read_text().splitlines()[-1])["kind"] == "recording_erased"
    record = json.loads((tmp_path / "data/calls/c-11aa.json").read_text())
    assert record["recording"]["erased"]
    assert run(config, "export", "22").exit_code == 0


def test_a_call_in_progress_keeps_its_recording(config, tmp_path):
    path = tmp_path / "data/journals/c-11aa.jsonl"
    journal = Journal(path, "c-11aa", opened=0.0, started=datetime.now(UTC))
    result = run(config, "erase", "11", "--yes")
    assert "in progress" in result.stderr
    assert run(config, "export", "11").exit_code == 0
    journal.close()


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ("c-", "beginning of every call: say which, c-"),
        ("9", "the newest are"),
        ("c-11bb", "no recording"),
    ],
)
def test_a_call_that_is_not_there_or_not_one_is_told(config, call, told):
    assert told in run(config, "export", call).stderr


def marks(config):
    return {line.split()[0]: line for line in run(config, "list").stdout.splitlines()}


def test_a_recording_that_goes_on_is_listed_so(config, tmp_path):
    recorder = Recordings(tmp_path / "data", [MASTER]).recorder("c-33ee", 8000, Silent())
    recorder.start(now=0.0)
    recorder.heard(np.full(8000, 7, np.int16), at=0.0)
    recorder.flush(now=1.0)
    assert marks(config)["c-33ee"].endswith("cut off")
    assert "was cut off" in run(config, "export", "33", "cut.wav").stderr
    path = tmp_path / "data/journals/c-33ee.jsonl"
    journal = Journal(path, "c-33ee", opened=0.0, started=datetime.now(UTC))
    assert marks(config)["c-33ee"].endswith("in progress")
    assert "is in progress: this is" in run(config, "export", "33", "part.wav").stderr
    assert "is in progress: this is" in run(config, "export", "33", "-").stderr
    recorder.close(now=1.0)
    journal.close()
    assert marks(config)["c-33ee"] == "c-33ee  wav  encrypted"


def test_what_is_being_packed_is_no_call_in_progress(config, tmp_path):
    path = tmp_path / "data/journals/c-11aa.jsonl"
    journal = Journal(path, "c-11aa", opened=0.0, started=datetime.now(UTC))
    plain = "encrypted" not in marks(config)["c-11aa"]
    assert ("in progress" in marks(config)["c-11aa"]) is plain
    (tmp_path / "data/recordings/c-11aa.flac.part").touch()
    assert "in progress" not in marks(config)["c-11aa"]
    journal.close()


def test_a_recording_without_its_key_is_listed_so(config, tmp_path):
    for key in (tmp_path / "data").glob("keys/c-11aa.key"):
        key.unlink()
    listed = marks(config)
    assert ("no key: erased or lost" in listed["c-11aa"]) is ("encrypted" in listed["c-11aa"])
    assert "no key" not in listed["c-22cc"]


def test_keys_are_wanted_of_those_alone_who_need_them(config, monkeypatch):
    sealed = "encrypted" in marks(config)["c-11aa"]
    monkeypatch.delenv("KEY")
    assert set(marks(config)) == {"c-11aa", "c-22cc"}
    result = run(config, "export", "11")
    assert result.exit_code == sealed
    assert ("KEY is not set" in result.stderr) is sealed
    assert run(config, "erase", "22", "--yes").exit_code == 0
    assert set(marks(config)) == {"c-11aa"}


def test_no_player_is_started_for_what_cannot_be_decrypted(config, tmp_path, monkeypatch):
    sealed = "encrypted" in marks(config)["c-11aa"]
    monkeypatch.setenv("KEY", "ab" * 32)
    result = run(config, "play", "11", "--player", f"sh -c 'cat > {tmp_path}/played'")
    assert ("which is not configured" in result.stderr) is sealed
    assert (tmp_path / "played").exists() is not sealed


@pytest.mark.parametrize("player", ["", " ", "sh -c 'cat"])
def test_a_player_that_is_no_command_is_told(config, player):
    result = run(config, "play", "11", "--player", player)
    assert (result.exit_code, "--player" in result.stderr) == (2, True)


def test_a_full_disk_behind_standard_output_is_told(config, capsys):
    words = ["recording", "export", "11", "-", "--config", str(config)]
    with open("/dev/full", "wb", buffering=0) as raw:
        full = io.TextIOWrapper(raw)
        with contextlib.redirect_stdout(full):
            assert main.main(words, standalone_mode=False) == 1
    told = "opensip: standard output cannot be written: No space left on device\n"
    assert capsys.readouterr().err == told
