import json

import pytest

from opensip.call.amend import amending
from opensip.call.record import derive
from opensip.errors import MediaError
from opensip.events import RecordingErased, RecordingPacked
from tests.fakes.journals import transferred


@pytest.fixture
def journal(tmp_path):
    for folder in ("journals", "calls"):
        (tmp_path / folder).mkdir()
    path = tmp_path / "journals/c-1.jsonl"
    path.write_text("\n".join(transferred()) + "\n")
    return path


def test_journal_and_record_say_what_happened_afterwards(tmp_path, journal):
    with amending(tmp_path, "c-1") as note:
        note(RecordingPacked(0.0, "recordings/c-1.flac"))
    with amending(tmp_path, "c-1") as note:
        note(RecordingErased(0.0))
    lines = journal.read_text().splitlines()
    kinds = [json.loads(line)["kind"] for line in lines[-2:]]
    assert kinds == ["recording_packed", "recording_erased"]
    record = json.loads((tmp_path / "calls/c-1.json").read_text())
    assert record == derive(lines)
    assert record["recording"]["path"] == ""
    assert record["recording"]["erased"] > record["started"]


def test_a_last_line_that_was_cut_off_spoils_no_other(tmp_path, journal):
    journal.write_text(journal.read_text() + '{"at": 1')
    with amending(tmp_path, "c-1") as note:
        note(RecordingErased(0.0))
    assert json.loads(journal.read_text().splitlines()[-1])["kind"] == "recording_erased"


def test_books_that_others_hold_are_left_alone(tmp_path, journal):
    held = amending(tmp_path, "c-1")
    with held, pytest.raises(MediaError, match="in progress"), amending(tmp_path, "c-1"):
        pass


def test_books_that_are_not_there_or_hold_nothing_are_not_amended(tmp_path, journal):
    with amending(tmp_path, "c-2") as note:
        note(RecordingErased(0.0))
    (tmp_path / "journals/c-3.jsonl").write_text("")
    with amending(tmp_path, "c-3") as note:
        note(RecordingErased(0.0))
    assert list((tmp_path / "calls").iterdir()) == []
