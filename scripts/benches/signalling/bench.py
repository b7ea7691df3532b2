"""What a call's signalling costs: `opensip serve` beside the floor of a bare UDP responder.

SIPp (uac.xml) makes calls over UDP, INVITE-100-180-200-ACK-BYE-200, without RTP and hung up at
once, each from another number. The subject is a whole server in its own process with an allowlist
trunk, E.164 numbers and the agent `echo`: each call is admitted, gets ports, a media stream and
an agent, is journalled message by message, logged, and leaves its record. The floor (floor.py) is
a Python process on the same event loop that answers the same scenario by string templates and
keeps nothing. Server, floor and baresip share core 0 in turn, SIPp has core 1. CPU is utime +
stime of the process and its children (/proc/PID/stat), less what the same process took while idle
at the start, over the time from SIPp's start to one second after its end. Medians over the rounds;
`cpu_us_per_call` is that of the dearer rate. `with_aftermath` divides all CPU by all calls, once
the last transaction has lingered its 32 s: it leaves nothing out. The data directory is in memory
where there is /dev/shm: ext4 steps around every inode that was deleted in the last five minutes,
so that on a disk each run would measure how many files the runs before it left (up to 1 ms for
each file made). `--data` takes another place.

Beside them: `digest_cpu_us_per_call`, the same with a digest trunk, which is challenged with 401
first (MD5, all that SIPp can); `baresip_cpu_us_per_call`, Debian's baresip that answers the same
calls at the first rate; `parse_us`, reading one INVITE of a carrier with its SDP in this process;
`rss_kb_per_call`, by how much the server's memory grew over `--finished` calls, each told at rest.
"""

import argparse
import importlib.util
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from baresip import baresip, scenario
from parsing import parse_us
from subject import HERE, PASSWORD, USER, Round, Subject

from scripts.benches.process import HOST, free_port, memory, pinned, serving
from scripts.benches.server import NUMBER, configure, opensip

PHONE = "127.0.0.2"  # the digest trunk's caller: the allowlist takes the others
DIGEST = HERE / "uac_digest.xml"
LINGERING = 34.0  # seconds until a call's last transaction is forgotten: 64 T1 and a little
WARM_UP = 500  # calls before memory is told the first time

TRUNK = """
[trunks.phones]
srtp = "off"
recording = "off"
digest = ["MD5"]
[trunks.phones.users.{user}]
password = "file:{folder}/password"
[trunks.phones.numbers]
"{number}" = "echo"
"""


@contextmanager
def subjects(
    folder: Path, loop: str, idle_seconds: float
) -> Iterator[tuple[Subject, Subject, Subject | None]]:
    """Start floor, server and baresip, one after the other, each idle for a while first."""
    with ExitStack() as stack:
        port = free_port()
        command = [*pinned(0), sys.executable, str(HERE / "floor.py"), HOST, str(port), loop]
        pid = stack.enter_context(serving(command, folder / "floor.log", "bound"))
        floor = Subject(pid, port, idle_seconds)
        port = free_port()
        (folder / "password").write_text(PASSWORD + "\n")
        phones = TRUNK.format(folder=folder, user=USER, number=NUMBER)
        pid = stack.enter_context(opensip(configure(folder, {"UDP": port}, more=phones)))
        server = Subject(pid, port, idle_seconds)
        yield floor, server, stack.enter_context(baresip(folder, free_port(), idle_seconds))


def main() -> None:
    """Run the rounds and print the medians."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench signalling", description="CPU of a call's signalling"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=10, help="of each measurement")
    parser.add_argument("--rates", type=int, nargs="+", default=[100, 200], help="calls a second")
    parser.add_argument("--data", type=Path, help="where the data directory is made")
    parser.add_argument("--finished", type=int, default=20_000, help="calls; 0 spares the time")
    parser.add_argument("--no-aftermath", action="store_true", help="spare the last 34 s")
    options = parser.parse_args()
    if shutil.which("sipp") is None:
        sys.exit("bench signalling: SIPp is not installed: run scripts/setup")
    loop = "uvloop" if importlib.util.find_spec("uvloop") else "asyncio"
    print(f"{__doc__}\n{options.rounds} rounds of {options.seconds} s on {loop}.", flush=True)
    with (
        tempfile.TemporaryDirectory(dir=options.data or memory()) as name,
        subjects(Path(name), loop, options.seconds / 2) as found,
    ):
        measure(found, Path(name), loop, options)


def measure(
    found: tuple[Subject, Subject, Subject | None],
    folder: Path,
    loop: str,
    options: argparse.Namespace,
) -> None:
    """Let the subjects take turns, and report."""
    floor, server, peer = found
    began, cpu = time.monotonic(), server.cpu()
    taken: dict[tuple[str, int], list[Round]] = {}
    foreign, first = scenario(folder), options.rates[0]
    for number in range(1, options.rounds + 1):
        turns = [("digest", first, lambda r: server.serve(r, options.seconds, DIGEST, PHONE))]
        if peer is not None:
            turns.append(("baresip", first, lambda r: peer.serve(r, options.seconds, foreign)))
        for rate in options.rates:
            turns.append(("floor", rate, lambda r: floor.serve(r, options.seconds)))
            turns.append(("opensip", rate, lambda r: server.serve(r, options.seconds)))
        for name, rate, serve in turns:
            done = serve(rate)
            taken.setdefault((name, rate), []).append(done)
            tell(number, name, rate, done)
    ours = [done for (name, _), rounds in taken.items() for done in rounds if is_ours(name)]
    calls = sum(done.calls for done in ours)
    more: dict[str, object] = {"loop": loop, "parse_us": round(parse_us(), 1)}
    if not options.no_aftermath:
        time.sleep(LINGERING)
        spent = server.cpu() - cpu - server.idle * (time.monotonic() - began)
        more["with_aftermath"] = round(spent * 1e6 / calls)
    if options.finished:
        extra, more["rss_kb_per_call"] = growth(server, options.rates[-1], options.finished)
        calls += extra
    records = len(list(folder.glob("data/calls/*.json")))
    if records != calls:
        sys.exit(f"bench signalling: {calls} calls left {records} records")
    report(taken, options, more)


def tell(number: int, name: str, rate: int, done: Round) -> None:
    """Print how one measurement went."""
    print(
        f"round {number}: {name:7} {rate:4} calls/s: {done.us:6.0f} us a call, "
        f"{done.failed} failed, {done.retransmissions} retransmissions, "
        f"load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


def is_ours(name: str) -> bool:
    """Tell whether a subject is the server."""
    return name in ("opensip", "digest")


def growth(server: Subject, rate: int, calls: int) -> tuple[int, float]:
    """Make that many calls; returns how many in all, and KiB of memory that each left."""
    made = server.serve(rate, WARM_UP / rate).calls
    time.sleep(LINGERING)
    before = server.resident()
    many = server.serve(rate, calls / rate).calls
    time.sleep(LINGERING)
    return made + many, round((server.resident() - before) / many, 3)


def median(rounds: list[Round]) -> float:
    """Tell the microseconds of a call."""
    return statistics.median(done.us for done in rounds)


def report(
    taken: dict[tuple[str, int], list[Round]], options: argparse.Namespace, more: dict[str, object]
) -> None:
    """Print the last line."""
    by_rate = {}
    for rate in options.rates:
        cost, floor = (median(taken[name, rate]) for name in ("opensip", "floor"))
        by_rate[str(rate)] = {
            "cpu_us_per_call": round(cost),
            "floor_us_per_call": round(floor),
            "ratio": round(cost / floor, 2),
        }
    beside = {
        f"{name}_cpu_us_per_call": round(median(rounds))
        for (name, _), rounds in taken.items()
        if name in ("digest", "baresip")
    }
    dearest = max(by_rate.values(), key=lambda numbers: numbers["cpu_us_per_call"])
    ours = [done for (name, _), rounds in taken.items() for done in rounds if is_ours(name)]
    numbers = {
        **dearest,
        **beside,
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
