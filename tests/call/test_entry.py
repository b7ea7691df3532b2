import json
from datetime import UTC, datetime

import structlog

from opensip.call.call import Ending
from opensip.call.entry import Entry
from opensip.call.record import derive
from opensip.events import CallAnswered, ProviderFailed
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
