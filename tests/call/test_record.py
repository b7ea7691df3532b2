import json
import os
from datetime import UTC, datetime

import pytest

from opensip import events as e
from opensip.call import record
from opensip.call.journal import Journal

STARTED = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
STORY = [
    e.CallStarted(0.0, "inbound", "bw", "shop", "+15551112222", "+15553334444", "x@h", "192.0.2.1"),
    e.HeaderContext(0.01, {"x-campaign": "7"}),
    e.IdentityChecked(0.01, "failed", 437, "not trusted", "", "", "https://h/a.pem", 1.5),
    e.SipReceived(0.01, "TLS", "a", "b", "INVITE …"),
    e.MediaNegotiated(0.02, "PCMU", "AES_CM_128_HMAC_SHA1_80", "192.0.2.9:20000", "192.0.2.1:4000"),
    e.CallAnswered(0.5),
    e.RecordingStarted(0.5, "recordings/c-1.wav"),
    e.AgentSaid(2.0, "Hello, how can I help?", "Hello, how", interrupted=True),
    e.CallerSaid(3.0, "where is my order", 0.8, "order_status", {"order": "4711"}),
    e.TurnTaken(3.9, 300, 50, 1, 20, 30, 401),
    e.ToolCalled(3.2, "lookup", {"order": "4711"}, {"status": "shipped"}, 2.5),
    e.AgentSaid(5.0, "It is shipped.", "It is shipped."),
    e.CallerSaid(6.0, "4711", 1.0, way="dtmf"),
    e.OutcomeNoted(6.5, "call back", "tomorrow"),
    e.Escalated(7.0, "desk", "person", 0.7, "asked for a person"),
    e.TransferStarted(7.1, "refer", "desk"),
    e.TransferProgress(7.2, "refer", 202),
    e.TransferProgress(7.3, "notify", 486),
    e.TransferEnded(7.3, "refer", "failed", 486),
    e.ProviderFailed(7.4, "synthesizer", "flite", "gone"),
    e.TransferStarted(8.0, "refer", "desk"),
    e.TransferProgress(8.1, "notify", 200),
    e.TransferEnded(8.1, "refer", "transferred", 200),
    e.RecordingStopped(8.5, "recordings/c-1.wav"),
    e.MediaStatistics(8.5, {"received": 400}),
    e.CallEnded(9.0, "us", "transferred", 200),
]


@pytest.fixture
def journal(tmp_path):
    journal = Journal(tmp_path / "c-1.jsonl", "c-1", opened=0.0, started=STARTED)
    for event in STORY:
        journal.note(event)
    journal.close()
    return journal.path


def test_the_record_tells_the_whole_call(journal):
    told = record.derive(journal.read_text().splitlines())
    assert told["version"] == record.VERSION
    assert (told["call_id"], told["trunk"], told["agent"]) == ("c-1", "bw", "shop")
    assert (told["caller"], told["called"]) == ("+15551112222", "+15553334444")
    assert told["started"] == "2026-11-20T10:00:00.000+00:00"
    assert told["answered"] == "2026-11-20T10:00:00.500+00:00"
    assert told["ended"] == "2026-11-20T10:00:09.000+00:00"
    assert told["seconds"] == 8.5
    assert (told["codec"], told["suite"]) == ("PCMU", "AES_CM_128_HMAC_SHA1_80")
    assert told["variables"] == {"x-campaign": "7"}
    assert told["number"] == {}
    assert (told["identity"]["outcome"], told["identity"]["sip_status"]) == ("failed", 437)
    assert told["identity"]["certificate"] == "https://h/a.pem"
    assert told["transcript"] == [
        "agent: Hello, how",
        "caller: where is my order",
        "agent: It is shipped.",
        "caller: 4711",
    ]
    assert told["turns"][1]["latencies"]["total_ms"] == 401
    assert told["turns"][1]["slots"] == {"order": "4711"}
    assert told["intent"] == "person"
    assert told["escalations"][0]["why"] == "asked for a person"
    assert told["noted"] == {"outcome": "call back", "details": "tomorrow"}
    assert told["tools"][0] | {"at": 0} == {
        "at": 0,
        "name": "lookup",
        "arguments": {"order": "4711"},
        "result": {"status": "shipped"},
        "duration_ms": 2.5,
        "error": "",
    }
    assert [(t["outcome"], t["sip_status"]) for t in told["transfers"]] == [
        ("failed", 486),
        ("transferred", 200),
    ]
    assert told["transfers"][0]["progress"] == [
        {"at": 7.2, "way": "refer", "sip_status": 202},
        {"at": 7.3, "way": "notify", "sip_status": 486},
    ]
    assert told["outcome"] == "transferred"
    assert told["ending"] == {"side": "us", "cause": "transferred", "sip_status": 200}
    assert told["recording"] == {"path": "recordings/c-1.wav", "error": ""}
    assert told["media"] == {"received": 400}
    assert told["faults"][0]["provider"] == "flite"


def test_a_full_disk_is_still_told_at_the_end_of_the_call():
    told = record.blank()
    for error in ("the disk is full", ""):
        event = {"kind": "recording_stopped", "at": 8.5, "path": "c-1.wav", "error": error}
        record.take(told, event)
    assert told["recording"]["error"] == "the disk is full"


def test_a_journal_cut_by_a_crash_still_tells_what_was(journal):
    lines = journal.read_text().splitlines()
    told = record.derive([*lines[:10], lines[10][:20]])
    assert told["answered"]
    assert told["ended"] is None
    assert len(told["turns"]) == 2


TRIED = (
    e.TransferStarted(1.5, "refer", "sip:desk@h"),
    e.TransferEnded(1.6, "refer", "failed", 486),
)


@pytest.mark.parametrize(
    ("before", "outcome"),
    [
        ([], "not answered"),
        ([e.CallAnswered(1.0)], "completed"),
        ([e.CallAnswered(1.0), *TRIED], "transfer failed"),
        ([e.CallAnswered(1.0), e.Fault(1.1, "agent", "KeyError()")], "failed"),
        ([e.CallAnswered(1.0), e.Fault(1.1, "recording", "disk full")], "completed"),
    ],
)
def test_the_outcome_of_a_call_without_transfer(tmp_path, before, outcome):
    journal = Journal(tmp_path / "c", "c-1", opened=0.0, started=STARTED)
    stray = [e.TurnTaken(0.0, 0, 0, 0, 0, 0, 0), e.TransferProgress(0.0, "notify", 100)]
    stray.append(e.TransferEnded(0.0, "refer", "failed", None))
    for event in [*stray, *before, e.CallEnded(2.0, "caller", "bye")]:
        journal.note(event)
    journal.close()
    assert record.derive(journal.path.read_text().splitlines())["outcome"] == outcome


def test_the_record_is_written_whole_and_for_its_owner_alone(journal, tmp_path):
    path = tmp_path / "calls" / "c-1.json"
    told = record.derive(journal.read_text().splitlines())
    assert record.write(told, path)
    assert json.loads(path.read_text()) == told
    assert path.stat().st_mode & 0o077 == 0
    assert list(path.parent.iterdir()) == [path]


def test_a_record_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    assert not record.write(record.blank(), tmp_path / "file" / "c-1.json")


def test_a_disk_that_fills_up_leaves_no_half_a_record(tmp_path, monkeypatch):
    path, room = tmp_path / "c-1.json", [40]

    def write(file, data):
        if not room[0]:
            raise OSError(28, "No space left on device")
        taken, room[0] = min(room[0], len(data)), 0
        return taken

    with monkeypatch.context() as full:
        full.setattr(os, "write", write)
        assert not record.write(record.blank(), path)
    assert not path.exists()


def test_what_the_plan_told_of_the_caller_is_kept():
    started = {"kind": "call_started", "caller": "+1", "number": {"country": "US"}}
    told = record.blank()
    record.take(told, started)
    assert told["number"] == {"country": "US"}


def test_the_intent_is_what_the_caller_wants_not_the_last_word():
    told = record.blank()
    for intent, wish in (("order_status", "order_status"), ("yes", "order_status"), ("", "")):
        event = {"kind": "caller_said", "at": 1.0, "text": "", "confidence": 1.0, "intent": intent}
        record.take(told, event | {"slots": None, "way": "voice", "wish": wish})
    assert told["intent"] == "order_status"
    assert [turn["intent"] for turn in told["turns"]] == ["order_status", "yes", ""]


def test_what_else_a_caller_minds_is_counted():
    made = record.blank()
    for decision, after in (
        ("paused", None), ("resumed", 420.0), ("committed", None), ("interrupted", 300.0),
        ("committed", None), ("interrupted", 900.0), ("interrupted", None),
    ):  # fmt: skip
        line = {"kind": "turn_decided", "at": 1.0, "decision": decision, "why": "x"}
        record.take(made, line | {"after_ms": after})
    record.take(
        made, {"kind": "turn_decided", "at": 1.0, "decision": "resumed", "why": "an old journal"}
    )
    said = {"confidence": 1.0, "intent": "", "slots": {}, "way": "voice"}
    for text in ("", "Hello."):
        record.take(made, {"kind": "caller_said", "at": 1.0, "text": text, **said})
    assert made["turn_taking"] == {"resume_gaps_ms": [420.0], "cut_ins": 1, "empty_turns": 1}
    assert made["decisions"]["interrupted"] == 3
