"""What a media second costs: our engines beside the floor of system calls and baresip, interleaved.

The load (load.c, on a core of its own) sends SRTP on N calls, 50 packets a second each, with a
voice that never stops: every level gate stays open, the dearest case. The subject (subject.py)
receives, unprotects, puts in order, decodes, measures the level, hands each tick's audio to an
echo, encodes, protects and sends; RTCP is on, recording off. `native_recording` is the same with
both sides of every call written to a file in memory. The floor (floor.c) receives and sends the
same packets as opaque bytes. Debian's baresip is called over SIP with the same keys, plays a tone
and plays what it hears to nobody. All run on the same core, one after the other, in rounds; CPU is
that of their own process after warming up. Medians over the rounds. The native engine hands its
batches to the same echo in Python; where it was not built, it is left out, as baresip is.
"""

import argparse
import importlib.util
import json
import statistics
import tempfile
from pathlib import Path

from opensip.media.engine_choice import native_missing
from scripts.benches.media.baresip import can_run, measure_baresip
from scripts.benches.media.parts import WARM_UP, build, measure, subject

HEADLINE = 100  # calls, of the figures that stand first


def main() -> None:
    """Run the rounds and print the medians."""
    parser = argparse.ArgumentParser(prog="scripts/bench media", description="CPU of the media")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5, help="of each measurement")
    parser.add_argument("--calls", type=int, nargs="+", default=[10, 50, 100, 200])
    options = parser.parse_args()
    loop = "uvloop" if importlib.util.find_spec("uvloop") else "asyncio"
    print(f"{__doc__}\n{options.rounds} rounds of {options.seconds} s on {loop}.")
    engines = ["native", "python"] if native_missing() is None else ["python"]
    names = ["floor", *engines]
    names += ["native_recording"] if "native" in engines else []
    names += ["baresip"] if can_run() else []
    taken: dict[tuple[str, int], list[float]] = {}
    with tempfile.TemporaryDirectory() as directory:
        programs = {name: build(Path(directory), name) for name in ("floor", "load")}
        for number in range(1, options.rounds + 1):
            for calls in options.calls:
                for name in names:
                    cost = cost_of(name, calls, options.seconds, loop, programs)
                    taken.setdefault((name, calls), []).append(cost)
                    print(
                        f"round {number}: {name:16} N={calls:3}: {cost:.3f} ms/call-s", flush=True
                    )
    report(taken, options.calls, names, loop)


def cost_of(name: str, calls: int, seconds: int, loop: str, programs: dict[str, str]) -> float:
    """Measure one part; gives ms of CPU for a second of a call."""
    load = programs["load"]
    if name == "baresip":
        return measure_baresip(calls, seconds, load)
    if name == "floor":
        command = [programs["floor"], str(calls), str(WARM_UP), str(seconds)]
    else:
        engine, _, job = name.partition("_")
        command = subject("record" if job else "echo", calls, seconds, loop, engine)
    return measure(command, calls, seconds, load)[0]


def report(
    taken: dict[tuple[str, int], list[float]], counts: list[int], names: list[str], loop: str
) -> None:
    """Print the last line."""
    median = {key: round(statistics.median(costs), 3) for key, costs in taken.items()}
    by_n = {}
    for n in counts:
        floor = max(median["floor", n], 1e-3)
        by_n[str(n)] = {f"{name}_ms_per_call_s": median[name, n] for name in names}
        by_n[str(n)] |= {f"{name}_ratio": round(median[name, n] / floor, 2) for name in names[1:3]}
    most = by_n[str(HEADLINE if HEADLINE in counts else max(counts))]
    print(json.dumps({**most, "by_n": by_n, "loop": loop}))


if __name__ == "__main__":
    main()
