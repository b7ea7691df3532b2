"""The record of a call, derived from its journal and from nothing else."""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from opensip.call.journal import plain

CUT_IN_MS = 500.0  # who speaks on so soon after a turn was taken for over had not ended it
VERSION = 1  # of the record's schema

Record = dict[str, Any]
Event = Mapping[str, Any]

log = structlog.get_logger(__name__)


def derive(lines: Iterable[str]) -> Record:
    """Derive the record of a call from the lines of its journal.

    Times are ISO 8601; `at` of turns and tools is in seconds from `started`. A last line that
    a crash cut short is left out; a journal without an end gives `ended` of None.
    """
    record = blank()
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        take(record, event)
    return record


def take(record: Record, event: Event) -> None:
    """Let a record tell one more event, a line of the journal."""
    if taker := _TAKERS.get(event["kind"]):
        taker(record, event)


def write(record: Record, path: str | Path) -> bool:
    """Write a record as one JSON file, whole or not at all; False: it failed, and was logged."""
    unfinished = f"{os.path.splitext(path)[0]}.unfinished"
    data = (_encode(record) + "\n").encode(errors="replace")
    try:
        try:
            _write_private(unfinished, data)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            _write_private(unfinished, data)
        os.replace(unfinished, path)
    except OSError as error:
        log.error("record_failed", path=str(path), error=str(error))
        return False
    return True


_encode = json.JSONEncoder(ensure_ascii=False, default=plain).encode


def _write_private(path: str, data: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        while data:  # a disk that fills up writes less first, and fails then
            data = data[os.write(file, data) :]
    finally:
        os.close(file)


def blank() -> Record:
    """Make the record of a call of which nothing is known yet."""
    empty = ["call_id", "direction", "trunk", "agent", "caller", "called", "sip_call_id", "source"]
    return (
        {"version": VERSION}
        | dict.fromkeys(empty, "")
        | dict.fromkeys(["started", "answered", "ended"])
        | {"number": {}, "identity": {}}
        | {"seconds": 0.0, "codec": "", "suite": "", "variables": {}, "intent": ""}
        | {
            "turns": [],
            "transcript": [],
            "tools": [],
            "escalations": [],
            "transfers": [],
            "noted": {},
            "decisions": {},
            "turn_taking": {"resume_gaps_ms": [], "cut_ins": 0, "empty_turns": 0},
        }
        | {"outcome": "", "ending": {}, "recording": {}, "media": {}, "faults": []}
    )


def _opened(record: Record, event: Event) -> None:
    record |= {"call_id": event["call_id"], "started": event["started"]}


def _started(record: Record, event: Event) -> None:
    record |= {name: event[name] for name in event if name in record}


def _answered(record: Record, event: Event) -> None:
    record["answered"] = _wall(record, event)


def _ended(record: Record, event: Event) -> None:
    record["ended"] = _wall(record, event)
    record["ending"] = {name: event[name] for name in ("side", "cause", "sip_status")}
    if record["answered"]:
        answered = datetime.fromisoformat(record["answered"])
        seconds = datetime.fromisoformat(record["ended"]) - answered
        record["seconds"] = round(seconds.total_seconds(), 3)
    if not record["outcome"]:
        record["outcome"] = _outcome(record)


def _outcome(record: Record) -> str:
    """Judge a call whose caller was not transferred."""
    if not record["answered"]:
        return "not answered"
    if record["transfers"]:
        return "transfer failed"  # a human was wanted, and none was had
    broken = any(fault.get("where") in ("agent", "call") for fault in record["faults"])
    return "failed" if broken else "completed"


def _header_context(record: Record, event: Event) -> None:
    record["variables"] |= event["variables"]


def _identity_checked(record: Record, event: Event) -> None:
    names = ("outcome", "sip_status", "why", "attestation", "origination_id", "certificate")
    record["identity"] = {name: event[name] for name in names}


def _negotiated(record: Record, event: Event) -> None:
    record |= {"codec": event["codec"], "suite": event["suite"]}


def _counted(record: Record, event: Event) -> None:
    record["media"] = event["counters"]


def _recorded(record: Record, event: Event) -> None:
    told = record["recording"].get("error", "")  # the first reason stays
    record["recording"] |= {"path": event["path"], "error": told or event.get("error", "")}


def _recording_paused(record: Record, event: Event) -> None:
    record["recording"].setdefault("pauses", []).append([event["at"], None])


def _recording_resumed(record: Record, event: Event) -> None:
    record["recording"].setdefault("pauses", [[0.0, None]])[-1][1] = event["at"]


def _recording_packed(record: Record, event: Event) -> None:
    record["recording"]["path"] = event["path"]


def _recording_erased(record: Record, event: Event) -> None:
    record["recording"] |= {"path": "", "erased": _wall(record, event)}


def _caller_said(record: Record, event: Event) -> None:
    turn = {"at": event["at"], "speaker": "caller", "text": event["text"], "heard": event["text"]}
    turn |= {name: event[name] for name in ("confidence", "intent", "slots", "way")}
    _add_turn(record, turn)
    record["turn_taking"]["empty_turns"] += not event["text"].strip()
    record["intent"] = event.get("wish", event["intent"]) or record["intent"]


def _agent_said(record: Record, event: Event) -> None:
    turn = {"at": event["at"], "speaker": "agent"}
    turn |= {name: event[name] for name in ("text", "heard", "interrupted")}
    _add_turn(record, turn)


def _add_turn(record: Record, turn: dict[str, Any]) -> None:
    record["turns"].append(turn)
    record["transcript"].append(f"{turn['speaker']}: {turn['heard']}")


def _turn_taken(record: Record, event: Event) -> None:
    """Latencies stand with the caller's turn that they answer."""
    latencies = {n: ms for n, ms in event.items() if n.endswith("_ms")}
    latencies |= {name: event[name] for name in ("why", "supposed") if name in event}
    for turn in reversed(record["turns"]):
        if turn["speaker"] == "caller":
            turn["latencies"] = latencies
            return


def _turn_decided(record: Record, event: Event) -> None:
    """Count; each stands in the journal with its reason."""
    decision, after = event["decision"], event.get("after_ms")
    counts, turns = record["decisions"], record["turn_taking"]
    counts[decision] = counts.get(decision, 0) + 1
    if decision == "resumed" and after is not None:
        turns["resume_gaps_ms"].append(after)
    if decision == "interrupted" and after is not None and after < CUT_IN_MS:
        turns["cut_ins"] += 1


def _tool_called(record: Record, event: Event) -> None:
    record["tools"].append({name: value for name, value in event.items() if name != "kind"})


def _outcome_noted(record: Record, event: Event) -> None:
    record["noted"] = {name: event[name] for name in ("outcome", "details")}


def _escalated(record: Record, event: Event) -> None:
    escalation = {name: value for name, value in event.items() if name != "kind"}
    record["escalations"].append(escalation)
    record["intent"] = event["intent"] or record["intent"]


def _transfer_started(record: Record, event: Event) -> None:
    transfer = {"at": event["at"], "strategy": event["strategy"], "target": event["target"]}
    record["transfers"].append(transfer | {"progress": [], "outcome": "", "sip_status": None})


def _transfer_progress(record: Record, event: Event) -> None:
    if record["transfers"]:
        progress = {name: event[name] for name in ("at", "way", "sip_status")}
        record["transfers"][-1]["progress"].append(progress)


def _joined(record: Record, event: Event) -> None:
    if record["transfers"]:
        record["transfers"][-1]["joined"] = {
            name: event[name] for name in ("way", "codecs", "why") if name in event
        }


def _target_media(record: Record, event: Event) -> None:
    told = event["told"]
    if event["event"] in ("media_timed_out", "fault"):
        record["faults"].append({"at": event["at"], "side": "target", **told})
    elif record["transfers"] and event["event"] == "media_negotiated":
        record["transfers"][-1] |= {name: told[name] for name in ("codec", "suite")}
    elif record["transfers"] and event["event"] == "media_statistics":
        record["transfers"][-1]["media"] = told["counters"]


def _transfer_ended(record: Record, event: Event) -> None:
    if record["transfers"]:
        ending = {"outcome": event["outcome"], "sip_status": event["sip_status"]}
        record["transfers"][-1] |= ending
    if event["outcome"] == "transferred":
        record["outcome"] = "transferred"


def _fault(record: Record, event: Event) -> None:
    record["faults"].append(dict(event))


def _wall(record: Record, event: Event) -> str:
    started = datetime.fromisoformat(record["started"])
    return (started + timedelta(seconds=event["at"])).isoformat(timespec="milliseconds")


_TAKERS: dict[str, Callable[[Record, Event], None]] = {
    "journal_opened": _opened,
    "call_started": _started,
    "call_answered": _answered,
    "call_ended": _ended,
    "header_context": _header_context,
    "identity_checked": _identity_checked,
    "media_negotiated": _negotiated,
    "media_statistics": _counted,
    "media_joined": _joined,
    "media_timed_out": _fault,
    "target_media": _target_media,
    "recording_started": _recorded,
    "recording_stopped": _recorded,
    "recording_paused": _recording_paused,
    "recording_resumed": _recording_resumed,
    "recording_packed": _recording_packed,
    "recording_erased": _recording_erased,
    "caller_said": _caller_said,
    "agent_said": _agent_said,
    "turn_taken": _turn_taken,
    "turn_decided": _turn_decided,
    "tool_called": _tool_called,
    "escalated": _escalated,
    "outcome_noted": _outcome_noted,
    "transfer_started": _transfer_started,
    "transfer_progress": _transfer_progress,
    "transfer_ended": _transfer_ended,
    "provider_failed": _fault,
    "fault": _fault,
}
