"""What the media benchmarks share: pinned processes that talk over pipes, and compiled ends."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ENGINE = HERE.parents[2] / "opensip/media/csrc"
SUITE, KEY = "AES_CM_128_HMAC_SHA1_80", "6b" * 30
WARM_UP = 1  # seconds


def pinned(core: int) -> list[str]:
    """Give the words that pin a command to a core, where there are two and taskset."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2 or not shutil.which("taskset"):
        return []
    return ["taskset", "-c", str(cores[core])]


def build(directory: Path, name: str) -> str:
    """Compile floor.c or load.c, which speaks SRTP as the engine does; gives the program."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        sys.exit("bench: no C compiler: run scripts/setup")
    program = directory / name
    srtp = [ENGINE / f"{part}.c" for part in ("srtp", "srtp_cipher", "rtp")]
    more = [*srtp, f"-I{ENGINE}", "-lcrypto"] if name == "load" else []
    command = [compiler, "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-o", program, HERE / f"{name}.c"]
    subprocess.run([*command, *more], check=True)
    return str(program)


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
        sys.exit(f"bench: {process.args} ended too early")
    return answer


def stop(load: "subprocess.Popen[str]") -> dict:
    """End a load, and read what it counted."""
    load.stdin.close()
    return dict(json.loads(load.stdout.read()))


def subject(job: str, calls: int, seconds: int, loop: str, engine: str) -> list[str]:
    """Give the words that start subject.py."""
    words = [calls, SUITE, KEY, WARM_UP, seconds, loop, engine, job]
    return [sys.executable, str(HERE / "subject.py"), *map(str, words)]


def load_of(program: str, calls: int, mode: str) -> list[str]:
    """Give the words that start the load."""
    return [*pinned(1), program, str(calls), SUITE, KEY, mode]


def measure(
    command: list[str], calls: int, seconds: int, load_program: str, mode: str = "count"
) -> tuple[float, dict]:
    """Run one part against the load; returns its ms of CPU per second and call, and what came."""
    with start(load_of(load_program, calls, mode)) as load, start(pinned(0) + command) as part:
        ports = tell(part, tell(load, ""))
        load.stdin.write(ports)
        load.stdin.flush()
        cpu, received, sent = tell(part, "").split()
        heard = stop(load)
        wanted = 0.98 * calls * seconds * 50
        if min(int(received), int(sent)) < wanted:
            print(f"  only {received} received, {sent} sent: did not keep up", flush=True)
    return float(cpu) * 1000 / (calls * seconds), heard
