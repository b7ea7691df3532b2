"""Runs one scenario of SIPp, which itself judges what it gets."""

import subprocess
from pathlib import Path

from tests.interop.scenarios.sipp_steps import scenario
from tests.interop.sipp import TRANSPORTS

LONGEST = 90  # seconds


def start(
    folder: Path, remote: str, *steps: str | list[str], transport: str = "UDP",
    options: tuple[str, ...] = (),
) -> "subprocess.Popen[bytes]":  # fmt: skip
    """Start SIPp with these steps, for one call."""
    (folder / "scenario.xml").write_text(scenario(*steps), encoding="utf-8")
    command = [
        "sipp", "-sf", "scenario.xml", remote, "-i", "127.0.0.1", "-t", TRANSPORTS[transport],
        "-m", "1", "-nostdin", "-timeout", str(LONGEST), "-timeout_error",
        "-trace_err", "-error_file", "errors.log", "-trace_msg", "-message_file", "messages.log",
        *options,
    ]  # fmt: skip
    with (folder / "screen.log").open("wb") as screen:
        return subprocess.Popen(command, cwd=folder, stdout=screen, stderr=subprocess.STDOUT)


def judge(process: "subprocess.Popen[bytes]", folder: Path) -> None:
    """Wait for SIPp's end; raises AssertionError that shows what it saw, if it is not content."""
    try:
        ended = process.wait(LONGEST + 5)
    finally:
        process.kill()
        process.wait()
    assert ended == 0, "\n".join(
        log.read_text(errors="replace")[-9000:]
        for log in (folder / "messages.log", folder / "errors.log")
        if log.exists()
    )
