import json
from datetime import UTC, datetime

import pytest
import structlog

from opensip.call.call import Ending
from opensip.call.entry import Entry
from opensip.call.record import derive
from opensip.events import (
    CallAnswered,
    CallerSaid,
    Dtmf,
    ProviderFailed,
    RecordingPaused,
    RecordingResumed,
    RecordingStarted,
    RecordingStopped,
    SipSent,
    TransferEnded,
    TurnTaken,
)
from tests.fakes.legs import Noted

STARTED = datetime(2026, 11, 20, tzinfo=UTC)


def test_journal_and_record_stand_under_the_call_id_and_others_learn_too(tmp_path):
    noted = Noted()
    entry = Entry("c-1", tmp_path, now=lambda: 5.0, started=STARTED, others=[noted])
    entry.note(CallAnswered(6.0))
    entry.close(Ending("caller", "bye"))
    entry.close(Ending("us", "a second ending"))
    assert noted.kinds == ["call_answered", "call_ended"]
    assert (tmp_path / "journals" / "c-1.jsonl").exists()
    record = json.loads(entry.record.read_text())
    assert record == derive((tmp_path / "journals" / "c-1.jsonl").read_text().splitlines())
    assert record["ending"] == {"side": "caller", "cause": "bye", "sip_status": None}


def test_a_data_directory_that_cannot_be_written_ends_no_call(tmp_path):
    (tmp_path / "data").write_text("a file")
    entry = Entry("c-1", tmp_path / "data", now=lambda: 5.0, started=STARTED)
    entry.note(CallAnswered(6.0))
    entry.close(Ending("caller", "bye"))


def test_a_provider_that_fails_is_logged(tmp_path):
    entry = Entry("c-1", tmp_path, now=lambda: 5.0, started=STARTED)
    with structlog.testing.capture_logs() as logs:
        entry.note(ProviderFailed(6.0, "dialogue", "Script", "KeyError: 'lost'"))
    assert logs == [
        {
            "event": "provider_failed",
            "log_level": "error",
            "stage": "dialogue",
            "provider": "Script",
            "error": "KeyError: 'lost'",
        }
    ]


def test_an_answer_is_logged_with_numbers_alone(tmp_path):
    entry = Entry("c-1", tmp_path, now=lambda: 5.0, started=STARTED)
    with structlog.testing.capture_logs() as logs:
        entry.note(TurnTaken(6.0, 100, 0, 50, 200, 10.00049, 360.0, why="a pause", added_ms=12.0))
    [line] = logs
    assert (line["event"], line["log_level"]) == ("turn_taken", "info")
    assert (line["total_ms"], line["playout_ms"], line["added_ms"]) == (360.0, 10.0, 12.0)
    assert line["why"] == "a pause"


def test_a_log_keeps_out_what_a_provider_repeats_of_a_pause(tmp_path):
    entry = Entry("c-1", tmp_path, now=lambda: 5.0, started=STARTED)
    entry.note(RecordingPaused(6.0))
    with structlog.testing.capture_logs() as logs:
        entry.note(ProviderFailed(6.5, "dialogue", "Script", "400: secret"))
    assert [one["error"] for one in logs] == ["(not recorded)"]


def test_what_is_told_in_a_pause_of_the_recording_stands_nowhere(tmp_path):
    noted = Noted()
    entry = Entry("c-1", tmp_path, now=lambda: 5.0, started=STARTED, others=[noted])
    closed = []
    entry.afterwards = lambda: closed.append(True)
    for event in (
        RecordingStarted(5.5, "r.wav"),
        RecordingPaused(6.0),
        Dtmf(6.5, "7", 100, "rfc4733"),
        CallerSaid(7.0, "secret", 1.0, slots={"card": "secret"}, way="dtmf"),
        RecordingResumed(8.0),
        SipSent(8.5, "UDP", "a", "b", "REFER x SIP/2.0\r\nX-Opensip-Transcript: secret\r\n\r\n"),
        Dtmf(9.0, "4", 100, "rfc4733"),
        RecordingStopped(9.5, "r.wav"),
    ):
        entry.note(event)
    entry.close(Ending("caller", "bye"))
    written = (tmp_path / "journals" / "c-1.jsonl").read_text()
    assert "secret" not in written + entry.record.read_text()
    assert '"digit":"7"' not in written
    assert '"digit":"4"' in written
    record = json.loads(entry.record.read_text())
    assert record["recording"] == {"path": "r.wav", "error": "", "pauses": [[1.0, 3.0]]}
    assert record == derive(written.splitlines())
    assert noted.kinds.count("dtmf") == 2
    assert closed == [True]


@pytest.mark.parametrize(
    ("outcome", "status", "level"), [("transferred", 200, "info"), ("failed", 500, "warning")]
)
def test_how_a_transfer_ended_is_logged(tmp_path, outcome, status, level):
    entry = Entry("c-1", tmp_path, now=lambda: 5.0, started=STARTED)
    with structlog.testing.capture_logs() as logs:
        entry.note(TransferEnded(6.0, "refer", outcome, status))
    assert logs == [
        {
            "event": "transfer_ended",
            "log_level": level,
            "strategy": "refer",
            "outcome": outcome,
            "sip_status": status,
        }
    ]
