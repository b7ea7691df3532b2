"""How soon the agent is silent when spoken to, and what a mere sound costs; and pipecat.

As in `conversation`: the caller is a process of its own and measures there; the recognizer is the
*knowing* one, the voice activity that of --detector. Stop: the caller speaks over the agent's
answer of 8 s, two seconds into it; from its first packet of speech to our last packet with sound;
clean, and with the babble of five people at 15 dB. `already_silent` are the cycles in which the
agent said nothing just then, paused or stopped by the babble: they are not in the percentiles.
False: over an answer of 5 s comes one of four sounds, "uh-huh", "okay", a cough of 0.35 s and a
knock of 0.12 s. The answer is lost when it does not go on within 4 s, or another begins in its
place; the gap is the longest time between two packets with sound; content is lost where fewer
packets with sound came than were said.

The peer, keys with `pipecat_`, is that of `conversation`, with the knowing recognizer: a turn, and
with it an interruption, begins by its default, after 0.2 s of voice or by words. A gap of -1 ms
says that no answer went on.
"""

import argparse
import json
import sys
from collections.abc import Callable

import numpy as np

from scripts.benches.talk.clips import RATE, VOICES, at_15_db, babble, clip, cough
from scripts.benches.talk.run import (
    BEGIN,
    PIPECAT,
    Call,
    Result,
    knowing,
    percentile,
    run,
    run_pipecat,
)

Hold = Callable[[list[Call], str], list[Result]]
CALLS = 10
PHRASES = (
    "stop please i have a question", "no wait that is wrong", "hold on where is the lamp",
    "can we talk about my order", "but when will it be there",
)  # fmt: skip
INTO = 2.0  # seconds of the answer, when the caller speaks
STOP_ANSWER = "x" * 133  # 8 s at 60 ms a character
FALSE_ANSWER = "x" * 83  # 5 s
LATENCY = 0.37  # seconds from the end of a turn to the answer, about
ANOTHER = 500  # ms of sound more than were said: this is another answer
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


def stops(results: list[Result], begins: list[list[int]]) -> tuple[list[float], int]:
    """Tell how long sound came after the caller's first packet, in ms; and where none came."""
    found, silent = [], 0
    for result, begun in zip(results, begins, strict=True):
        for at in begun:
            left = result.left(at)
            loud = result.loud[(result.loud > left) & (result.loud < left + 3)]
            if not len(loud) or loud[0] - left > 0.15:
                silent += 1
                continue
            gaps = np.flatnonzero(np.diff(loud) > 0.1)
            last = loud[gaps[0]] if len(gaps) else loud[-1]
            found.append(1000 * float(last - left))
    return found, silent


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
            lost = len(FALSE_ANSWER) * 60 - 20.0 * len(loud)
            is_lost = not len(after) or gap > 4000 or lost > 1250 or lost < -ANOTHER
            found[kind].append((-1.0 if is_lost else gap, lost))
    return found


def figures_of(hold: Hold, options: argparse.Namespace, who: str) -> dict[str, object]:
    """Run all three and give the figures."""
    figures: dict[str, object] = {}
    for name, noisy in (("stop", False), ("stop_babble", True)):
        calls, begins = barging_calls(options.cycles, is_noisy=noisy, seed=options.seed)
        found, silent = stops(hold(calls, STOP_ANSWER), begins)
        figures |= {
            f"{name}_p50_ms": percentile(found, 50), f"{name}_p95_ms": percentile(found, 95),
            f"{name}_already_silent": silent,
        }  # fmt: skip
        print(who, json.dumps(figures), flush=True)
    calls, made = disturbed_calls(options.each, options.seed)
    kinds = resumed(hold(calls, FALSE_ANSWER), made)
    cycles = [one for found in kinds.values() for one in found]
    paused = [gap for gap, _ in cycles if gap > 30]
    figures |= {
        "false_lost_pct": round(100 * sum(gap < 0 for gap, _ in cycles) / len(cycles), 1),
        "resume_gap_p50_ms": percentile(paused, 50), "resume_gap_p95_ms": percentile(paused, 95),
        "content_lost_max_ms": max((lost for gap, lost in cycles if gap >= 0), default=0.0),
        "lost": {kind: sum(gap < 0 for gap, _ in found) for kind, found in kinds.items()},
        "gap_p50_ms": {kind: percentile([gap for gap, _ in found if gap >= 0], 50)
                       for kind, found in kinds.items()},
    }  # fmt: skip
    print(who, json.dumps(figures), flush=True)
    return figures


def main() -> None:
    """Run both sides and print the figures."""
    parser = argparse.ArgumentParser(prog="scripts/bench bargein", description=__doc__)
    parser.add_argument("--cycles", type=int, default=100)
    parser.add_argument("--each", type=int, default=25, help="sounds of each kind")
    parser.add_argument("--alone", action="store_true", help="without the peer")
    parser.add_argument("--detector", default="auto", help="silero, webrtc or energy")
    parser.add_argument("--seed", type=int, default=5)
    options = parser.parse_args()
    if not options.alone and not PIPECAT.exists():
        sys.exit(f"bench: no pipecat in {PIPECAT}: run scripts/setup --all, or give --alone")
    print(__doc__, flush=True)

    def ours(calls: list[Call], answer: str) -> list[Result]:
        return run(calls, ends_turns=True, detector=options.detector, answer=answer)

    def peers(calls: list[Call], answer: str) -> list[Result]:
        return run_pipecat(calls, answer=answer, stop="service")

    figures = figures_of(ours, options, "opensip:")
    if not options.alone:
        found = figures_of(peers, options, "pipecat:")
        figures |= {f"pipecat_{name}": value for name, value in found.items()}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
