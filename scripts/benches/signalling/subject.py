"""What the signalling benchmark measures: a process that answers SIP, and SIPp that calls it."""

import csv
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
CALLER = HERE / "uac.xml"
HOST = "127.0.0.1"
USER, PASSWORD = "sipp", "correct horse"
SETTLING = 1.0  # seconds that what a call leaves to do at once may take
TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Round:
    """What one run of SIPp found. `cpu` is in seconds."""

    cpu: float
    calls: int
    failed: int
    retransmissions: int

    @property
    def us(self) -> float:
        """Microseconds of processor time for one call."""
        return self.cpu * 1e6 / self.calls


class Subject:
    """A process that answers SIP on `port`; `idle` is the share of a core that it takes idle."""

    def __init__(self, process: "subprocess.Popen[str]", port: int, idle_seconds: float) -> None:
        self.port = port
        self._process = process
        time.sleep(SETTLING)
        started, cpu = time.monotonic(), self.cpu()
        time.sleep(idle_seconds)
        self.idle = (self.cpu() - cpu) / (time.monotonic() - started)

    def cpu(self) -> float:
        """Tell the processor time of the process and its children, in seconds."""
        return sum(_cpu_of(pid) for pid in (self._process.pid, *_children(self._process.pid)))

    def resident(self) -> int:
        """Tell the memory of the process that is not shared with a file, in KiB."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("RssAnon:")[2].split()[0])

    def serve(self, rate: int, seconds: float, scenario: Path = CALLER, local: str = HOST) -> Round:
        """Let SIPp make its calls, and tell what they cost beyond idling."""
        started, cpu = time.monotonic(), self.cpu()
        calls, failed, retransmissions = run_sipp(self.port, rate, seconds, scenario, local)
        time.sleep(SETTLING)
        spent = self.cpu() - cpu - self.idle * (time.monotonic() - started)
        return Round(spent, calls, failed, retransmissions)


def _cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return sum(int(field) for field in fields[11:15]) / TICK


def _children(pid: int) -> list[int]:
    found = []
    for told in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in told.read_text().split():
            found += [int(child), *_children(int(child))]
    return found


def run_sipp(
    port: int, rate: int, seconds: float, scenario: Path, local: str
) -> tuple[int, int, int]:
    """Make `rate` calls a second; returns how many were made, failed, and retransmissions."""
    with tempfile.TemporaryDirectory() as folder:
        numbers = "".join(f"+1415{2000000 + n}\n" for n in range(10000))
        Path(folder, "callers.csv").write_text(f"SEQUENTIAL\n{numbers}")
        command = [
            *pinned(1), "sipp", f"{HOST}:{port}", "-sf", str(scenario), "-i", local,
            "-t", "u1", "-r", str(rate), "-m", str(round(rate * seconds)), "-d", "0", "-nostdin",
            "-au", USER, "-ap", PASSWORD, "-auth_uri", f"+15552003000@{HOST}:{port}",
            "-inf", "callers.csv", "-trace_stat", "-stf", "stat.csv",
            "-trace_err", "-error_file", "errors.log",
        ]  # fmt: skip
        ended = subprocess.run(
            command,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=seconds * 3 + 60,
            check=False,
        )
        try:
            with Path(folder, "stat.csv").open() as stat:
                last = list(csv.DictReader(stat, delimiter=";"))[-1]
        except (OSError, IndexError):
            sys.exit(f"bench signalling: SIPp ended with {ended.returncode} and counted nothing")
        if (errors := Path(folder, "errors.log")).exists():
            print(errors.read_text(errors="replace")[:2000], file=sys.stderr)
    if not int(last["TotalCallCreated"]) or ended.returncode not in (0, 1):
        sys.exit(f"bench signalling: SIPp ended with {ended.returncode}")
    good, failed = int(last["SuccessfulCall(C)"]), int(last["FailedCall(C)"])
    return good + failed, failed, int(last["Retransmissions(C)"])


def pinned(core: int) -> list[str]:
    """Give the words that pin a command to a core, where there are two and taskset."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2 or not shutil.which("taskset"):
        return []
    return ["taskset", "-c", str(cores[core])]


@contextmanager
def started(command: list[str], log: Path, ready: str) -> "Iterator[subprocess.Popen[str]]":
    """Run a command until the end of the block, which begins once its log holds `ready`."""
    with log.open("w") as output:
        process = subprocess.Popen(
            pinned(0) + command, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT, text=True
        )
    try:
        end = time.monotonic() + 20
        while ready not in log.read_text(errors="replace"):
            if process.poll() is not None or time.monotonic() > end:
                sys.exit(f"bench signalling: {command} did not start:\n{log.read_text()}")
            time.sleep(0.05)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
