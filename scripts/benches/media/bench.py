"""What a media second costs: our engines beside the floor of system calls, interleaved.

The load (load.py, on a core of its own) sends SRTP on N calls, 50 packets a second each, with a
voice that never stops: every level gate stays open, the dearest case. The subject (subject.py)
receives, unprotects, puts in order, decodes, measures the level, hands each tick's audio to an
echo, encodes, protects and sends; RTCP is on, recording off. The floor (floor.c) receives and
sends the same packets as opaque bytes. All run on the same core, one after the other, in rounds;
CPU is that of their own process (getrusage), after warming up. Medians over the rounds. The
native engine hands its batches to the same echo in Python; where it was not built, it is left out.
"""

import argparse
import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from opensip.media.engine_choice import native_missing

HERE = Path(__file__).parent
SUITE, KEY = "AES_CM_128_HMAC_SHA1_80", "6b" * 30
WARM_UP = 1  # seconds
HEADLINE = 100  # calls, of the figures that stand first


def pinned(core: int) -> list[str]:
    """Give the words that pin a command to a core, where there are two and taskset."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2 or not shutil.which("taskset"):
        return []
    return ["taskset", "-c", str(cores[core])]


def build_floor(directory: Path) -> Path:
    """Compile the floor."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        sys.exit("bench media: no C compiler: run scripts/setup")
    program = directory / "floor"
    subprocess.run([compiler, "-O2", "-o", program, HERE / "floor.c"], check=True)
    return program


def start(command: list[str]) -> "subprocess.Popen[str]":
    """Start a part of the benchmark, which talks over its standard input and output."""
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def tell(process: "subprocess.Popen[str]", line: str) -> str:
    """Write a line to a process, if any, and read its next."""
    if line:
        process.stdin.write(line)
        process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        sys.exit(f"bench media: {process.args} ended too early")
    return answer


def measure(command: list[str], calls: int, seconds: int) -> float:
    """Run one part against the load; returns its CPU in ms per second and call."""
    load_command = [sys.executable, str(HERE / "load.py"), str(calls), SUITE, KEY]
    with start(pinned(1) + load_command) as load, start(pinned(0) + command) as part:
        ports = tell(part, tell(load, ""))
        load.stdin.write(ports)
        load.stdin.flush()
        cpu, received, sent = tell(part, "").split()
        load.stdin.close()
        load.stdout.read()
        wanted = 0.98 * calls * seconds * 50
        if min(int(received), int(sent)) < wanted:
            print(f"  only {received} received, {sent} sent: did not keep up", flush=True)
    return float(cpu) * 1000 / (calls * seconds)


def main() -> None:
    """Run the rounds and print the medians."""
    parser = argparse.ArgumentParser(prog="scripts/bench media", description="CPU of the media")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5, help="of each measurement")
    parser.add_argument("--calls", type=int, nargs="+", default=[10, 50, 100, 200])
    options = parser.parse_args()
    loop = "uvloop" if importlib.util.find_spec("uvloop") else "asyncio"
    print(f"{__doc__}\n{options.rounds} rounds of {options.seconds} s on {loop}, {SUITE}.")
    engines = ["native", "python"] if native_missing() is None else ["python"]
    taken: dict[tuple[str, int], list[float]] = {}
    with tempfile.TemporaryDirectory() as directory:
        floor = str(build_floor(Path(directory)))
        for number in range(1, options.rounds + 1):
            for calls in options.calls:
                times = [str(WARM_UP), str(options.seconds)]
                subject = [sys.executable, str(HERE / "subject.py"), str(calls), SUITE, KEY]
                parts = {"floor": [floor, str(calls), *times]}
                parts |= {name: [*subject, *times, loop, name] for name in engines}
                for name, command in parts.items():
                    cost = measure(command, calls, options.seconds)
                    taken.setdefault((name, calls), []).append(cost)
                    print(f"round {number}: {name:6} N={calls:3}: {cost:.3f} ms/call-s", flush=True)
    report(taken, options.calls, engines, loop)


def report(
    taken: dict[tuple[str, int], list[float]], counts: list[int], engines: list[str], loop: str
) -> None:
    """Print the last line."""
    median = {key: round(statistics.median(costs), 3) for key, costs in taken.items()}
    by_n = {}
    for n in counts:
        floor = median["floor", n]
        by_n[str(n)] = {f"{name}_ms_per_call_s": median[name, n] for name in (*engines, "floor")}
        by_n[str(n)] |= {
            f"{name}_ratio": round(median[name, n] / max(floor, 1e-3), 2) for name in engines
        }
    most = by_n[str(HEADLINE if HEADLINE in counts else max(counts))]
    print(json.dumps({**most, "by_n": by_n, "loop": loop}))


if __name__ == "__main__":
    main()
