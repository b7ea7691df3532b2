import json

import pytest
from click.testing import CliRunner

from opensip.cli import main
from tests.fakes.journals import transferred
from tests.telemetry.test_latency import RECORD


@pytest.fixture
def data(tmp_path):
    """A configuration whose data directory has two records and a journal."""
    for name in ("calls", "journals"):
        (tmp_path / "data" / name).mkdir(parents=True)
    for call_id in ("c-1", "c-2"):
        path = tmp_path / "data/calls" / f"{call_id}.json"
        path.write_text(json.dumps(RECORD | {"call_id": call_id}))
    (tmp_path / "data/journals/c-3.jsonl").write_text("\n".join(transferred()) + "\n")
    (tmp_path / "opensip.toml").write_text(f'data = "{tmp_path}/data"\n')
    return tmp_path


def latency(data, *words):
    config = str(data / "opensip.toml")
    return CliRunner().invoke(main, ["latency", *map(str, words), "--config", config])


def test_a_folder_is_summed_up(data):
    result = latency(data, data / "data/calls")
    assert result.exit_code == 0, result.output
    assert "4 answers in 2 calls, 2 of them begun early" in result.stdout
    assert "endpointing" in result.stdout
    assert "░" not in result.stdout


@pytest.mark.parametrize("by_path", [True, False])
def test_a_call_is_drawn(data, by_path):
    result = latency(data, data / "data/calls/c-1.json" if by_path else "c-1")
    assert result.exit_code == 0, result.output
    assert "░" in result.stdout
    assert "the end of a sentence" in result.stdout


def test_a_picture_and_lines_for_machines(data):
    result = latency(data, "c-1", "--svg", data / "x.svg", "--json")
    assert result.exit_code == 0, result.output
    assert (data / "x.svg").read_text().startswith("<svg ")
    first = json.loads(result.stdout.splitlines()[0])
    assert (first["call"], first["total"]) == ("c-1", 500.0)


def test_what_tells_of_no_answer(data):
    result = latency(data, "c-3")
    assert result.exit_code == (0 if " in 1 call, " in result.stdout else 1)


def test_what_cannot_be_read(data):
    (data / "empty").mkdir()
    (data / "x.json").write_text("half")
    (data / "y.json").write_text("[]")
    for words, error in (
        ("empty", "holds no records"),
        ("x.json", "neither a record nor a journal"),
        ("y.json", "is no record of a call"),
    ):
        result = latency(data, data / words)
        assert result.exit_code == 1
        assert error in result.stderr
    for words in ("none.json", "none.jsonl"):
        assert "cannot be read: No such file" in latency(data, data / words).stderr
    assert "none.json cannot be read" in latency(data, "none.json").stderr
    assert "JSONDecodeError" not in latency(data, data / "x.json").stderr
    result = latency(data, "c-1", "--svg", data / "no/x.svg")
    assert "cannot be written" in result.stderr


@pytest.mark.parametrize(
    "turns",
    [
        "null", "[1]", '[{"at": 1, "latencies": {"why": "x"}}]',
        '[{"latencies": {"total_ms": 5}}]', '[{"at": 1, "latencies": {"total_ms": "soon"}}]',
        '[{"at": 1, "latencies": {"total_ms": 5, "dialogue_ms": null}}]',
        '[{"at": 1, "latencies": {"total_ms": NaN}}]',
        '[{"at": 1, "latencies": {"total_ms": -5}}]',
    ],
)  # fmt: skip
def test_a_record_that_no_call_wrote_is_named(data, turns):
    path = data / "data/calls/c-0.json"
    path.write_text(f'{{"call_id": "c-0", "turns": {turns}}}')
    for what in (path, path.parent, "c-0"):
        result = latency(data, what)
        assert result.exit_code == 1
        assert "c-0.json: its turns have a strange shape" in result.stderr


def test_no_turns_and_one_turn_without_time(data):
    path = data / "data/calls/c-0.json"
    path.write_text('{"call_id": "c-0", "turns": []}')
    assert "tells of no answer" in latency(data, path).stderr
    path.write_text('{"turns": [{"at": 1, "latencies": {"total_ms": 0}}]}')
    result = latency(data, path, "--svg", data / "x.svg")
    assert result.exit_code == 0
    assert "1 answer in 1 call" in result.stdout
