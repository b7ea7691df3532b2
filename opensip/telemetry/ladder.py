"""The ladder of a call, read from its journal: who told whom what, and what happened beside.

Each SIP Call-ID has a party at its other end. So has the target of a transfer that the peer
carries out on its own: of that leg we know what NOTIFY tells, no more.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from opensip.call.journal import VERSION
from opensip.errors import ConfigError
from opensip.sip.reasons import reason_of
from opensip.telemetry.message_summary import summarise

StepKind = Literal[
    "request", "provisional", "success", "failure", "told", "speech", "media", "state", "fault"
]
Event = Mapping[str, Any]

MAX_STEPS = 5000  # nobody reads a longer ladder, and an endless journal must not fill memory
US, PEER, TARGET = "us", "peer", "target"  # keys of parties; further legs are "leg2", "leg3", …


@dataclass(frozen=True, slots=True)
class Party:
    """A column: `key` stands in the steps, the rest is shown at its head."""

    key: str
    name: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """An arrow from one party to another, or a note beside one where both are the same.

    `at` is in seconds from the start of the journal. `text` is a whole SIP message, "" for all
    else. Of kind "told" is what we know from hearsay alone.
    """

    at: float
    source: str
    target: str
    kind: StepKind
    title: str
    details: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Ladder:
    """A whole call; parties from left to right. `started` is ISO 8601."""

    call_id: str
    started: str
    caption: str
    parties: tuple[Party, ...]
    steps: tuple[Step, ...]

    def column(self, key: str) -> int:
        """Tell where a party stands, 0 is leftmost."""
        return next(n for n, party in enumerate(self.parties) if party.key == key)


def read_ladder(lines: Iterable[str], *, words: bool = True) -> Ladder:
    """Read the ladder of a call from the lines of its journal.

    Without `words` there is neither what was said or keyed nor the text of messages. Raises
    ConfigError where the lines are no journal, or one of a later version.
    """
    reader = _Reader(words=words)
    try:
        for event in _events(lines):
            reader.take(event)
            if len(reader.steps) >= MAX_STEPS:
                break
        return reader.ladder()
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ConfigError(f"the journal has an event that is not whole: {error!r}") from error


def _events(lines: Iterable[str]) -> Iterator[Event]:
    began = False
    for line in lines:
        event = _event(line)
        if not began:
            _check_head(event)
            began = True
        if event is not None:  # a crash cuts the last line short
            yield event


def _event(line: str) -> Event | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    is_event = isinstance(event, dict) and "kind" in event
    return event if is_event and isinstance(event.get("at"), int | float) else None


def _check_head(head: Event | None) -> None:
    if head is None or head["kind"] != "journal_opened":
        raise ConfigError(
            "this is no journal of a call: its first line is not journal_opened; the journals are "
            "journals/ID.jsonl of the data directory (calls/ID.json is a call's record)"
        )
    if head["version"] > VERSION:
        raise ConfigError(
            f"the journal is of version {head['version']}, and this opensip reads up to {VERSION}: "
            "use the one that wrote it"
        )


class _Reader:
    """Gathers parties and steps, event by event."""

    def __init__(self, *, words: bool) -> None:
        self.steps: list[Step] = []
        self._words = words
        self._head: Event = {}
        self._call: Event = {"direction": "inbound", "caller": "", "called": ""}
        self._end: Event | None = None
        self._legs: dict[str, Party] = {}  # by Call-ID; the first is the call's own
        self._ours = ""
        self._target = Party(TARGET, "target")
        self._seen: Counter[tuple[str, str]] = Counter()

    def take(self, event: Event) -> None:
        """Take one line of the journal; what came before it was opened, began it."""
        event = {**event, "at": max(0.0, event["at"])}
        match event["kind"]:
            case "journal_opened":
                self._head = event
            case "sip_sent" | "sip_received":
                self._take_message(event)
            case "call_started":
                self._call = event
            case "transfer_started":
                self._note(event, "state", f"transfer by {event['strategy']}", event["target"])
                self._target = Party(TARGET, *_name_of(event["target"]))
            case "transfer_progress":
                self._take_progress(event)
            case "call_ended":
                self._end = event
                self._note(event, "state", "call ended", _ending(event))
            case "caller_said" | "agent_said" | "filler_said" | "dtmf":
                self._take_words(event)
            case "media_negotiated":
                told = (event["suite"], f"{event['remote']} ⇄ {event['local']}")
                self._add(event, PEER, US, "media", f"RTP {event['codec']}", *told)
            case kind if teller := _NOTES.get(kind):
                self._note(event, *teller(event))

    def ladder(self) -> Ladder:
        """Put it together; whoever began the call stands first."""
        outbound = self._call["direction"] == "outbound"
        number = self._call["called"] if outbound else self._call["caller"]
        legs = list(self._legs.values()) or [Party(PEER, "")]
        peer = Party(PEER, number or ("callee" if outbound else "caller"), legs[0].address)
        us = Party(US, "opensip", self._ours)
        heard_of = any(step.kind == "told" for step in self.steps)
        others = [*legs[1:], *([self._target] if heard_of else [])]
        parties = (us, peer, *others) if outbound else (peer, us, *others)
        return Ladder(
            str(self._head["call_id"]), str(self._head["started"]), self._caption(), parties,
            tuple(self.steps),
        )  # fmt: skip

    def _caption(self) -> str:
        call, words = self._call, []
        if "trunk" in call:
            words = [f"{call['direction']} {call['caller']} → {call['called']}"]
            words += [f"{name} {call[name]}" for name in ("trunk", "agent") if call[name]]
        if self._end is not None:
            words.append(f"{self._end['at']:.1f} s, ended by {_ending(self._end)}")
        else:
            words.append("without an end")
        return " · ".join(words)

    def _take_message(self, event: Event) -> None:
        summary = summarise(event["text"])
        party = self._leg(summary.call_id, event)
        sent = event["kind"] == "sip_sent"
        self._ours = self._ours or f"{event['transport']} {event['local']}"
        self._seen[event["kind"], event["text"]] += 1
        times = self._seen[event["kind"], event["text"]]
        details = (*([f"again, number {times}"] if times > 1 else []), *summary.details)
        ends = (US, party) if sent else (party, US)
        self.steps.append(
            Step(
                event["at"], *ends, summary.kind, summary.title,
                details if self._words else _without_digits(details),
                event["text"] if self._words else "",
            )
        )  # fmt: skip

    def _leg(self, call_id: str, event: Event) -> str:
        if call_id not in self._legs:
            number = len(self._legs) + 1
            key = PEER if number == 1 else f"leg{number}"
            address = f"{event['transport']} {event['remote']}"
            start, _, rest = event["text"].partition(" ")
            is_response = start.upper().startswith("SIP/")
            name = f"leg {number}" if is_response else _name_of(rest.partition(" ")[0])[0]
            self._legs[call_id] = Party(key, name, address)
        return self._legs[call_id].key

    def _take_progress(self, event: Event) -> None:
        """Show what the peer does at the target of a REFER, as far as it tells."""
        status = event["sip_status"]
        if event["way"] == "refer" and 200 <= status < 300:
            self._add(event, PEER, TARGET, "told", "INVITE", "as our REFER asked")
        elif event["way"] == "notify":
            told = f"{status} {reason_of(status)}"
            self._add(event, TARGET, PEER, "told", told, "as NOTIFY tells")

    def _take_words(self, event: Event) -> None:
        kind = event["kind"]
        ends = (US, PEER) if kind in ("agent_said", "filler_said") else (PEER, US)
        said = event["digit"] if kind == "dtmf" else event.get("heard", event["text"])
        if not self._words:
            said = f"{len(said.split())} words" if kind != "dtmf" else "a digit"
        if kind == "dtmf":
            self._add(
                event, *ends, "speech", f"digit {said}".replace("digit a ", "a "), event["way"]
            )
            return
        told = ["cut short"] if event.get("interrupted") else []
        told += ["to bridge a wait"] if kind == "filler_said" else []
        told += [f"intent {event['intent']}"] if event.get("intent") else []
        told += [f"confidence {event['confidence']:.2f}"] if "confidence" in event else []
        nothing = "(nothing was heard)" if kind == "agent_said" else "(not understood)"
        self._add(event, *ends, "speech", f"“{said}”" if said else nothing, *told)

    def _note(self, event: Event, kind: StepKind, title: str, *details: str) -> None:
        self._add(event, US, US, kind, title, *details)

    def _add(
        self, event: Event, source: str, target: str, kind: StepKind, title: str, *details: str
    ) -> None:
        told = tuple(filter(None, details))
        self.steps.append(Step(event["at"], source, target, kind, title, told))


def _ending(event: Event) -> str:
    return f"{event['side']}: {event['cause']}" if event["cause"] else str(event["side"])


def _name_of(target: str) -> tuple[str, str]:
    """Split the target of a transfer into a name and where it is."""
    plain = target.partition("?")[0].strip("<>")
    user, at, host = plain.rpartition("@")
    return (user.partition(":")[2] or user, host.partition(";")[0]) if at else (plain, "")


def _without_digits(details: tuple[str, ...]) -> tuple[str, ...]:
    return tuple("a digit" if detail.startswith("digit ") else detail for detail in details)


Told = tuple[StepKind, str] | tuple[StepKind, str, str]


def _turn(event: Event) -> Told:
    parts = ("endpointing", "recognizer", "dialogue", "synthesizer", "playout")
    where = ", ".join(f"{part} {event[f'{part}_ms']:.0f}" for part in parts)
    why = f", ended by {event['why']}" if event.get("why") else ""
    return "state", f"answer after {event['total_ms']:.0f} ms", where + why


def _statistics(event: Event) -> Told:
    counters = event["counters"]
    shown = ("sent", "received", "lost", "late", "jitter_ms", "round_trip_ms", "mos_in", "mos_out")
    return "media", "RTP", ", ".join(f"{n} {counters[n]:g}" for n in shown if n in counters)


def _identity(event: Event) -> Told:
    level = event["attestation"]
    details = event["why"] or (f"attestation {level}" if level else "")
    kind: StepKind = "fault" if event["outcome"] == "failed" else "state"
    return kind, f"caller's signature {event['outcome']}", details


_NOTES: Mapping[str, Callable[[Event], Told]] = {
    "call_answered": lambda e: ("state", "call answered"),
    "header_context": lambda e: ("state", "context", ", ".join(e["variables"])),
    "identity_checked": _identity,
    "held": lambda e: ("state", "held by the peer" if e["on"] else "taken back by the peer"),
    "media_source_changed": lambda e: ("media", "RTP comes from elsewhere", e["remote"]),
    "media_timed_out": lambda e: ("fault", f"no RTP for {e['seconds']:g} s", e["phase"]),
    "media_statistics": _statistics,
    "recording_started": lambda e: ("state", "recording"),
    "recording_stopped": lambda e: ("fault" if e["error"] else "state", "recorded", e["error"]),
    "recording_paused": lambda e: ("state", "recording paused"),
    "recording_resumed": lambda e: ("state", "recording resumed"),
    "recording_packed": lambda e: ("state", "recording packed", e["path"]),
    "recording_erased": lambda e: ("state", "recording erased"),
    "barged_in": lambda e: ("state", f"barge-in, silent after {e['stopped_ms']:.0f} ms"),
    "turn_taken": _turn,
    "turn_decided": lambda e: ("state", f"turn {e['decision']}", e["why"]),
    "provider_failed": lambda e: ("fault", f"{e['stage']} {e['provider']} failed", e["error"]),
    "provider_recovered": lambda e: ("state", f"{e['stage']} {e['provider']} works again"),
    "tool_called": lambda e: (
        *("fault" if e["error"] else "state", f"tool {e['name']}, {e['duration_ms']:.0f} ms"),
        e["error"],
    ),
    "confirmation_asked": lambda e: ("state", f"may {e['name']} run?{' again' * e['again']}"),
    "confirmation_ended": lambda e: ("state", f"{e['name']} {e['outcome'].replace('_', ' ')}"),
    "tool_refused": lambda e: ("fault", f"tool {e['name']} refused", e["why"]),
    "escalated": lambda e: ("state", f"escalation to {e['target']}", e["why"]),
    "transfer_ended": lambda e: (
        *("state", f"transfer {e['outcome']}"),
        f"{e['strategy']}, {e['sip_status'] or 'no status'}",
    ),
    "fault": lambda e: ("fault", f"fault in {e['where']}", e["error"]),
}  # fmt: skip
