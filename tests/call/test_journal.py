import asyncio
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from opensip.call.journal import VERSION, Journal, is_written, line_of
from opensip.events import CallAnswered, CallerSaid, Dtmf, HeaderContext, ToolCalled

STARTED = datetime(2026, 11, 20, 10, 0, 0, 250_000, tzinfo=UTC)


def journal_at(path):
    return Journal(path, "c-1", opened=100.0, started=STARTED)


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_first_line_ties_the_axis_to_the_wall_clock(tmp_path):
    journal_at(tmp_path / "a" / "c-1.jsonl").close()
    (line,) = lines_of(tmp_path / "a" / "c-1.jsonl")
    assert line == {
        "at": 0.0,
        "kind": "journal_opened",
        "version": VERSION,
        "call_id": "c-1",
        "started": "2026-11-20T10:00:00.250+00:00",
    }


def test_each_event_is_one_line_and_on_disk_at_once(tmp_path):
    path = tmp_path / "c-1.jsonl"
    journal = journal_at(path)
    journal.note(CallAnswered(100.5))
    journal.note(CallerSaid(101.25, "where's\nmy order", 0.9, "order", {"order": "4711"}))
    assert lines_of(path)[1:] == [
        {"at": 0.5, "kind": "call_answered"},
        {
            "at": 1.25,
            "kind": "caller_said",
            "text": "where's\nmy order",
            "confidence": 0.9,
            "intent": "order",
            "slots": {"order": "4711"},
            "way": "voice",
            "wish": "",
        },
    ]
    journal.close()


def test_what_comes_together_is_written_together_before_the_loop_turns_to_anything_else(tmp_path):
    path, sizes = tmp_path / "c-1.jsonl", []

    async def main():
        journal = journal_at(path)
        for at in (100.5, 100.6, 100.7):
            journal.note(CallAnswered(at))
            sizes.append(path.stat().st_size)
        await asyncio.sleep(0)
        assert [line["at"] for line in lines_of(path)] == [0.0, 0.5, 0.6, 0.7]
        journal.note(CallAnswered(100.8))
        journal.close()  # in the same turn of the loop
        assert lines_of(path)[-1]["at"] == 0.8

    asyncio.run(main())
    assert sizes == [0, 0, 0]


def test_any_value_has_a_form(tmp_path):
    path = tmp_path / "c-1.jsonl"
    journal = journal_at(path)
    journal.note(HeaderContext(100.0, MappingProxyType({"a": "b\ud800"})))
    journal.note(
        ToolCalled(
            100.0,
            "look",
            {"when": STARTED},
            {
                1,
            },
            1.0,
        )
    )
    journal.close()
    assert lines_of(path)[1]["variables"] == {"a": "b?"}
    assert lines_of(path)[2]["arguments"] == {"when": str(STARTED)}


def test_only_its_owner_reads_it(tmp_path):
    journal_at(tmp_path / "c-1.jsonl").close()
    assert (tmp_path / "c-1.jsonl").stat().st_mode & 0o077 == 0


def test_what_cannot_be_opened_or_written_never_ends_the_call(tmp_path):
    (tmp_path / "file").write_text("")
    journal = journal_at(tmp_path / "file" / "c-1.jsonl")
    journal.note(CallAnswered(101.0))
    assert "file" in journal.error
    journal.close()


def test_a_full_disk_is_said_and_the_journal_goes_silent():
    journal = Journal(Path("/dev/full"), "c-1", opened=100.0, started=STARTED)
    journal.note(CallAnswered(101.0))
    assert "No space left" in journal.error
    journal.close()


def test_events_after_the_end_are_dropped(tmp_path):
    journal = journal_at(tmp_path / "c-1.jsonl")
    journal.close()
    journal.close()
    journal.note(CallAnswered(101.0))
    assert len(lines_of(tmp_path / "c-1.jsonl")) == 1


def test_a_disk_that_takes_little_at_a_time_gets_whole_lines(tmp_path, monkeypatch):
    write = os.write
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda file, data: write(file, data[:5]))
        journal = journal_at(tmp_path / "c-1.jsonl")
    journal.close()
    assert json.loads(journal.path.read_text())["call_id"] == "c-1"


def test_milliseconds_are_rounded_in_one_place_and_whole_ones_stay_whole():
    said = ToolCalled(1.0, "find", {"wait_ms": 0.1234567}, None, 123.40000000000003)
    assert line_of(said, 1.23456789) == {
        "at": 1.234568, "kind": "tool_called", "name": "find", "error": "", "result": None,
        "arguments": {"wait_ms": 0.1234567}, "duration_ms": 123.4,
    }  # fmt: skip
    assert repr(line_of(Dtmf(1.0, "5", 100, "info"), 1.0)["duration_ms"]) == "100"


def test_a_journal_tells_whether_it_is_written(tmp_path):
    path = tmp_path / "c-1.jsonl"
    assert not is_written(path)
    journal = Journal(path, "c-1", opened=0.0, started=datetime.now(UTC))
    assert is_written(path)
    journal.close()
    assert not is_written(path)
