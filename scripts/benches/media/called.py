"""A process that answers SIP, with many calls under the load at once."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.benches.media.callers import Callers
from scripts.benches.media.parts import KEY, SUITE, WARM_UP, load_of, pinned, start, stop, tell

HOST, NUMBER = "127.0.0.1", "+15552003000"
STARTING = 20.0  # seconds that a process may take
RATE = 40.0  # calls a second that are placed
ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True)
class Done:
    """What a run found. `cpu` is in seconds, memory in KiB, `heard` what the load counted."""

    cpu: float
    at_rest: int
    in_calls: int
    heard: dict


def free_port() -> int:
    """Find a UDP port that is free now, below those of media."""
    for port in range(10000 + os.getpid() % 5000, 20000):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
        return port
    sys.exit("bench: no free UDP port from 10000 to 19999")


def cpu_seconds(pid: int) -> float:
    """Tell the processor time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return sum(int(field) for field in fields[11:13]) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> int:
    """Tell the memory of a process that is not shared with a file, in KiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("RssAnon:")[2].split()[0])


@contextmanager
def serving(command: list[str], log: Path, ready: str) -> Iterator[int]:
    """Run a command until the end of the block, which begins once its log holds `ready`."""
    with log.open("w") as output:
        process = subprocess.Popen(
            pinned(0) + command, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT
        )
    try:
        end = time.monotonic() + STARTING
        while ready not in log.read_text(errors="replace"):
            if process.poll() is not None or time.monotonic() > end:
                sys.exit(f"bench: {command} did not start:\n{log.read_text()}")
            time.sleep(0.05)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def under_load(pid: int, port: int, *, calls: int, seconds: float, load_program: str) -> Done:
    """Place the calls, let the load speak on them, and hang up."""
    return asyncio.run(_under_load(pid, port, calls, seconds, load_program))


async def _under_load(pid: int, port: int, calls: int, seconds: float, load_program: str) -> Done:
    callers = Callers(f"sip:{NUMBER}@{HOST}", port, SUITE, KEY)
    await callers.open()
    at_rest = resident(pid)
    with start(load_of(load_program, calls, "count")) as load:
        ours = [int(word) for word in tell(load, "").split()]
        theirs = []
        for number, rtp in enumerate(ours):
            theirs.append(await callers.call(number, rtp))
            await asyncio.sleep(1 / RATE)
        load.stdin.write(" ".join(map(str, theirs)) + "\n")
        load.stdin.flush()
        await asyncio.sleep(WARM_UP)
        cpu = cpu_seconds(pid)
        await asyncio.sleep(seconds)
        cpu = cpu_seconds(pid) - cpu
        in_calls = resident(pid)
        heard = await asyncio.to_thread(stop, load)
    await callers.hang_up()
    callers.close()
    return Done(cpu, at_rest, in_calls, heard)
