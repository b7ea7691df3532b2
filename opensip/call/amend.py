"""What happens to the books of a call after its end: a line more in its journal, and its record."""

import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import structlog

from opensip.call import record
from opensip.call.journal import append, claim, line_of
from opensip.errors import MediaError
from opensip.events import CallEvent

log = structlog.get_logger(__name__)


@contextlib.contextmanager
def amending(data: Path, call_id: str) -> Iterator[Callable[[CallEvent], None]]:
    """Hold the books of a call that is over; gives what notes an event in them.

    The event's `at` is of no account: it happens now. Raises MediaError while the call is in
    progress, or others amend it. Books that are not there are not amended.
    """
    try:
        file = (data / "journals" / f"{call_id}.jsonl").open("r+b")
    except OSError as error:
        log.warning("journal_missing", call_id=call_id, error=str(error))
        yield lambda event: None
        return
    with file:
        if not claim(file):
            raise MediaError(
                f"the call {call_id} is in progress, or its recording is being packed: try later"
            )
        yield lambda event: _amend(file, event, data / "calls" / f"{call_id}.json")


def _amend(file: BinaryIO, event: CallEvent, path: Path) -> None:
    file.seek(0)
    lines = file.read().decode(errors="replace").split("\n")
    told = record.derive(lines)
    try:
        at = (datetime.now(UTC) - datetime.fromisoformat(told["started"])).total_seconds()
    except (TypeError, ValueError):  # a journal without its beginning says nothing of the call
        log.warning("journal_unreadable", path=file.name)
        return
    record.write(record.derive(append(file, lines, line_of(event, at))), path)
