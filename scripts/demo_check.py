"""What the seed of the demonstration picks, and whether all that was promised happened."""

import json
import random
import tomllib
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from demo_seen import Seen

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
ASKING = (
    "where is my order",
    "what is the status of my order",
    "when will my order arrive",
    "can you check my order please",
)
CALMLY = ("a person please", "operator please")  # where the first wording was not understood
PERSON = (
    "i want to talk to a person",
    "can i speak to a human",
    "i need to talk to someone please",
    "please let me speak to a representative",
)
VOICES = ("slt", "kal16", "awb")
VOICE_RMS = 200  # of 32768: where nobody speaks it is far below
OVERLAP = 0.3  # share of the shorter voice that may lie under the other


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
        """The caller's script, with other wordings for what was not understood."""
        digits = [DIGITS[int(d)] for d in self.order]
        slowly = ", ".join(digits)
        return [
            " | ".join((self.asking, *ASKING)),
            " | ".join((" ".join(digits), slowly, f"my number is {slowly}")),
            "yes that is right",
            " | ".join((self.person, *CALMLY)),
            "goodbye",  # only where nobody takes the transfer
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
    words = [turn["heard"] for turn in seen.journalled("agent_said")]
    need(
        any(turn["text"] for turn in said),
        f"understanding: nothing was heard of the caller; the agent said: {words[-1]}",
    )
    yield f"{len(said)} turns of the caller, understood by the server's own recognition"
    latencies = [event["latency_ms"] for event in seen.told(seen.caller, "heard_answer")]
    need(latencies, "answers: the caller heard none")
    yield f"answers heard after {', '.join(map(str, latencies))} ms"
    yield look_up(seen, choice)
    need(seen.journalled("escalated"), "escalation: the agent did not pass the caller on")
    yield f"escalation: {seen.journalled('escalated')[-1]['why']}"
    outcomes = [event["outcome"] for event in seen.journalled("transfer_ended")]
    need(
        "transferred" in outcomes,
        f"transfer: {', '.join(outcomes) or 'none was tried'}; the agent took the caller back: "
        f"{words[-2] if len(words) > 1 else ''}",
    )
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
        words = " ".join(turn["heard"] for turn in seen.journalled("agent_said"))
        need("sorry" in words, "look-up: there was no match, and the agent did not apologise")
        return f"order {choice.order}, by spoken digits: no match, and the agent said so"
    return f"order {choice.order}, by spoken digits: {wanted[-1]['result']}"


def books(journal: Path) -> dict[str, Path]:
    """Tell where journal, record and recording of the call lie."""
    data, call_id = journal.parents[1], journal.stem
    return {
        "journal": journal,
        "record": data / f"calls/{call_id}.json",
        "recording": data / f"recordings/{call_id}.wav",
    }


def check_books(paths: dict[str, Path]) -> Iterator[str]:
    """Check that record and recording are whole, each voice on its channel."""
    for name, path in paths.items():
        need(path.exists(), f"books: there is no {name}")
    record = json.loads(paths["record"].read_text())
    need(record["outcome"] == "transferred", f"record: its outcome is {record['outcome']!r}")
    yield f"the record says {record['outcome']}, with {len(record['turns'])} turns"
    with wave.open(str(paths["recording"])) as opened:
        samples = np.frombuffer(opened.readframes(opened.getnframes()), np.int16).reshape(-1, 2)
    left, right = (loud(channel) for channel in samples.T)
    need(left.any(), "recording: the caller is not on the left channel")
    need(right.any(), "recording: the agent is not on the right channel")
    both = (left & right).sum() / min(left.sum(), right.sum())
    need(both < OVERLAP, "recording: the two voices are not apart")
    yield (
        f"recording of {len(samples) / 8000:.1f} s: {left.sum() / 50:.1f} s of the caller on the "
        f"left, {right.sum() / 50:.1f} s of the agent on the right"
    )


def loud(channel: np.ndarray) -> np.ndarray:
    """Tell of each 20 ms whether somebody spoke."""
    frames = channel[: len(channel) // 160 * 160].reshape(-1, 160).astype(np.float64)
    return np.sqrt(np.mean(np.square(frames), axis=1)) > VOICE_RMS


def need(kept: object, otherwise: str) -> None:
    """Raise Failed unless a promise was kept."""
    if not kept:
        raise Failed(otherwise)
