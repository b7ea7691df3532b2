"""What a million forged datagrams cost: an engine with echo calls over SRTP, quiet and flooded.

Each round runs the same calls twice: alone, and while flood.py throws datagrams at their ports:
broken headers, payload types never offered, other sources, forged tags, replays. --ports 1 throws
all of them at the port of one call, and --rtcp at the ports of RTCP instead. CPU is the
process time of the subject, pinned to a core of its own; `core_pct` is what the flood adds, in
percent of one core, and `us_per_datagram` the same by datagram. `lost` are packets of the calls'
own that failed to come back: in the flooded runs less those in the quiet ones. `answers` is what
the flood ever got back. Medians of the rounds.
"""

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

from scripts.benches.media.parts import KEY, SUITE, WARM_UP, build, load_of, stop, subject
from scripts.benches.process import pinned, start, tell

FLOOD = Path(__file__).parent / "flood.py"


def measure(asked: argparse.Namespace, program: str, rate: int) -> tuple[float, dict, dict]:
    """Run once; returns CPU seconds a second, what the load heard, and what the flood did."""
    calls, seconds = asked.calls, asked.seconds
    command = subject("echo", calls, seconds, "asyncio", asked.engine)
    flooded = {"sent": 0, "answers": 0}
    with start(load_of(program, calls, "count")) as load, start([*pinned(0), *command]) as part:
        ports = tell(part, tell(load, ""))
        load.stdin.write(ports)
        load.stdin.flush()
        if rate:
            count = rate * (seconds + WARM_UP)
            targets = [int(port) + asked.rtcp for port in ports.split()[: asked.ports or None]]
            words = [SUITE, KEY, *map(str, (rate, count, *targets))]
            with start([*pinned(1), sys.executable, str(FLOOD), *words]) as flood:
                cpu = float(tell(part, "").split()[0])
                flooded = json.loads(flood.stdout.read())
        else:
            cpu = float(tell(part, "").split()[0])
        heard = stop(load)
    return cpu / seconds, heard, flooded


def main() -> None:
    """Measure in rounds and print the figures, last as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", default="native", choices=("native", "python"))
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--rate", type=int, default=35000, help="datagrams a second")
    parser.add_argument("--ports", type=int, default=0, help="that are flooded; 0: of all calls")
    parser.add_argument("--rtcp", action="store_true", help="flood the ports of RTCP")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    print(__doc__)
    quiet, loud, sent, answers, lost = [], [], 0, 0, 0
    with tempfile.TemporaryDirectory() as directory:
        program = build(Path(directory), "load")
        for number in range(asked.rounds):
            for rate, taken in ((0, quiet), (asked.rate, loud)):
                cpu, heard, flood = measure(asked, program, rate)
                taken.append(cpu)
                sent, answers = sent + flood["sent"], answers + flood["answers"]
                lost += heard["lost"] if rate else -heard["lost"]
                word = "flooded" if rate else "quiet"
                print(f"round {number + 1} {word}: {100 * cpu:.2f} % of a core, {heard} {flood}")
    report(asked, quiet, loud, {"datagrams": sent, "answers": answers, "lost": max(0, lost)})


def report(
    asked: argparse.Namespace, quiet: list[float], loud: list[float], counts: dict[str, int]
) -> None:
    """Print the last line."""
    added = statistics.median(loud) - statistics.median(quiet)
    figures = {
        "engine": asked.engine,
        "calls": asked.calls,
        "rate": asked.rate,
        "ports": asked.ports or asked.calls,
        "rtcp": asked.rtcp,
        "quiet_ms_per_call_s": round(1000 * statistics.median(quiet) / asked.calls, 3),
        "flooded_ms_per_call_s": round(1000 * statistics.median(loud) / asked.calls, 3),
        "core_pct": round(100 * added, 2),
        "us_per_datagram": round(1e6 * added / asked.rate, 2),
        **counts,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
