"""Do a trunk's calls suffer from strangers? `opensip serve`, its trunk, and a crowd.

The server is a whole one in its own process: UDP, TCP and TLS, one trunk by network, limits as
they are by default. The trunk (caller.py) makes its calls twice in each round: when it is alone,
and while strangers (crowd.py) hold idle TLS connections, send slowly, and throw junk datagrams
from forged addresses, too many to be banned. Half of the calls go over UDP, half each open a TLS
connection. A call counts as set up if its 200 came; its time is from its first octet to that.
p95 is over the calls of all rounds. `junk_lost` is how many datagrams the kernel dropped because
the server's socket was full (/proc/net/udp), those of the trunk among them. Nothing is pinned to
a core; the load of the machine stands with each run, for a server that starves proves nothing.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scripts.benches.process import HOST, ROOT, cpu_seconds, free_port
from scripts.benches.server import configure, opensip

HERE = Path(__file__).parent
GATHERING = 4.0  # seconds until the whole crowd is there
TLS = """
[tls]
certificate = "{folder}/certs/server.pem"
key = "{folder}/certs/server.key"
"""


class Server:
    """The server, and what it costs; `ports` are those of UDP, TCP and TLS."""

    def __init__(self, config: Path, ports: dict[str, int], pid: int) -> None:
        self.ca = config.with_name("certs") / "ca.pem"
        self.ports = ports
        self._config = config
        self._pid = pid

    def cpu(self) -> float:
        """Tell the processor time of the server, in seconds."""
        return cpu_seconds(self._pid)

    def lost(self) -> int:
        """Tell how many datagrams found the UDP socket full."""
        for line in Path("/proc/net/udp").read_text().splitlines():
            _, local, *others = line.split()
            if local.endswith(f":{self.ports['UDP']:04X}"):
                return int(others[-1])
        return 0

    def turned_away(self) -> dict[str, int]:
        """Ask the server what it turned away."""
        ask = ["-m", "opensip", "check", "--live", "--json", "--config", str(self._config)]
        done = subprocess.run([sys.executable, *ask], capture_output=True, cwd=ROOT, check=True)
        return dict(json.loads(done.stdout)["turned_away"])

    def log_lines(self) -> int:
        """Count the lines of its log."""
        return self._config.with_name("server.log").read_text(errors="replace").count("\n")


@contextmanager
def server_in(folder: Path) -> Iterator[Server]:
    """Run the server until the end of the block, on any core."""
    make = [ROOT / "scripts/certs", "--dir", folder / "certs", HOST]
    subprocess.run(make, check=True, capture_output=True)
    ports: dict[str, int] = {}
    for transport in ("UDP", "TCP", "TLS"):
        ports[transport] = free_port(transport, beside=ports.values())
    config = configure(folder, ports, more=TLS.format(folder=folder))
    with opensip(config, core=None) as pid:
        yield Server(config, ports, pid)


@contextmanager
def crowd(
    server: Server, options: argparse.Namespace, told: list[dict[str, Any]]
) -> Iterator[None]:
    """Let the strangers come, and stay until the end of the block; `told` gets what they did."""
    numbers = (*server.ports.values(), options.idle, options.slow, options.junk)
    process = subprocess.Popen(
        [sys.executable, HERE / "crowd.py", HOST, *map(str, numbers),
         str(options.sources)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        time.sleep(GATHERING)
        yield
        told.append(json.loads(process.communicate(timeout=30)[0]))
    finally:
        process.kill()
        process.wait()


def calls(server: Server, options: argparse.Namespace) -> dict[str, list[float | None]]:
    """Let the trunk make its calls; returns the milliseconds of each, by transport."""
    numbers = (server.ports["UDP"], server.ports["TLS"], server.ca, options.calls, options.rate)
    done = subprocess.run(
        [sys.executable, HERE / "caller.py", HOST, *map(str, numbers)],
        stdout=subprocess.PIPE, text=True, check=False, timeout=options.calls / options.rate + 60,
    )  # fmt: skip
    if done.returncode:
        sys.exit("bench strangers: the trunk could not make its calls")
    return dict(json.loads(done.stdout))


def p95(times: list[float]) -> float:
    """Give the 95th percentile; endless where there is none."""
    return statistics.quantiles(times, n=20)[-1] if len(times) > 1 else float("inf")


def measure(server: Server, options: argparse.Namespace) -> dict[str, Any]:
    """Run the rounds; returns the numbers of the last line."""
    taken: dict[str, list[dict[str, list[float | None]]]] = {"quiet": [], "crowded": []}
    strangers: list[dict[str, Any]] = []
    share: dict[str, list[float]] = {"quiet": [], "crowded": []}
    lost = server.lost()
    for number in range(1, options.rounds + 1):
        for name, runs in taken.items():
            with crowd(server, options, strangers) if name == "crowded" else nobody():
                began, cpu = time.monotonic(), server.cpu()
                runs.append(calls(server, options))
                share[name].append((server.cpu() - cpu) / (time.monotonic() - began))
            print(f"round {number}: {told(name, runs[-1], share[name][-1])}", flush=True)
    return {
        **compare(taken),
        **{key: min(one[key] for one in strangers) for key in strangers[0]},
        "junk_lost": server.lost() - lost,
        "server_cpu_share": {name: round(statistics.median(s), 2) for name, s in share.items()},
        "turned_away": server.turned_away(),
        "log_lines": server.log_lines(),
        "rounds": options.rounds,
    }


@contextmanager
def nobody() -> Iterator[None]:
    """Let nobody come."""
    yield


def told(name: str, taken: dict[str, list[float | None]], share: float) -> str:
    """Tell of one run in a line."""
    parts = []
    for transport, times in taken.items():
        good = [time for time in times if time is not None]
        parts.append(
            f"{transport} {len(good)} of {len(times)} set up, median "
            f"{statistics.median(good or [0]):.1f} ms, p95 {p95(good):.1f} ms"
        )
    load = os.getloadavg()[0]
    return f"{name}: {'; '.join(parts)}; the server took {share:.0%} of a core, load {load:.1f}"


def compare(taken: dict[str, list[dict[str, list[float | None]]]]) -> dict[str, Any]:
    """Set the crowded runs against the quiet ones."""
    every = {
        name: [time for run in runs for times in run.values() for time in times]
        for name, runs in taken.items()
    }
    good = {name: [time for time in times if time is not None] for name, times in every.items()}
    quiet, crowded = p95(good["quiet"]), p95(good["crowded"])
    return {
        "calls": len(every["crowded"]),
        "set_up": len(good["crowded"]),
        "quiet_p95_ms": round(quiet, 1),
        "crowded_p95_ms": round(crowded, 1),
        "p95_growth_ms": round(crowded - quiet, 1),
    }


def main() -> None:
    """Run the rounds and print what they showed."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench strangers", description="a trunk's calls among strangers"
    )
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--calls", type=int, default=100, help="of each run")
    parser.add_argument("--rate", type=float, default=10, help="calls a second")
    parser.add_argument("--idle", type=int, default=300, help="idle TLS connections")
    parser.add_argument("--slow", type=int, default=50, help="slow connections")
    parser.add_argument("--junk", type=int, default=10000, help="datagrams a second")
    parser.add_argument("--sources", type=int, default=5000, help="addresses that junk comes from")
    options = parser.parse_args()
    print(f"{__doc__}\n{vars(options)}", flush=True)
    with tempfile.TemporaryDirectory() as name, server_in(Path(name)) as server:
        print(json.dumps(measure(server, options)))


if __name__ == "__main__":
    main()
