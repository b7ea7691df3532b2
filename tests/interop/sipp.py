"""Runs Debian's SIPp, and reads its own count of what it did."""

import csv
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

SCENARIOS = Path(__file__).parents[2] / "scripts/sipp"
TRANSPORTS = {"UDP": "u1", "TCP": "t1"}

needs_sipp = pytest.mark.skipif(
    shutil.which("sipp") is None, reason="SIPp is not installed: run scripts/setup"
)


def start(
    folder: Path,
    scenario: str,
    remote: str,
    *options: str,
    local: str = "127.0.0.1",
    transport: str = "UDP",
    within: Sequence[str] = (),
) -> "subprocess.Popen[bytes]":
    """Start SIPp with a scenario of scripts/sipp; its statistics go to `folder`/stat.csv."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        *within, "sipp", "-sf", str(SCENARIOS / f"{scenario}.xml"), remote, "-i", local,
        "-t", TRANSPORTS[transport], "-nostdin", "-trace_err", "-error_file", "errors.log",
        "-trace_stat", "-stf", "stat.csv", *options,
    ]  # fmt: skip
    screen = (folder / "screen.log").open("wb")
    with screen:
        return subprocess.Popen(command, cwd=folder, stdout=screen, stderr=subprocess.STDOUT)


def finish(process: "subprocess.Popen[bytes]", folder: Path, seconds: float) -> dict[str, int]:
    """Wait for SIPp's end, and return its last cumulative counts."""
    try:
        process.wait(seconds)
    finally:
        process.kill()
        process.wait()
    with (folder / "stat.csv").open() as stat:
        last = list(csv.DictReader(stat, delimiter=";"))[-1]
    return {
        "successful": int(last["SuccessfulCall(C)"]),
        "failed": int(last["FailedCall(C)"]),
        "retransmissions": int(last["Retransmissions(C)"]),
    }


def errors(folder: Path) -> str:
    """What SIPp complained of."""
    log = folder / "errors.log"
    return log.read_text(errors="replace")[-4000:] if log.exists() else ""
