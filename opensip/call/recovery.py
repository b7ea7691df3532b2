"""Records of calls that a crash cut off, derived from their journals when the server starts."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import structlog

from opensip.call import record
from opensip.call.journal import append, claim

log = structlog.get_logger(__name__)

_CUT_OFF = {
    "kind": "call_ended",
    "side": "lost",
    "cause": "the process ended before the call did",
    "sip_status": None,
}


def recover(data: Path) -> list[str]:
    """End each journal under `data` that has no record, and write that; gives the call ids.

    Journals that a living process writes are left alone: it holds their lock. One that cannot
    be read, or holds nothing of a call, is logged and left as it is.
    """
    written = {path.stem for path in (data / "calls").glob("*.json")}
    recovered = []
    for journal in sorted((data / "journals").glob("*.jsonl")):
        if journal.stem in written:
            continue
        try:
            told = _end(journal)
        # A file that anybody may have put there, or that a full disk cut anywhere.
        except (OSError, ValueError, LookupError, TypeError) as error:
            log.warning("journal_unreadable", path=str(journal), error=repr(error))
            continue
        if told is not None and record.write(told, data / "calls" / f"{journal.stem}.json"):
            log.warning("record_recovered", call_id=journal.stem)
            recovered.append(journal.stem)
    return recovered


def _end(journal: Path) -> record.Record | None:
    """Let a journal end, and derive its record; None: somebody still writes it."""
    with journal.open("r+b") as file:
        if not claim(file):
            return None
        lines = file.read().decode(errors="replace").split("\n")  # the last is "", or cut off
        told = record.derive(lines)
        if told["ended"] is None:
            told = record.derive(append(file, lines, {"at": _last_time(lines)} | _CUT_OFF))
        return told


def _last_time(lines: list[str]) -> float:
    """Tell when the last event was, in seconds from the beginning of the call."""
    return max(float(event["at"]) for event in _events(lines))


def _events(lines: list[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        with contextlib.suppress(ValueError):
            yield json.loads(line)
