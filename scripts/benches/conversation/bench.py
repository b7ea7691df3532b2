"""How long a caller waits for an answer, and how often one is cut in on; and pipecat's callers.

The caller (talk/caller.py, a process of its own) sends SRTP at 20 ms on loopback and measures
there: from the packet that holds the last sample of speech to our first packet with sound. Our
side (talk/subject.py) is an agent of a model on our own engine, with the voice activity of
--detector and providers with exact delays: 150 ms to the first token, 100 ms to the first sound.
Clips are words of flite, their ends known to the sample. Recognizers are fed by the audio that
arrives: *knowing* tells each word 100 ms after it ends, and 100 ms after the last one that the
turn is over; *blind* tells each word, and finals 100 ms after every silence of 300 ms, with a
full stop after 95 % of true ends and 5 % of inner pauses, picked evenly from a seed; half of its
turns have one or two pauses of 0.3 to 0.9 s. Half of the calls are clean, half have pink noise at
15 dB. `added` counts from the later of the commit and the voice's first sound. A turn is missed
when nothing is heard 4.1 s after it. An inner pause is cut in on when sound comes before the caller
goes on, or just after.

The peer, keys with `pipecat_`: pipecat-ai 1.14.0 behind its Bandwidth serializer
(talk/pipecat_bot.py: two processes, the same fakes), its caller a carrier that plays what comes
from the moment it comes (talk/carrier.py), without SRTP, packets and a buffer of its own, which a
real one adds. It gets the first --pipecat-turns turns of the same calls. Its settings are its
defaults: Silero for 0.2 s, and with the blind recognizer smart-turn v3.2, whose model judges a
melody that flite's words one by one do not have; with the knowing one the strategy that it has for
recognizers that tell ends of turns. --sweep draws cut-ins against the wait: ours by `patience`,
its by the silence after which a turn ends (voice activity 0.2 s and SpeechTimeout the rest).
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from scripts.benches.conversation.picture import draw
from scripts.benches.conversation.score import (
    Point,
    Turn,
    added,
    added_by_peer,
    cut_ins,
    discarded,
    point,
    waits,
)  # fmt: skip
from scripts.benches.talk.clips import ENDS, MIDDLES, OPENINGS, RATE, VOICES, at_15_db, clip, pink
from scripts.benches.talk.run import (
    BEGIN,
    PIPECAT,
    Blind,
    Call,
    Result,
    knowing,
    percentile,
    run,
    run_pipecat,
)  # fmt: skip

ANSWER = "Yes, of course."  # 0.9 s
CYCLE = 4.2  # seconds from the end of a turn to the next one's begin
CALLS = 10
PATIENCE = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)  # all that the setting may be
SILENCE = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)  # seconds
AT_ONCE = 2  # runs of the sweep on our side: ten calls take little of a core


def turn_text(random: np.random.Generator) -> str:
    """Draw a sentence of some nine words."""
    return " ".join(random.choice(part) for part in (OPENINGS, MIDDLES, ENDS))


def calls_of(turns: int, *, is_blind: bool, seed: int) -> tuple[list[Call], list[list[Turn]]]:
    """Make the calls and their turns; those of fewer turns are the beginnings of longer ones."""
    calls, made = [], []
    first = float(np.random.default_rng(seed).random())
    for number in range(CALLS):
        recognizer = Blind(first + number / CALLS)
        random = np.random.default_rng((seed, number))
        call, spans, at = Call(0.0), [], BEGIN
        for turn in range(turns // CALLS):
            text, pauses = turn_text(random), {}
            if is_blind and turn % 2:
                places = random.choice(np.arange(1, 7), random.integers(1, 3), replace=False)
                pauses = {int(place): float(random.uniform(0.3, 0.9)) for place in places}
            said = clip(VOICES[number % 2], text, pauses)
            call.say(at, said.samples)
            call.told += recognizer.tells(said, at) if is_blind else knowing(said, at)
            inner = [(at + said.words[n][2], at + said.words[n + 1][1]) for n in sorted(pauses)]
            spans.append((at, at + said.words[-1][2], inner))
            at += len(said.samples) + round(CYCLE * RATE)
        call.seconds = at / RATE
        if number % 2:
            call.noise = at_15_db(pink(20 * RATE, seed + number))
        calls.append(call)
        made.append(spans)
    return calls, made


def knowing_figures(
    results: Sequence[Result], made: Sequence[Sequence[Turn]], late: list[float]
) -> dict[str, float]:
    """Sum up a run with the knowing recognizer."""
    found, missed = waits(results, made)
    noisy, _ = waits(results[1::2], made[1::2])
    return {
        "eos_to_audio_p50_ms": percentile(found, 50), "eos_to_audio_p95_ms": percentile(found, 95),
        "eos_to_audio_max_ms": percentile(found, 100),
        "noisy_eos_to_audio_p50_ms": percentile(noisy, 50),
        "noisy_eos_to_audio_p95_ms": percentile(noisy, 95),
        "added_p50_ms": percentile(late, 50), "added_p95_ms": percentile(late, 95),
        "missed_turns": missed, "turns": len(found) + missed,
    }  # fmt: skip


def blind_figures(results: Sequence[Result], made: Sequence[Sequence[Turn]]) -> dict[str, float]:
    """Sum up a run with the blind recognizer."""
    found, missed = waits(results, made)
    noisy, _ = waits(results[1::2], made[1::2])
    return {
        "blind_p50_ms": percentile(found, 50), "blind_p95_ms": percentile(found, 95),
        "blind_mean_ms": round(float(np.mean(found)), 1),
        "noisy_blind_p50_ms": percentile(noisy, 50), "noisy_blind_p95_ms": percentile(noisy, 95),
        "cut_ins_pct": cut_ins(results, made),
        "noisy_cut_ins_pct": cut_ins(results[1::2], made[1::2]),
        "blind_missed_turns": missed, "blind_turns": len(found) + missed,
    }  # fmt: skip


def ours(turns: int, detector: str, seed: int) -> dict[str, float]:
    """Run our side with both recognizers."""
    calls, made = calls_of(turns, is_blind=False, seed=seed)
    results = run(calls, ends_turns=True, detector=detector, answer=ANSWER)
    figures = knowing_figures(results, made, added(results))
    figures |= {"speculation_discarded_pct": discarded(results)}
    print("knowing:", json.dumps(figures), flush=True)
    calls, made = calls_of(turns, is_blind=True, seed=seed)
    results = run(calls, ends_turns=False, detector=detector, answer=ANSWER)
    found = blind_figures(results, made)
    found |= {"blind_speculation_discarded_pct": discarded(results)}
    print("blind:", json.dumps(found), flush=True)
    return figures | found


def peers(turns: int, seed: int) -> dict[str, float]:
    """Run the peer with both recognizers."""
    calls, made = calls_of(turns, is_blind=False, seed=seed)
    results = run_pipecat(calls, answer=ANSWER, stop="service")
    figures = knowing_figures(results, made, added_by_peer(results))
    print("knowing, pipecat:", json.dumps(figures), flush=True)
    calls, made = calls_of(turns, is_blind=True, seed=seed)
    found = blind_figures(run_pipecat(calls, answer=ANSWER, stop="smart"), made)
    print("blind, pipecat:", json.dumps(found), flush=True)
    return {f"pipecat_{name}": value for name, value in (figures | found).items()}


def sweep(turns: int, detector: str, seed: int, *, alone: bool) -> Iterator[Point]:
    """Run the blind recognizer with each setting of both sides."""
    calls, made = calls_of(turns, is_blind=True, seed=seed)

    def one(patience: float) -> Point:
        results = run(calls, ends_turns=False, detector=detector, answer=ANSWER, patience=patience)
        return point("opensip by `patience`", f"{patience:g}", results, made)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(one, PATIENCE)
    for silence in () if alone else SILENCE:
        results = run_pipecat(calls, answer=ANSWER, stop="silence", silence=silence)
        yield point("pipecat by silence", f"{silence:g} s", results, made)
    if not alone:
        results = run_pipecat(calls, answer=ANSWER, stop="smart")
        yield point("pipecat, its default", "smart-turn", results, made)


def show(points: Sequence[Point]) -> None:
    """Print the table, and where each point of the peer is beaten."""
    print(f"{'':24}{'setting':>12}{'cut-ins %':>11}{'mean ms':>9}{'p50':>7}{'p95':>7}{'missed':>8}")
    for one in points:
        beaten = [other.setting for other in points if "patience" in other.side
                  and "patience" not in one.side and other.beats(one)]  # fmt: skip
        print(
            f"{one.side:24}{one.setting:>12}{one.cut_ins:11.1f}{one.mean:9.0f}{one.median:7.0f}"
            f"{one.p95:7.0f}{one.missed:8}"
            + (f"  beaten by patience {', '.join(beaten)}" if beaten else "")
        )


def main() -> None:
    """Run both sides with both recognizers and print the figures."""
    parser = argparse.ArgumentParser(prog="scripts/bench conversation", description=__doc__)
    parser.add_argument("--turns", type=int, default=200)
    parser.add_argument("--pipecat-turns", type=int, default=100, help="0 leaves the peer out")
    parser.add_argument("--sweep", nargs="?", const="data/conversation.svg", metavar="SVG",
                        help="and draw the settings of both sides: 25 minutes")  # fmt: skip
    parser.add_argument("--sweep-turns", type=int, default=100)
    parser.add_argument("--detector", default="auto", help="silero, webrtc or energy")
    parser.add_argument("--seed", type=int, default=5)
    options = parser.parse_args()
    if options.pipecat_turns and not PIPECAT.exists():
        sys.exit(f"bench: no pipecat in {PIPECAT}: run scripts/setup --all, or --pipecat-turns 0")
    print(__doc__, flush=True)
    figures = ours(options.turns, options.detector, options.seed)
    if options.pipecat_turns:
        figures |= peers(options.pipecat_turns, options.seed)
    if options.sweep:
        alone = not options.pipecat_turns
        points = list(sweep(options.sweep_turns, options.detector, options.seed, alone=alone))
        show(points)
        path = Path(options.sweep)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(draw(points))
        print(f"picture: {path}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
