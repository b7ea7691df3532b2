"""What is said in the density bench: 3 s of speech and 4 s of answer by turns, on every call.

All callers say the same, each begins at another place of the cycle: so the load is even.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from opensip.agent.providers import Heard
from opensip.audio.frame import Samples
from scripts.benches.talk.clips import ENDS, MIDDLES, OPENINGS, RATE, Clip, clip
from scripts.benches.talk.fakes import SYNC, Told
from scripts.benches.talk.run import knowing

FRAME = 160  # samples of a packet
SPEECH = 3.0  # seconds of each turn of the caller
ANSWER = "Your parcel left the house this morning and it will be there today."  # 4 s at 60 ms each
ANSWER_SECONDS = 4.0
CYCLE = 7.6  # seconds: speech, half a second until the answer, the answer, a breath
GREETING = 2.0  # seconds in which the greeting is over


def spoken() -> Clip:
    """Speak words for SPEECH; the last one may be broken off."""
    texts = (f"{a} {b} {c}" for a, b, c in zip(OPENINGS, MIDDLES, ENDS, strict=True))
    said = clip("slt", " ".join(texts))
    until = round(SPEECH * RATE)
    words = tuple((word, a, min(b, until)) for word, a, b in said.words if a < until)
    return Clip(said.samples[:until], words)


@dataclass(frozen=True)
class Plan:
    """What one caller says, and what its recognizer tells; samples count from the mark."""

    said: Samples  # GREETING, the mark, and its turns
    told: list[Told]
    ends: list[int]  # of its turns, in samples from the mark

    def begin(self, number: int, calls: int) -> int:
        """Tell how many packets of silence a call sends before it says all this."""
        return round(number / calls * CYCLE * RATE) // FRAME

    def save(self, folder: Path) -> None:
        """Write it where callers and fakes read it."""
        np.save(folder / "said.npy", self.said)
        (folder / "plan.json").write_text(json.dumps({"told": self.written(), "ends": self.ends}))

    def written(self) -> list[tuple[int, str, bool, bool]]:
        """Give what the recognizer tells, as JSON can hold it."""
        return [(t.at, t.heard.text, t.heard.final, t.heard.over) for t in self.told]


def made(turns: int) -> Plan:
    """Plan so many turns."""
    speech, cycle = spoken(), round(CYCLE * RATE)
    said = np.zeros(round(GREETING * RATE) + turns * cycle, np.int16)
    said[round(GREETING * RATE)] = SYNC + 1000
    told: list[Told] = []
    ends = []
    for turn in range(turns):
        at = turn * cycle + FRAME  # the mark is no part of it
        begin = round(GREETING * RATE) + at
        said[begin : begin + len(speech.samples)] = speech.samples
        told += knowing(speech, at)
        ends.append(at + len(speech.samples))
    return Plan(said, told, ends)


def load(folder: Path) -> Plan:
    """Read what was written."""
    plan = json.loads((folder / "plan.json").read_text())
    told = [Told(at, Heard(text, final, over)) for at, text, final, over in plan["told"]]
    return Plan(np.load(folder / "said.npy"), told, plan["ends"])


def padded(said: Samples, before: int, length: int) -> Samples:
    """Put silence before it, and behind it up to `length`."""
    whole = np.zeros(length, np.int16)
    part = said[: length - before]
    whole[before : before + len(part)] = part
    return whole
