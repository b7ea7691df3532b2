"""What the signalling benchmark measures: a process that answers SIP, and SIPp that calls it."""

import csv
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from scripts.benches.process import HOST, cpu_seconds_of_all, pinned, resident
from scripts.benches.server import NUMBER

HERE = Path(__file__).parent
CALLER = HERE / "uac.xml"
USER, PASSWORD = "sipp", "correct horse"
SETTLING = 1.0  # seconds that what a call leaves to do at once may take


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

    def __init__(self, pid: int, port: int, idle_seconds: float) -> None:
        self.port = port
        self._pid = pid
        time.sleep(SETTLING)
        started, cpu = time.monotonic(), self.cpu()
        time.sleep(idle_seconds)
        self.idle = (self.cpu() - cpu) / (time.monotonic() - started)

    def cpu(self) -> float:
        """Tell the processor time of the process and its children, in seconds."""
        return cpu_seconds_of_all(self._pid)

    def resident(self) -> int:
        """Tell the memory of the process that is not shared with a file, in KiB."""
        return resident(self._pid)

    def serve(self, rate: int, seconds: float, scenario: Path = CALLER, local: str = HOST) -> Round:
        """Let SIPp make its calls, and tell what they cost beyond idling."""
        started, cpu = time.monotonic(), self.cpu()
        calls, failed, retransmissions = run_sipp(self.port, rate, seconds, scenario, local)
        time.sleep(SETTLING)
        spent = self.cpu() - cpu - self.idle * (time.monotonic() - started)
        return Round(spent, calls, failed, retransmissions)


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
            "-au", USER, "-ap", PASSWORD, "-auth_uri", f"{NUMBER}@{HOST}:{port}",
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
