"""Calls over a link that loses datagrams both ways: SIPp calls, and is called."""

import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.interop import sipp
from tests.interop.namespaces import lossy_host, needs_namespaces, within
from tests.interop.server import ROOT, Server

pytestmark = [pytest.mark.interop, sipp.needs_sipp, needs_namespaces]

# SIPp's own caps end an INVITE after 16 s and a BYE after 24 s: RFC 3261 has 64 T1 for both
RETRANSMISSIONS = ("-max_invite_retrans", "7", "-max_non_invite_retrans", "11")
LINGER_SECONDS = 35  # a little longer than any timer of a transaction (64 T1)
TALK_MS = 1300  # so that no BYE crosses a 200 that comes again, which SIPp takes for a fault
RATE = 20  # calls a second
MANY = 1000
LEAST = {100: 999, 200: 995}  # of so many calls, by how many of 1,000 datagrams are lost

shares = pytest.mark.parametrize(
    ("calls", "per_mille"),
    [
        pytest.param(30, 100),
        pytest.param(MANY, 100, marks=pytest.mark.long),
        pytest.param(MANY, 200, marks=pytest.mark.long),
    ],
)

OUTBOUND = """\
data = "{folder}/data"
agent_files = []
trunk_files = []
[[sip.listeners]]
transport = "UDP"
host = "127.0.0.1"
port = 5070
[media]
address = "127.0.0.1"
[trunks.carrier]
srtp = "off"
max_seconds = {seconds}
[trunks.carrier.outbound]
termination = "sip:127.0.0.1:5080"
caller_ids = ["+15550001111"]
"""


@shares
def test_calls_in(folder: Path, calls: int, per_mille: int) -> None:
    with lossy_host("opensip-loss-in", per_mille=per_mille):
        host = within("opensip-loss-in", [])
        server = Server(folder, within=host)
        work = folder / "sipp"
        try:
            baseline = server.live()
            process = sipp.start(
                work, "uac_lossy", f"127.0.0.1:{server.port}", "-s", "echo", "-r", str(RATE),
                "-m", str(calls), "-d", str(TALK_MS), *RETRANSMISSIONS, within=host,
            )  # fmt: skip
            counts = sipp.finish(process, work, seconds=120 + calls / RATE)
            check_counts(counts, calls, per_mille, work)
            records = server.wait_for_records(calls, LINGER_SECONDS)
            causes = Counter(record["ending"]["cause"] for record in records)
            assert causes["bye"] >= least(calls, per_mille), causes
            if calls == MANY:
                time.sleep(LINGER_SECONDS)
                assert alive(server.live()) == alive(baseline)
        finally:
            server.stop()


@shares
def test_calls_out(folder: Path, calls: int, per_mille: int) -> None:
    with lossy_host("opensip-loss-out", per_mille=per_mille):
        host = within("opensip-loss-out", [])
        work, linger = folder / "sipp", LINGER_SECONDS if calls == MANY else 4
        process = sipp.start(
            work, "uas_lossy", "127.0.0.1", "-p", "5080", "-m", str(calls),
            "-d", str(1000 * linger), *RETRANSMISSIONS, within=host,
        )  # fmt: skip
        try:
            told = dial(folder, calls, linger, host)
            counts = sipp.finish(process, work, seconds=LINGER_SECONDS)
        finally:
            process.kill()
            process.wait()
        check_counts(counts, calls, per_mille, work)
        print(told)
        assert told["outcomes"]["answered: maximum length"] >= least(calls, per_mille), told
        if calls == MANY:
            assert told["after"] == told["before"]


def dial(folder: Path, calls: int, linger: int, host: list[str]) -> dict[str, Any]:
    """Make the calls from a process on `host`, and return what it tells of them."""
    config = folder / "opensip.toml"
    config.write_text(OUTBOUND.format(folder=folder, seconds=TALK_MS / 1000))
    numbers = (str(calls), str(RATE), str(linger))
    done = subprocess.run(
        [*host, sys.executable, "-m", "tests.interop.dialler", str(config), "carrier", *numbers],
        capture_output=True, text=True, check=False, cwd=ROOT,
        timeout=120 + linger + calls / RATE,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    return dict(json.loads(done.stdout))


def least(calls: int, per_mille: int) -> int:
    """Tell how many calls must complete: of a few, all."""
    return LEAST[per_mille] if calls == MANY else calls


def check_counts(counts: dict[str, int], calls: int, per_mille: int, work: Path) -> None:
    """SIPp must have seen enough calls through, and some loss."""
    print(counts, sipp.errors(work))  # what was measured, with pytest -s
    assert counts["successful"] >= least(calls, per_mille), sipp.errors(work)
    assert counts["retransmissions"] > 0, "nothing was lost"


def alive(live: dict[str, Any]) -> dict[str, Any]:
    """The counts that must go back to where they were, once the last transaction is forgotten."""
    return {name: live[name] for name in ("dialogs", "transactions", "calls", "ports", "tasks")}
