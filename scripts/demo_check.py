"""What the seed of the demonstration picks, and whether all that was promised happened."""

import json
import os
import random
import tomllib
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from demo_seen import Seen, Show

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
ASKING = (
    "where is my order",
    "what is the status of my order",
    "when will my order arrive",
    "can you check my order please",
)
PERSON = (
    "i want to talk to a person",
    "can i speak to a human",
    "i need to talk to someone please",
    "please let me speak to a representative",
)
VOICES = ("slt", "kal16", "awb")
VOICE_RMS = 200  # of 32768; a channel on which nobody spoke is far below


class Failed(Exception):
    """A step of the demonstration did not happen."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What the seed picks: who calls about which order, in which words."""

    order: str
    known: bool
    voice: str
    asking: str
    person: str

    @property
    def steps(self) -> list[str]:
        """The caller's script."""
        return [
            self.asking,
            " ".join(DIGITS[int(d)] for d in self.order),
            "yes that is right",
            self.person,
        ]


def choose(seed: int, agent: Path, *, wrong_order: bool) -> Choice:
    """Pick order, words and voice; the orders are those of the agent's file."""
    dice = random.Random(seed)
    with agent.open("rb") as opened:
        orders = sorted(tomllib.load(opened)["data"]["orders"])
    order = dice.choice(orders)
    if wrong_order:
        order = next(n for n in iter(lambda: f"{dice.randrange(10000):04}", "") if n not in orders)
    return Choice(
        order, not wrong_order, dice.choice(VOICES), dice.choice(ASKING), dice.choice(PERSON)
    )


def check(seen: Seen, choice: Choice) -> Iterator[str]:
    """Check each promise in turn, name it when it is kept, raise Failed when it is not."""
    [answered, *_] = seen.told(seen.caller, "answered") or [{}]
    need(answered.get("transport") == "TLS" and answered["suite"], "answered over TLS with SRTP")
    yield f"answered over TLS, audio under {answered['suite']}"
    said = seen.journalled("caller_said")
    need(any(turn["text"] for turn in said), "understanding: the agent understood nothing")
    yield f"{len(said)} turns of the caller, understood by the server's own recognition"
    latencies = [event["latency_ms"] for event in seen.told(seen.caller, "heard_answer")]
    need(latencies, "answers: the caller heard none")
    yield f"answers heard after {', '.join(map(str, latencies))} ms"
    yield look_up(seen, choice)
    need(seen.journalled("escalated"), "escalation: the agent did not pass the caller on")
    yield f"escalation: {seen.journalled('escalated')[-1]['why']}"
    outcomes = [event["outcome"] for event in seen.journalled("transfer_ended")]
    need("transferred" in outcomes, f"transfer: {', '.join(outcomes) or 'none was tried'}")
    yield "transfer by REFER, followed to its last NOTIFY"
    [context, *_] = seen.told(seen.desk, "called") or [{}]
    need(
        context.get("intent") and context.get("summary") and context.get("transcript"),
        "desk: intent, summary and transcript did not all arrive",
    )
    yield "the desk read intent, summary and transcript off the wire"


def look_up(seen: Seen, choice: Choice) -> str:
    """Check the look-up by spoken digits."""
    wanted = [
        event
        for event in seen.journalled("tool_called")
        if choice.order in map(str, event["arguments"].values())
    ]
    need(wanted, f"look-up: order {choice.order} was not looked up")
    found = bool(wanted[-1]["result"])
    need(found == choice.known, f"look-up: order {choice.order} gave {wanted[-1]['result']}")
    if not found:
        return f"order {choice.order}, by spoken digits: no match, and the agent said so"
    return f"order {choice.order}, by spoken digits: {wanted[-1]['result']}"


def check_books(journal: Path, show: Show) -> None:
    """Say where journal, record and recording lie, and check that they are whole."""
    data, call_id = journal.parents[1], journal.stem
    record = data / f"calls/{call_id}.json"
    recording = data / f"recordings/{call_id}.wav"
    for name, path in (("journal", journal), ("record", record), ("recording", recording)):
        show.line("books", f"{name:9} {os.path.relpath(path)}")
        need(path.exists(), f"books: there is no {name}")
    need(json.loads(record.read_text())["ended"], "books: the record has no end")
    with wave.open(str(recording)) as opened:
        samples = np.frombuffer(opened.readframes(opened.getnframes()), np.int16).reshape(-1, 2)
    left, right = (float(np.sqrt(np.mean(np.square(c, dtype=np.float64)))) for c in samples.T)
    show.line(
        "books", f"recording: {len(samples) / 8000:.1f} s, rms caller {left:.0f}, agent {right:.0f}"
    )
    need(right > VOICE_RMS, "recording: the agent is not on the right channel")
    need(left > VOICE_RMS, "recording: the caller is not on the left channel")


def need(kept: object, otherwise: str) -> None:
    """Raise Failed unless a promise was kept."""
    if not kept:
        raise Failed(otherwise)
