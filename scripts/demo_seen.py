"""What the demonstration's three processes tell, and what of it is shown."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Event = dict[str, Any]


@dataclass(slots=True)
class Seen:
    """What the three processes told so far."""

    caller: list[Event] = field(default_factory=list)
    desk: list[Event] = field(default_factory=list)
    journal: list[Event] = field(default_factory=list)
    path: Path | None = None

    def journalled(self, kind: str) -> list[Event]:
        """Events of a kind in the server's journal."""
        return [event for event in self.journal if event["kind"] == kind]

    def told(self, events: list[Event], what: str) -> list[Event]:
        """Reports of a name by a phone."""
        return [event for event in events if event["what"] == what]


class Show:
    """Prints what happens as it happens, each line with its time and who tells it."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def line(self, who: str, text: str) -> None:
        """Print one line."""
        print(f"{time.monotonic() - self._began:6.1f}  {who:7} {text}", flush=True)

    def journal(self, event: Event) -> None:
        """Print an event of the server's journal that a spectator wants to see."""
        match event:
            case {"kind": "call_started"}:
                self.line("server", f"call from {event['caller']} to {event['called']}")
            case {"kind": "media_negotiated"}:
                self.line("server", f"audio {event['codec']}, encrypted with {event['suite']}")
            case {"kind": "agent_said"}:
                cut = "  [interrupted]" if event["interrupted"] else ""
                self.line("AGENT", f"{event['heard']}{cut}")
            case {"kind": "caller_said"}:
                intent = f"{event['intent']} " if event["intent"] else ""
                slots = " ".join(f"{k}={v}" for k, v in (event["slots"] or {}).items())
                understood = f"  [understood: {intent}{slots}".rstrip() + "]"
                self.line("CALLER", (event["text"] or "(nothing)") + understood)
            case {"kind": "turn_taken"}:
                self.line("server", f"answered after {event['total_ms']:.0f} ms: {parts(event)}")
            case {"kind": "tool_called"}:
                self.line(
                    "server", f"look-up {event['name']} {event['arguments']}: {event['result']}"
                )
            case {"kind": "escalated"}:
                self.line("server", f"a human is wanted: {event['why']}, intent {event['intent']}")
            case {"kind": "call_ended"}:
                self.line("server", f"call ended by {event['side']}: {event['cause']}")
            case _:
                self.transfer(event)

    def transfer(self, event: Event) -> None:
        """Print an event of the transfer."""
        match event:
            case {"kind": "transfer_started"}:
                self.line("server", f"{event['strategy'].upper()} to {event['target']}")
            case {"kind": "transfer_progress"}:
                self.line("server", f"{event['way']} {event['sip_status']}")
            case {"kind": "transfer_ended"}:
                self.line("server", f"transfer: {event['outcome']}")

    def caller(self, event: Event) -> None:
        """Print what the caller tells: what it says stands in the journal already."""
        match event:
            case {"what": "answered"}:
                self.line("caller", f"answered by {event['uri']} over {event['transport']}")
            case {"what": "heard_answer"}:
                self.line("caller", f"heard the answer {event['latency_ms']} ms after speaking")
            case {"what": "misheard"}:
                self.line("caller", f"heard {event['read_back']}, and meant {event['number']}")
            case {"what": "no_answer"}:
                self.line("caller", "heard no answer")
            case {"what": "referred"}:
                self.line("caller", f"is asked to call {event['to']}")
            case {"what": "transfer_failed" | "refused"}:
                self.line("caller", f"{event['what']}: {event['status']} {event['reason']}")
            case {"what": "ended"}:
                self.line("caller", f"call ended by {event['by']}")

    def desk(self, event: Event) -> None:
        """Print what the desk read off the wire."""
        if event["what"] != "called":
            return
        self.line("DESK", f"a call from {event['caller']}, with this context:")
        for name in ("call_id", "intent", "confidence", "summary", "fields"):
            self.line("DESK", f"  {name:11} {event[name]}")
        for said in event["transcript"]:
            self.line("DESK", f"  transcript  {said}")


def parts(event: Event) -> str:
    """Name where the time of an answer went."""
    names = ("endpointing", "recognizer", "dialogue", "synthesizer", "playout")
    return ", ".join(f"{name} {event[f'{name}_ms']:.0f}" for name in names)
