"""The books of one call: its journal while it lasts, its one record when it is over."""

import os
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import structlog

from opensip.call import record
from opensip.call.call import Ending
from opensip.call.discretion import discreet, without_context
from opensip.call.journal import Journal
from opensip.events import (
    CallEnded,
    CallEvent,
    Observer,
    ProviderFailed,
    RecordingPaused,
    RecordingResumed,
    TransferEnded,
    TurnTaken,
)

_OF_A_TURN = (
    *("endpointing_ms", "recognizer_ms", "dialogue_ms", "synthesizer_ms", "playout_ms"),
    *("total_ms", "added_ms", "saved_ms", "why"),
)

log = structlog.get_logger(__name__)


class Entry:
    """Observes one call for its journal under `data`, and for whoever else wants to know.

    Journals stand in `data`/journals, records in `data`/calls, each under the call id.
    """

    def __init__(
        self,
        call_id: str,
        data: Path,
        *,
        now: Callable[[], float],
        started: datetime,
        others: Sequence[Observer] = (),
    ) -> None:
        folder = os.path.abspath(data)  # the record names files as they can be found
        self.call_id = call_id
        self._folder = folder
        self._now = now
        self._others = others
        self._journal = Journal(
            f"{folder}/journals/{call_id}.jsonl", call_id, opened=now(), started=started
        )
        self._record = record.blank()
        record.take(self._record, self._journal.head)
        self._is_closed = False
        self._is_discreet = False  # the recording is paused
        self._was_discreet = False  # or has been: what was told then may be handed on later
        self.afterwards: Callable[[], None] = lambda: None  # once the books are closed

    @property
    def record(self) -> Path:
        """Where the record of the call belongs."""
        return Path(f"{self._folder}/calls/{self.call_id}.json")

    def note(self, event: CallEvent) -> None:
        """Take note of an event of the call."""
        match event:
            case RecordingPaused() | RecordingResumed():
                self._is_discreet = isinstance(event, RecordingPaused)
                self._was_discreet = True
            case _ if self._is_discreet:
                event = discreet(event)
            case _ if self._was_discreet:
                event = without_context(event)
        if isinstance(event, ProviderFailed):  # the caller heard of it: so must the operator
            log.error(
                "provider_failed", stage=event.stage, provider=event.provider, error=event.error
            )
        line = self._journal.note(event)
        match event:
            case TurnTaken():
                log.info("turn_taken", **{name: line[name] for name in _OF_A_TURN})
            case TransferEnded():
                _log_transfer(event)
        record.take(self._record, line)
        for other in self._others:
            other.note(event)

    def close(self, ending: Ending) -> None:
        """Note the end and write the record; only the first ending counts."""
        if self._is_closed:
            return
        self._is_closed = True
        self.note(CallEnded(self._now(), ending.side, ending.cause, ending.sip_status))
        self._journal.close()
        record.write(self._record, f"{self._folder}/calls/{self.call_id}.json")
        self.afterwards()
        log.info("call_ended", side=ending.side, cause=ending.cause, sip_status=ending.sip_status)


def _log_transfer(event: TransferEnded) -> None:
    """Tell which way was tried and what the peer said: else its journal alone would know."""
    tell = log.info if event.outcome == "transferred" else log.warning
    tell(
        "transfer_ended", strategy=event.strategy, outcome=event.outcome,
        sip_status=event.sip_status,
    )  # fmt: skip
