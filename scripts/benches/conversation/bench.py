"""How long a caller waits for an answer, and how often one is cut in on.

The caller (talk/caller.py, a process of its own) sends SRTP at 20 ms on loopback and measures
there: from the packet that holds the last sample of speech to our first packet with sound. Our
side (talk/subject.py) is an agent of a model on our own engine, with the voice activity of
--detector and providers with exact delays: 150 ms to the first token, 100 ms to the first sound.
Clips are words of flite, their ends known to the sample. Recognizers are fed by the audio that
arrives: *knowing* tells each word 100 ms after it ends, and 100 ms after the last one that the
turn is over; *blind* tells each word, and finals 100 ms after every silence of 300 ms, with a
full stop after 95 % of true ends and 5 % of inner pauses, drawn from a seed; half of its turns
have one or two pauses of 0.3 to 0.9 s. Half of the calls are clean, half have pink noise at 15
dB. `added` counts from the later of the commit and the voice's first sound. A turn is missed when
nothing is heard 3.5 s after it. An inner pause is cut in on when sound comes before the caller
goes on, or just after.
"""

import argparse
import json

import numpy as np

from scripts.benches.talk.clips import ENDS, MIDDLES, OPENINGS, RATE, VOICES, at_15_db, clip, pink
from scripts.benches.talk.run import BEGIN, Call, Result, blind, knowing, percentile, run

ANSWER = "Yes, of course."  # 0.9 s
CYCLE = 4.2  # seconds from the end of a turn to the next one's begin
CALLS = 10
MISSED = 3.5  # seconds, before the next turn begins
SWEEP = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0)  # the setting `patience`


def turn_text(random: np.random.Generator) -> str:
    """Draw a sentence of some nine words."""
    return " ".join(random.choice(part) for part in (OPENINGS, MIDDLES, ENDS))


def calls_of(turns: int, *, is_blind: bool, seed: int) -> tuple[list[Call], list[list[tuple]]]:
    """Make the calls; and of each turn where it begins, its end, and its inner pauses."""
    random = np.random.default_rng(seed)
    calls, made = [], []
    for number in range(CALLS):
        call, spans, at = Call(0.0), [], BEGIN
        for turn in range(turns // CALLS):
            text, pauses = turn_text(random), {}
            if is_blind and turn % 2:
                places = random.choice(np.arange(1, 7), random.integers(1, 3), replace=False)
                pauses = {int(place): float(random.uniform(0.3, 0.9)) for place in places}
            said = clip(VOICES[number % 2], text, pauses)
            call.say(at, said.samples)
            call.told += blind(said, at, random) if is_blind else knowing(said, at)
            inner = [(at + said.words[n][2], at + said.words[n + 1][1]) for n in sorted(pauses)]
            spans.append((at, at + said.words[-1][2], inner))
            at += len(said.samples) + round(CYCLE * RATE)
        call.seconds = at / RATE
        if number % 2:
            call.noise = at_15_db(pink(20 * RATE, seed + number))
        calls.append(call)
        made.append(spans)
    return calls, made


def waits(results: list[Result], made: list[list[tuple]]) -> tuple[list[float], int]:
    """Give the waits in ms, and how many turns nobody answered."""
    found, missed = [], 0
    for result, spans in zip(results, made, strict=True):
        for _, end, _ in spans:
            left = result.left(end - 1)
            after = result.loud[(result.loud > left) & (result.loud < left + MISSED)]
            if len(after):
                found.append(1000 * float(after[0] - left))
            else:
                missed += 1
    return found, missed


def added(results: list[Result]) -> list[float]:
    """Give the ms from the later of commit and the voice's first sound to the packet's arrival."""
    found = []
    for result in results:
        ends = [event["voiced_until"] for event in result.of("speech_ended")]
        for event in result.of("turn_taken"):
            end = max(at for at in ends if at <= event["at"])
            ready = end + max(event["commit_ms"], event["voice_ms"]) / 1000
            loud = result.loud[result.loud > ready - 0.001]
            found += [1000 * float(loud[0] - ready)] if len(loud) else []
    return found


def cut_ins(results: list[Result], made: list[list[tuple]]) -> float:
    """Tell on how many of a hundred inner pauses the agent cut in."""
    cut, all_pauses = 0, 0
    for result, spans in zip(results, made, strict=True):
        for _, _, inner in spans:
            for begin, end in inner:
                all_pauses += 1
                since, until = result.left(begin), result.left(end) + 0.2
                cut += bool(((result.loud > since + 0.1) & (result.loud < until)).any())
    return round(100 * cut / all_pauses, 1) if all_pauses else 0.0


def decided(results: list[Result], what: str) -> int:
    """Count decisions."""
    return sum(e["decision"] == what for r in results for e in r.of("turn_decided"))


def main() -> None:
    """Run both recognizers and print the figures."""
    parser = argparse.ArgumentParser(prog="scripts/bench conversation", description=__doc__)
    parser.add_argument("--turns", type=int, default=200)
    parser.add_argument("--sweep", action="store_true", help="and the setting from 0.25 to 3")
    parser.add_argument("--detector", default="auto", help="silero, webrtc or energy")
    parser.add_argument("--seed", type=int, default=5)
    options = parser.parse_args()
    print(__doc__, flush=True)
    calls, made = calls_of(options.turns, is_blind=False, seed=options.seed)
    results = run(calls, ends_turns=True, detector=options.detector, answer=ANSWER)
    found, missed = waits(results, made)
    late = added(results)
    speculated = decided(results, "speculated")
    figures = {
        "eos_to_audio_p50_ms": percentile(found, 50), "eos_to_audio_p95_ms": percentile(found, 95),
        "eos_to_audio_max_ms": percentile(found, 100),
        "added_p50_ms": percentile(late, 50), "added_p95_ms": percentile(late, 95),
        "missed_turns": missed, "turns": len(found) + missed,
        "speculation_discarded_pct": round(
            100 * decided(results, "discarded") / max(1, speculated), 1),
    }  # fmt: skip
    print("knowing:", json.dumps(figures), flush=True)
    calls, made = calls_of(options.turns, is_blind=True, seed=options.seed)
    curve = []
    for patience in SWEEP if options.sweep else (1.0,):
        results = run(
            calls, ends_turns=False, detector=options.detector, answer=ANSWER, patience=patience
        )
        found, missed = waits(results, made)
        point = {
            "patience": patience, "blind_p50_ms": percentile(found, 50),
            "blind_p95_ms": percentile(found, 95), "cut_ins_pct": cut_ins(results, made),
            "blind_missed_turns": missed,
            "blind_speculation_discarded_pct": round(
                100 * decided(results, "discarded")
                / max(1, decided(results, "speculated")), 1),
        }  # fmt: skip
        curve.append(point)
        print("blind:", json.dumps(point), flush=True)
    one = next(point for point in curve if point["patience"] == 1.0)
    figures |= {name: value for name, value in one.items() if name != "patience"}
    print(json.dumps(figures | ({"curve": curve} if options.sweep else {})))


if __name__ == "__main__":
    main()
