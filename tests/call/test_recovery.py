import json
import os
from datetime import UTC, datetime

import pytest

from opensip import events as e
from opensip.call.journal import Journal
from opensip.call.record import derive
from opensip.call.recovery import recover

STARTED = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
STORY = [
    e.CallStarted(0.0, "inbound", "bw", "shop", "+15551112222", "+15553334444", "x@h", "192.0.2.1"),
    e.CallAnswered(0.5),
    e.CallerSaid(3.0, "line\u2028separator", 0.8),
    e.TurnTaken(3.9, 300, 50, 1, 20, 30, 401),
]


def journal(data, call_id="c-1", *, more=()):
    """Write a journal, and leave it open."""
    made = Journal(data / f"journals/{call_id}.jsonl", call_id, opened=0.0, started=STARTED)
    for event in (*STORY, *more):
        made.note(event)
    return made


@pytest.fixture
def cut_off(tmp_path):
    """The data directory of a server that was killed in the middle of a call."""
    journal(tmp_path).close()
    return tmp_path


@pytest.mark.parametrize("rest", ["", '{"at":4.5,"kind":"caller_sa'])
def test_a_call_that_was_cut_off_gets_its_record(cut_off, rest):
    path = cut_off / "journals/c-1.jsonl"
    path.write_text(path.read_text() + rest)
    assert recover(cut_off) == ["c-1"]
    told = json.loads((cut_off / "calls/c-1.json").read_text())
    assert told["ending"] == {
        "side": "lost",
        "cause": "the process ended before the call did",
        "sip_status": None,
    }
    assert (told["ended"], told["seconds"]) == ("2026-11-20T10:00:03.900+00:00", 3.4)
    assert [turn["text"] for turn in told["turns"]] == ["line\u2028separator"]
    assert told == derive(path.read_text().split("\n"))  # the journal stays the only truth
    assert recover(cut_off) == []


def test_a_call_that_ended_gets_the_record_that_was_not_written_any_more(tmp_path):
    journal(tmp_path, more=[e.CallEnded(9.0, "caller", "bye")]).close()
    before = (tmp_path / "journals/c-1.jsonl").read_text()
    assert recover(tmp_path) == ["c-1"]
    assert json.loads((tmp_path / "calls/c-1.json").read_text())["ending"]["side"] == "caller"
    assert (tmp_path / "journals/c-1.jsonl").read_text() == before


def test_a_call_in_progress_is_left_alone(tmp_path):
    writing = journal(tmp_path)
    assert recover(tmp_path) == []
    writing.close()
    assert recover(tmp_path) == ["c-1"]


def test_what_has_a_record_is_left_alone(cut_off):
    (cut_off / "calls").mkdir()
    (cut_off / "calls/c-1.json").write_text("kept")
    assert recover(cut_off) == []
    assert (cut_off / "calls/c-1.json").read_text() == "kept"


@pytest.mark.parametrize("text", [b"", b"garbage\n", b"[1]\n", b'{"at":0}\n', b"\xff\n"])
def test_what_is_no_journal_is_left_as_it_is_and_hinders_nobody(cut_off, text):
    (cut_off / "journals/a.jsonl").write_bytes(text)
    assert recover(cut_off) == ["c-1"]
    assert (cut_off / "journals/a.jsonl").read_bytes() == text


def test_without_data_there_is_nothing_to_do(tmp_path):
    assert recover(tmp_path) == []


def test_a_record_that_cannot_be_written_is_not_counted(cut_off):
    (cut_off / "calls").write_text("in the way")
    assert recover(cut_off) == []
    os.unlink(cut_off / "calls")
    assert recover(cut_off) == ["c-1"]
