"""What the media benchmarks share: the ends that are compiled, the subject, and one measurement."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from scripts.benches.process import ROOT, pinned, start, tell

HERE = Path(__file__).parent
ENGINE = ROOT / "opensip/media/csrc"
SUITE, KEY = "AES_CM_128_HMAC_SHA1_80", "6b" * 30
WARM_UP = 1  # seconds


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
