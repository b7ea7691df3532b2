"""What a call's signalling costs: `opensip serve` beside the floor of a bare UDP responder.

SIPp (uac.xml) makes calls over UDP, INVITE-100-180-200-ACK-BYE-200, without RTP and hung up at
once, each from another number. The subject is a whole server in its own process with an allowlist
trunk, E.164 numbers and the agent `echo`: each call is admitted, gets ports, a media stream and
an agent, is journalled message by message, logged, and leaves its record. The floor (floor.py) is
a Python process on the same event loop that answers the same scenario by string templates and
keeps nothing. Server and floor share core 0 in turn, SIPp has core 1. CPU is utime + stime of the
process and its children (/proc/PID/stat), less what the same process took while idle at the
start, over the time from SIPp's start to one second after its end. Medians over the rounds;
`cpu_us_per_call` is that of the dearer rate. `with_aftermath` divides all CPU by all calls, once
the last transaction has lingered its 32 s: it leaves nothing out. The data directory is in memory
where there is /dev/shm: ext4 steps around every inode that was deleted in the last five minutes,
so that on a disk each run would measure how many files the runs before it left (up to 1 ms for
each file made). `--data` takes another place.
"""

import argparse
import csv
import importlib.util
import json
import os
import shutil
import signal
import socket
import statistics
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
HOST = "127.0.0.1"
SETTLING = 1.0  # seconds that what a call leaves to do at once may take
LINGERING = 34.0  # seconds until its last transaction is forgotten: 64 T1 and a little
TICK = os.sysconf("SC_CLK_TCK")

CONFIG = """\
data = "{folder}/data"
agent_files = []
trunk_files = []

[[sip.listeners]]
transport = "UDP"
host = "{host}"
port = {port}

[media]
address = "{host}"
first_port = 20000
last_port = 59999

[trunks.allowlist]
networks = ["{host}/32"]
srtp = "off"
recording = "off"
[trunks.allowlist.numbers]
"+15552003000" = "echo"
"""


@dataclass(frozen=True, slots=True)
class Round:
    """What one run of SIPp found. `cpu` is in seconds."""

    cpu: float
    calls: int
    failed: int
    retransmissions: int


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

    def serve(self, rate: int, seconds: int) -> Round:
        """Let SIPp make its calls, and tell what they cost beyond idling."""
        started, cpu = time.monotonic(), self.cpu()
        calls, failed, retransmissions = run_sipp(self.port, rate, seconds)
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


def run_sipp(port: int, rate: int, seconds: int) -> tuple[int, int, int]:
    """Make `rate` calls a second; returns how many were made, failed, and retransmissions."""
    with tempfile.TemporaryDirectory() as folder:
        numbers = "".join(f"+1415{2000000 + n}\n" for n in range(10000))
        Path(folder, "callers.csv").write_text(f"SEQUENTIAL\n{numbers}")
        command = [
            *pinned(1), "sipp", f"{HOST}:{port}", "-sf", str(HERE / "uac.xml"), "-i", HOST,
            "-t", "u1", "-r", str(rate), "-m", str(rate * seconds), "-d", "0", "-nostdin",
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
    good, failed = int(last["SuccessfulCall(C)"]), int(last["FailedCall(C)"])
    return good + failed, failed, int(last["Retransmissions(C)"])


def pinned(core: int) -> list[str]:
    """Give the words that pin a command to a core, where there are two and taskset."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2 or not shutil.which("taskset"):
        return []
    return ["taskset", "-c", str(cores[core])]


def memory() -> str | None:
    """Give the directory that is kept in memory, None where there is none."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - names are ours


def free_port() -> int:
    """Find a UDP port that is free now, below those that the server takes for media."""
    for port in range(10000 + os.getpid() % 5000, 20000):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
        return port
    sys.exit("bench signalling: no free UDP port from 10000 to 19999")


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


@contextmanager
def subjects(folder: Path, loop: str, idle_seconds: float) -> Iterator[tuple[Subject, Subject]]:
    """Start floor and server, one after the other, each idle for a while first."""
    port = free_port()
    floor = [sys.executable, str(HERE / "floor.py"), HOST, str(port), loop]
    with started(floor, folder / "floor.log", "bound") as floor_process:
        floor_subject = Subject(floor_process, port, idle_seconds)
        port = free_port()
        config = folder / "opensip.toml"
        config.write_text(CONFIG.format(folder=folder, host=HOST, port=port))
        serve = [sys.executable, "-m", "opensip", "serve", "--config", str(config)]
        with started(serve, folder / "server.log", '"server_started"') as process:
            yield floor_subject, Subject(process, port, idle_seconds)


def main() -> None:
    """Run the rounds and print the medians."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench signalling", description="CPU of a call's signalling"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=10, help="of each measurement")
    parser.add_argument("--rates", type=int, nargs="+", default=[100, 200], help="calls a second")
    parser.add_argument("--data", type=Path, help="where the data directory is made")
    parser.add_argument("--no-aftermath", action="store_true", help="spare the last 34 s")
    options = parser.parse_args()
    if shutil.which("sipp") is None:
        sys.exit("bench signalling: SIPp is not installed: run scripts/setup")
    loop = "uvloop" if importlib.util.find_spec("uvloop") else "asyncio"
    print(f"{__doc__}\n{options.rounds} rounds of {options.seconds} s on {loop}.", flush=True)
    with (
        tempfile.TemporaryDirectory(dir=options.data or memory()) as name,
        subjects(Path(name), loop, options.seconds / 2) as (floor, server),
    ):
        measure(floor, server, Path(name), loop, options)


def measure(
    floor: Subject, server: Subject, folder: Path, loop: str, options: argparse.Namespace
) -> None:
    """Let floor and server take turns, and report."""
    began, cpu = time.monotonic(), server.cpu()
    taken: dict[tuple[str, int], list[Round]] = {}
    for number in range(1, options.rounds + 1):
        for rate in options.rates:
            for name, subject in (("floor", floor), ("opensip", server)):
                done = subject.serve(rate, options.seconds)
                taken.setdefault((name, rate), []).append(done)
                print(
                    f"round {number}: {name:7} {rate:4} calls/s: {_us(done):6.0f} us a call, "
                    f"{done.failed} failed, {done.retransmissions} retransmissions, "
                    f"load {os.getloadavg()[0]:.1f}",
                    flush=True,
                )
    ours = [done for (name, _), rounds in taken.items() for done in rounds if name == "opensip"]
    calls = sum(done.calls for done in ours)
    aftermath: dict[str, float] = {}
    if not options.no_aftermath:
        time.sleep(LINGERING)
        spent = server.cpu() - cpu - server.idle * (time.monotonic() - began)
        aftermath = {"with_aftermath": round(spent * 1e6 / calls)}
    records = len(list(folder.glob("data/calls/*.json")))
    if records != calls:
        sys.exit(f"bench signalling: {calls} calls left {records} records")
    report(taken, options, {**aftermath, "loop": loop})


def _us(done: Round) -> float:
    return done.cpu * 1e6 / done.calls


def report(
    taken: dict[tuple[str, int], list[Round]], options: argparse.Namespace, more: dict[str, object]
) -> None:
    """Print the last line."""
    by_rate = {}
    for rate in options.rates:
        cost, floor = (
            statistics.median(_us(done) for done in taken[name, rate])
            for name in ("opensip", "floor")
        )
        by_rate[str(rate)] = {
            "cpu_us_per_call": round(cost),
            "floor_us_per_call": round(floor),
            "ratio": round(cost / floor, 2),
        }
    dearest = max(by_rate.values(), key=lambda numbers: numbers["cpu_us_per_call"])
    ours = [done for (name, _), rounds in taken.items() for done in rounds if name == "opensip"]
    numbers = {
        **dearest,
        "calls_per_second_per_core": round(1e6 / dearest["cpu_us_per_call"]),
        "failed": sum(done.failed for done in ours),
        "retransmissions": sum(done.retransmissions for done in ours),
        "calls": sum(done.calls for done in ours),
        "rounds": options.rounds,
        **more,
        "by_rate": by_rate,
    }
    print(json.dumps(numbers))


if __name__ == "__main__":
    main()
