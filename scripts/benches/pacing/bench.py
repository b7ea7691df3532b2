"""How late packets leave while Python is busy, or stands still: our engines beside the floor.

Each call has its audio written ahead; then the main thread computes without end (busy), or sleeps
a second at a time without giving way (blocked). The receiver, on a core of its own, takes the
kernel's time of each packet. Late is a packet by what it came after its place in the row; a tick
is missed for each 20 ms in which a call's packet should have come and did not. The floor
(../media/floor.c) has no Python: it runs beside a process that is as busy. Interleaved in rounds;
medians. `p99_late_ms` is the native engine's p99 less the floor's, the worse of both modes.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from opensip.media.engine_choice import native_missing
from scripts.benches.media.parts import build
from scripts.benches.process import pinned, start, tell

HERE = Path(__file__).parent
MODES = ("busy", "blocked")
WARM_UP = 0


def steal_and_all() -> tuple[int, int]:
    """Tell the processor time that the host took, and all there was."""
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n")[0].split()[1:]]
    return fields[7], sum(fields[:8])


def subject(engine: str, mode: str, seconds: int) -> list[str]:
    """Give the words that start the subject."""
    return [*pinned(0), sys.executable, str(HERE / "subject.py"), engine, mode, str(seconds)]


def measure(part: str, mode: str, calls: int, seconds: int, floor: Path) -> dict:
    """Run one part against the receiver; returns what that heard."""
    with start([*pinned(1), sys.executable, str(HERE / "receiver.py"), str(calls)]) as receiver:
        ports = tell(receiver, "")
        if part == "floor":
            with start(subject("none", mode, seconds)) as busy:
                busy.stdin.write(ports)
                busy.stdin.flush()
                command = [*pinned(0), str(floor), str(calls), str(WARM_UP), str(seconds)]
                subprocess.run(command, input=ports, text=True, check=True, capture_output=True)
        else:
            with start(subject(part, mode, seconds)) as process:
                process.stdin.write(ports)
                process.stdin.flush()
                process.wait()
        receiver.stdin.close()
        return dict(json.loads(receiver.stdout.readline()))


def report(taken: dict[tuple[str, str], list[dict]], parts: list[str], steal: float) -> None:
    """Print the last line."""
    by_mode = {}
    for mode in MODES:
        row = {}
        for part in parts:
            heard = taken[part, mode]
            row[f"{part}_p99_ms"] = statistics.median(one["late_ms"]["p99"] for one in heard)
            row[f"{part}_missed"] = statistics.median(one["missed"] for one in heard)
        by_mode[mode] = row
    main = "native" if "native" in parts else "python"

    def worst(part: str) -> float:
        excess = (row[f"{part}_p99_ms"] - row["floor_p99_ms"] for row in by_mode.values())
        return round(max(0.0, *excess), 3)

    numbers = {
        "p99_late_ms": worst(main),
        "missed_ticks": max(row[f"{main}_missed"] for row in by_mode.values()),
        "floor_missed_ticks": max(row["floor_missed"] for row in by_mode.values()),
        "python_p99_late_ms": worst("python"),
        "steal_pct": round(steal, 2),
    }
    print(json.dumps({**numbers, "engine": main, "by_mode": by_mode}))


def main() -> None:
    """Run the rounds and print the medians."""
    parser = argparse.ArgumentParser(prog="scripts/bench pacing", description="lateness of packets")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5, help="of each measurement")
    parser.add_argument("--calls", type=int, default=100)
    options = parser.parse_args()
    print(f"{__doc__}\n{options.rounds} rounds of {options.seconds} s, {options.calls} calls.")
    parts = ["floor", "native", "python"] if native_missing() is None else ["floor", "python"]
    taken: dict[tuple[str, str], list[dict]] = {}
    steal, total = steal_and_all()
    with tempfile.TemporaryDirectory() as directory:
        floor = build(Path(directory), "floor")
        for number in range(1, options.rounds + 1):
            for mode in MODES:
                for part in parts:
                    heard = measure(part, mode, options.calls, options.seconds, floor)
                    taken.setdefault((part, mode), []).append(heard)
                    late = heard["late_ms"]
                    print(
                        f"round {number}: {mode:7} {part:6}: p50 {late['p50']:7.2f} ms, "
                        f"p99 {late['p99']:7.2f} ms, {heard['missed']} ticks missed",
                        flush=True,
                    )
    now, all_now = steal_and_all()
    report(taken, parts, 100 * (now - steal) / max(all_now - total, 1))


if __name__ == "__main__":
    main()
