"""A thousand calls at once in one server, with everything that a call has but a recording.

`opensip serve` with an allowlist trunk and the agent `echo` runs on one core. On the other the
callers (../media/callers.py) place the calls over UDP, 40 a second, with SDES; then the load
(../media/load.c) speaks SRTP on all of them, 50 packets a second each, with voices that never
stop, and counts what comes back. `lost` is what the load sent and no record of a call counts as
received, and the gaps in what came back. `mb_per_call` is by how much the server's own memory
(RssAnon) has grown from before the first call to the end of the load. The soft limit of open
files is set to 1024 before: the server raises it itself.
"""

import argparse
import json
import os
import resource
import tempfile
import time
from pathlib import Path

from opensip.media.engine_choice import native_missing
from opensip.server.open_files import raise_limit
from scripts.benches.media.called import under_load
from scripts.benches.media.parts import build
from scripts.benches.process import free_port, memory
from scripts.benches.server import configure, opensip

PATIENT = "first_timeout = 600\nsilence_timeout = 600\n"
FEW_FILES = 1024  # as a shell has them


def main() -> None:
    """Place the calls, and print the counts."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench thousand", description="many calls at once"
    )
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=20, help="of the load")
    options = parser.parse_args()
    print(f"{__doc__}\n{options.calls} calls, {options.seconds} s of load.", flush=True)
    with tempfile.TemporaryDirectory(dir=memory()) as name:
        report(options.calls, options.seconds, Path(name))


def report(calls: int, seconds: int, folder: Path) -> None:
    """Run it, and print the last line."""
    port = free_port()
    config = configure(folder, {"UDP": port}, srtp="required", trunk=PATIENT)
    load = build(folder, "load")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FEW_FILES, hard), hard))
    with opensip(config) as pid:
        raise_limit()  # ours, for the load
        done = under_load(pid, port, calls=calls, seconds=seconds, load_program=load)
        records = wait_for_records(folder / "data/calls", calls)
    counts = [record["media"] for record in records]
    arrived = sum(one["received"] for one in counts)
    numbers = {
        "calls": len(records),
        "lost": max(0, done.heard["sent"] - arrived) + done.heard["lost"],
        "mb_per_call": round((done.in_calls - done.at_rest) / 1024 / calls, 3),
        "sent": done.heard["sent"],
        "arrived": arrived,
        "came_back": done.heard["received"],
        "gaps": done.heard["lost"],
        "cpu_share": round(done.cpu / seconds, 3),
        "ms_per_call_s": round(1000 * done.cpu / seconds / calls, 3),
        "engine": "native" if native_missing() is None else "python",
        "load_average": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(numbers))


def wait_for_records(folder: Path, calls: int) -> list[dict]:
    """Read the records of all calls, once they are there."""
    end = time.monotonic() + 30
    while len(found := list(folder.glob("*.json"))) < calls and time.monotonic() < end:
        time.sleep(0.2)
    return [json.loads(file.read_text()) for file in found]


if __name__ == "__main__":
    main()
