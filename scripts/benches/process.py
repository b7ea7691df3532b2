"""The processes that benchmarks measure: started, pinned to a core, spoken to, and told apart."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOST = "127.0.0.1"
STARTING = 20.0  # seconds that a process may take
ENDING = 30.0  # seconds until it is killed; records and recordings are closed in it
TICK = os.sysconf("SC_CLK_TCK")
PORTS = range(10_000, 20_000)  # below those that the servers take for media


def memory() -> str | None:
    """Give the directory that is kept in memory, None where there is none."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - names are ours


def free_port(transport: str = "UDP", *, beside: Collection[int] = ()) -> int:
    """Find a port of HOST that is free now, below those of media and not of `beside`."""
    kind = socket.SOCK_DGRAM if transport == "UDP" else socket.SOCK_STREAM
    for port in range(PORTS.start + os.getpid() % 5000, PORTS.stop):
        with socket.socket(socket.AF_INET, kind) as probe:
            if port in beside:
                continue
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
        return port
    sys.exit(f"bench: no free {transport} port from {PORTS.start} to {PORTS.stop - 1}")


def pinned(core: int) -> list[str]:
    """Give the words that pin a command to a core, where there are two and taskset."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2 or not shutil.which("taskset"):
        return []
    return ["taskset", "-c", str(cores[core])]


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


@contextmanager
def serving(command: list[str], log: Path, ready: str) -> Iterator[int]:
    """Run a command until the end of the block, which begins once its log holds `ready`."""
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT)
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
            process.wait(ENDING)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def cpu_seconds(pid: int) -> float:
    """Tell the processor time of a process, without its children."""
    return sum(_times(pid)[:2]) / TICK


def cpu_seconds_of_all(pid: int) -> float:
    """Tell the processor time of a process and its children, those that have ended among them."""
    return sum(sum(_times(one)) for one in (pid, *_children(pid))) / TICK


def resident(pid: int) -> int:
    """Tell the memory of a process that is not shared with a file, in KiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("RssAnon:")[2].split()[0])


def _times(pid: int) -> list[int]:
    """Give utime, stime, cutime and cstime in ticks: proc(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return [int(field) for field in fields[11:15]]


def _children(pid: int) -> list[int]:
    found = []
    for told in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in told.read_text().split():
            found += [int(child), *_children(int(child))]
    return found
