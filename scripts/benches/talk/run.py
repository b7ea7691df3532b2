"""Runs one set of calls: our side and the caller, each a process of its own, then what came."""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opensip.agent.providers import Heard
from opensip.audio.frame import Samples
from scripts.benches.process import start, tell
from scripts.benches.talk.clips import RATE, Clip
from scripts.benches.talk.fakes import SILENCE, SYNC, Told

HERE = Path(__file__).parent
PIPECAT = Path(sys.prefix) / "pipecat/bin/python"  # made by scripts/setup --all
BOTS = 2  # processes of the peer: one alone is busy with ten calls
LEAD = RATE  # samples before the mark
RIGHT = 0.95  # share of the signs of a blind recognizer
BEGIN = 3 * RATE  # samples after it, in which the greeting is over


@dataclass
class Call:
    """What one caller says, and what its recognizer tells. Samples count from the mark."""

    seconds: float
    noise: NDArray[np.float64] | None = None
    told: list[Told] = field(default_factory=list)
    sounds: list[tuple[int, Samples]] = field(default_factory=list)

    def say(self, at: int, samples: Samples) -> None:
        """Let the caller make a sound."""
        self.sounds.append((at, samples))

    def samples(self) -> Samples:
        """Mix all that is heard of the caller."""
        total = np.zeros(LEAD + round(self.seconds * RATE))
        if self.noise is not None:
            total[LEAD + RATE :] += np.resize(self.noise, len(total) - LEAD - RATE)
        for at, samples in self.sounds:
            total[LEAD + at : LEAD + at + len(samples)] += samples
        total[LEAD : LEAD + 8] = SYNC * 1.4
        return total.clip(-32000, 32000).astype(np.int16)


def knowing(clip: Clip, at: int) -> list[Told]:
    """Tell each word, and with the last that the turn is over."""
    words = [word for word, _, _ in clip.words]
    told = [
        Told(at + end, Heard(" ".join(words[: n + 1]))) for n, (_, _, end) in enumerate(clip.words)
    ]
    return [*told[:-1], Told(told[-1].at, Heard(f"{' '.join(words)}.", True, True))]


class Share:
    """Picks a share of what comes, evenly: of n calls with even `offset`s just that share.

    Signs of a chance of their own would differ from their share by a third, in a run of this size.
    """

    def __init__(self, share: float, offset: float) -> None:
        self._share, self._sum = share, offset % 1.0

    def picks(self) -> bool:
        """Tell whether the next one is of it."""
        self._sum += self._share
        whole, self._sum = divmod(self._sum, 1.0)
        return bool(whole)


class Blind:
    """A recognizer that tells each word, and finals after each silence, most with the right sign.

    `offset` from 0 to 1 says which ends and which inner pauses are among the wrong ones.
    """

    def __init__(self, offset: float) -> None:
        self._ends, self._pauses = Share(RIGHT, offset), Share(1 - RIGHT, offset)

    def tells(self, clip: Clip, at: int) -> list[Told]:
        """Tell what it makes of a turn that begins at a sample."""
        told, since = [], 0
        for n, (_, _, end) in enumerate(clip.words):
            words = " ".join(word for word, _, _ in clip.words[since : n + 1])
            told.append(Told(at + end, Heard(words)))
            last = n == len(clip.words) - 1
            if last or clip.words[n + 1][1] - end >= SILENCE * RATE:
                sign = "." * (self._ends if last else self._pauses).picks()
                told.append(Told(at + end + round(SILENCE * RATE), Heard(words + sign, True)))
                since = n + 1
        return told


@dataclass(frozen=True)
class Result:
    """What was measured of one call; times of the monotonic clock, in seconds."""

    sent: NDArray[np.float64]  # when each packet of the caller left
    loud: NDArray[np.float64]  # when packets with sound came
    events: list[tuple[str, dict[str, Any]]]

    def left(self, sample: int) -> float:
        """Tell when the packet left that holds a sample, counted from the mark."""
        return float(self.sent[(LEAD + sample) // 160])

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Give the events of a kind."""
        return [event for name, event in self.events if name == kind]


def run(
    calls: list[Call], *, ends_turns: bool, answer: str, patience: float = 1.0, detector: str
) -> list[Result]:
    """Hold the calls at once and give what was measured."""
    seconds = max(call.seconds for call in calls) + LEAD / RATE
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_said(calls, folder)
        caller = _start("caller.py", folder / "said.npz", folder / "heard.npz")
        plan = {
            "ports": [int(port) for port in tell(caller, "").split()],
            "calls": [{"ends_turns": ends_turns, "told": _told(call)} for call in calls],
            "answer": answer, "patience": patience, "voice_activity": detector,
        }  # fmt: skip
        (folder / "plan.json").write_text(json.dumps(plan))
        subject = _start("subject.py", folder / "plan.json", folder / "events.json", seconds + 2)
        tell(caller, tell(subject, ""))
        _wait(caller, subject)
        return _results(folder, json.loads((folder / "events.json").read_text()))


def run_pipecat(calls: list[Call], *, answer: str, stop: str, silence: float = 0.0) -> list[Result]:
    """Hold the same calls with the peer: pipecat_bot.py, which tells what `stop` may be."""
    parts = [calls[n::BOTS] for n in range(BOTS)]
    order = [n for first in range(BOTS) for n in range(first, len(calls), BOTS)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bots = []
        for number, part in enumerate(parts):
            plan = {"calls": [{"told": _told(call)} for call in part],
                    "answer": answer, "stop": stop, "silence": silence}  # fmt: skip
            (folder / f"plan{number}.json").write_text(json.dumps(plan))
            bots.append(_start_bot(folder / f"plan{number}.json", folder / f"events{number}.json"))
        _write_said([calls[n] for n in order], folder)
        carrier = _start("carrier.py", folder / "said.npz", folder / "heard.npz")
        tell(carrier, "")
        tell(carrier, " ".join(tell(bot, "").strip() for bot in bots) + "\n")
        for bot in bots:
            tell(bot, "\n")
        _wait(carrier, *bots)
        found = _results(folder, [
            events for number in range(BOTS)
            for events in json.loads((folder / f"events{number}.json").read_text())
        ])  # fmt: skip
    return [found[order.index(n)] for n in range(len(calls))]


def _write_said(calls: list[Call], folder: Path) -> None:
    np.savez(folder / "said.npz", **{f"c{n}": call.samples() for n, call in enumerate(calls)})


def _told(call: Call) -> list[list[object]]:
    told = sorted(call.told, key=lambda told: told.at)
    return [[t.at, t.heard.text, t.heard.final, t.heard.over] for t in told]


def _results(folder: Path, events: list[list[tuple[str, dict[str, Any]]]]) -> list[Result]:
    with np.load(folder / "heard.npz") as heard:
        return [
            Result(heard[f"sent{n}"], heard[f"loud{n}"], [(k, e) for k, e in events[n]])
            for n in range(len(events))
        ]


def _start(name: str, *arguments: object) -> "subprocess.Popen[str]":
    return start([sys.executable, str(HERE / name), *map(str, arguments)])


def _start_bot(*arguments: object) -> "subprocess.Popen[str]":
    quiet = "LOGURU_LEVEL=CRITICAL"  # it tells of each word and decision
    script = HERE / "pipecat_bot.py"
    return start(["env", quiet, str(PIPECAT), str(script), *map(str, arguments)])


def _wait(*processes: "subprocess.Popen[str]") -> None:
    for process in processes:
        if process.wait(60):
            sys.exit(f"bench: {process.args} failed")
        process.stdin.close()
        process.stdout.close()


def percentile(values: list[float], percent: float) -> float:
    """Tell a percentile of milliseconds, rounded; -1 of nothing."""
    return round(float(np.percentile(values, percent)), 1) if values else -1.0
