"""What two callers joined by us cost, and how late they hear each other, beside an echo.

The load (../media/load.c, on a core of its own) sends SRTP on both legs of every pair, 50 packets
a second each, spread over the 20 ms and with a voice that never stops, and times each frame from
before it is sent to when the kernel has it at the other leg's peer. The subject
(../media/subject.py) joins the legs within the engine: unprotected, played out through an adaptive
buffer, encoded, protected, paced; RTCP is on, nothing is recorded. The echo is the same engine
with as many calls, whose sound goes through Python. Interleaved in rounds; CPU is that of the
subject's process (getrusage) after warming up; medians. A frame waits for the next tick, 0 to
20 ms, and 2 ms for those that may be later: `delay_ms_p95` is of all frames of all pairs.
"""

import argparse
import importlib.util
import json
import os
import statistics
import tempfile
from pathlib import Path

from opensip.media.engine_choice import native_missing
from scripts.benches.media.parts import build, measure, subject


def main() -> None:
    """Run the rounds and print the medians."""
    parser = argparse.ArgumentParser(prog="scripts/bench bridge", description="two callers joined")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5, help="of each measurement")
    parser.add_argument("--pairs", type=int, default=200)
    options = parser.parse_args()
    loop = "uvloop" if importlib.util.find_spec("uvloop") else "asyncio"
    engine = "native" if native_missing() is None else "python"
    legs = 2 * options.pairs
    print(f"{__doc__}\n{options.rounds} rounds of {options.seconds} s, {engine} engine on {loop}.")
    taken: dict[str, list[tuple[float, dict]]] = {"bridge": [], "echo": []}
    with tempfile.TemporaryDirectory() as directory:
        load = build(Path(directory), "load")
        for number in range(1, options.rounds + 1):
            for job, rounds in taken.items():
                command = subject(job, legs, options.seconds, loop, engine)
                rounds.append(measure(command, legs, options.seconds, load, job))
                cost, heard = rounds[-1]
                print(
                    f"round {number}: {job:6} {cost:.3f} ms/leg-s, delay p50 {heard['p50_ms']} "
                    f"p95 {heard['p95_ms']} p99 {heard['p99_ms']} ms, {heard['lost']} lost, "
                    f"load {os.getloadavg()[0]:.1f}",
                    flush=True,
                )
    report(taken, options.pairs, engine, loop)


def report(taken: dict[str, list[tuple[float, dict]]], pairs: int, engine: str, loop: str) -> None:
    """Print the last line."""

    def median(job: str, key: str) -> float:
        return statistics.median(heard[key] for _, heard in taken[job])

    cost = {job: statistics.median(cost for cost, _ in rounds) for job, rounds in taken.items()}
    numbers = {
        "ms_per_leg_s": round(cost["bridge"], 3),
        "echo_ms_per_call_s": round(cost["echo"], 3),
        "delay_ms_p95": median("bridge", "p95_ms"),
        "delay_ms_p50": median("bridge", "p50_ms"),
        "delay_ms_p99": median("bridge", "p99_ms"),
        "lost": max(heard["lost"] for _, heard in taken["bridge"]),
        "pairs": pairs,
        "engine": engine,
        "loop": loop,
    }
    print(json.dumps(numbers))


if __name__ == "__main__":
    main()
