"""How soon the agent is silent when spoken to, and what a mere sound costs its answer.

As in `conversation`: the caller is a process of its own and measures there; the recognizer is the
*knowing* one, the voice activity that of --detector. Stop: the caller speaks over the agent's
answer of 8 s, two seconds into it (0 ms where the agent was silent already, paused by the noise);
from its first packet of speech to our last packet with sound; clean, and with the babble of five
people at 15 dB. False: over an answer of 5 s comes one of four sounds, "uh-huh", "okay", a cough
of 0.35 s and a knock of 0.12 s. The answer is lost when it does not go on within 4 s; the gap is
the longest time between two packets with sound; content is lost where fewer packets with sound
came than were said.
"""

import argparse
import json

import numpy as np

from scripts.benches.talk.clips import RATE, VOICES, at_15_db, babble, clip, cough
from scripts.benches.talk.run import BEGIN, Call, Result, knowing, percentile, run

CALLS = 10
PHRASES = (
    "stop please i have a question", "no wait that is wrong", "hold on where is the lamp",
    "can we talk about my order", "but when will it be there",
)  # fmt: skip
INTO = 2.0  # seconds of the answer, when the caller speaks
STOP_ANSWER = "x" * 133  # 8 s at 60 ms a character
FALSE_ANSWER = "x" * 83  # 5 s
LATENCY = 0.37  # seconds from the end of a turn to the answer, about
KINDS = ("uh-huh", "okay", "cough", "knock")


def barging_calls(cycles: int, *, is_noisy: bool, seed: int) -> tuple[list[Call], list[list[int]]]:
    """Make calls whose turns each interrupt the answer to the one before."""
    random = np.random.default_rng(seed)
    calls, begins = [], []
    for number in range(CALLS):
        call, at, begun = Call(0.0), BEGIN, []
        for turn in range(cycles // CALLS + 1):
            said = clip(VOICES[number % 2], str(random.choice(PHRASES)))
            call.say(at, said.samples)
            call.told += knowing(said, at)
            begun += [at] if turn else []
            at += len(said.samples) + round((LATENCY + INTO + random.uniform(0, 0.1)) * RATE)
        call.seconds = at / RATE
        if is_noisy:
            call.noise = at_15_db(babble(20 * RATE, seed + number))
        calls.append(call)
        begins.append(begun)
    return calls, begins


def stops(results: list[Result], begins: list[list[int]]) -> list[float]:
    """Tell how long sound came after the caller's first packet, in ms."""
    found = []
    for result, begun in zip(results, begins, strict=True):
        for at in begun:
            left = result.left(at)
            loud = result.loud[(result.loud > left) & (result.loud < left + 3)]
            if not len(loud) or loud[0] - left > 0.15:  # it was paused already, by the babble
                found.append(0.0)
                continue
            gaps = np.flatnonzero(np.diff(loud) > 0.1)
            last = loud[gaps[0]] if len(gaps) else loud[-1] if len(loud) else left
            found.append(1000 * float(last - left))
    return found


def sound(kind: str, number: int) -> tuple[np.ndarray, list]:
    """Make a sound, and what a recognizer tells of it."""
    if kind == "cough":
        return cough(number, 0.35), []
    if kind == "knock":
        return cough(number, 0.12), []
    said = clip(VOICES[number % 2], kind)
    return said.samples, knowing(said, 0)


def disturbed_calls(each: int, seed: int) -> tuple[list[Call], list[list[tuple[str, int, int]]]]:
    """Make calls with a sound over each answer; and where the turn ends, and where the sound is."""
    random = np.random.default_rng(seed)
    kinds = [kind for kind in KINDS for _ in range(each)]
    random.shuffle(kinds)
    calls, made = [], []
    for number in range(CALLS):
        call, at, spans = Call(0.0), BEGIN, []
        for turn, kind in enumerate(kinds[number::CALLS]):
            said = clip(VOICES[number % 2], "please tell me all about the lamp")
            call.say(at, said.samples)
            call.told += knowing(said, at)
            end = at + len(said.samples)
            when = end + round((LATENCY + INTO + random.uniform(0, 0.1)) * RATE)
            samples, told = sound(kind, turn)
            call.say(when, samples)
            call.told += [type(t)(when + t.at, t.heard) for t in told]
            spans.append((kind, end, when))
            at = end + round((LATENCY + 5.0 + 2.0) * RATE)
        call.seconds = at / RATE
        calls.append(call)
        made.append(spans)
    return calls, made


def resumed(results: list[Result], made: list) -> dict[str, list[tuple[float, float]]]:
    """Of each kind of sound: the gap in ms, -1 where the answer was lost, and what it lost."""
    found: dict[str, list[tuple[float, float]]] = {kind: [] for kind in KINDS}
    for result, spans in zip(results, made, strict=True):
        for kind, end, when in spans:
            left, over = result.left(end - 1), result.left(when)
            loud = result.loud[(result.loud > left) & (result.loud < left + 7.3)]
            after = loud[loud > over + 0.3]
            gap = 1000 * float(np.diff(loud).max()) - 20 if len(loud) > 1 else -1.0
            is_lost = not len(after) or gap > 4000 or len(loud) < 0.75 * 250
            found[kind].append((-1.0 if is_lost else gap, 83 * 0.06 * 1000 - 20 * len(loud)))
    return found


def main() -> None:
    """Run all three and print the figures."""
    parser = argparse.ArgumentParser(prog="scripts/bench bargein", description=__doc__)
    parser.add_argument("--cycles", type=int, default=100)
    parser.add_argument("--each", type=int, default=25, help="sounds of each kind")
    parser.add_argument("--detector", default="auto", help="silero, webrtc or energy")
    parser.add_argument("--seed", type=int, default=5)
    options = parser.parse_args()
    print(__doc__, flush=True)
    figures: dict[str, object] = {}
    for name, noisy in (("stop", False), ("stop_babble", True)):
        calls, begins = barging_calls(options.cycles, is_noisy=noisy, seed=options.seed)
        found = stops(
            run(calls, ends_turns=True, detector=options.detector, answer=STOP_ANSWER), begins
        )
        figures |= {
            f"{name}_p50_ms": percentile(found, 50),
            f"{name}_p95_ms": percentile(found, 95),
        }
        print(json.dumps(figures), flush=True)
    calls, made = disturbed_calls(options.each, options.seed)
    kinds = resumed(
        run(calls, ends_turns=True, detector=options.detector, answer=FALSE_ANSWER), made
    )
    cycles = [one for found in kinds.values() for one in found]
    paused = [gap for gap, _ in cycles if gap > 30]
    figures |= {
        "false_lost_pct": round(100 * sum(gap < 0 for gap, _ in cycles) / len(cycles), 1),
        "resume_gap_p50_ms": percentile(paused, 50), "resume_gap_p95_ms": percentile(paused, 95),
        "content_lost_max_ms": max((lost for gap, lost in cycles if gap >= 0), default=0.0),
        "gap_p50_ms": {kind: percentile([gap for gap, _ in found if gap >= 0], 50)
                       for kind, found in kinds.items()},
    }  # fmt: skip
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
