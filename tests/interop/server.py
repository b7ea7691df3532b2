"""An opensip server in a process of its own, on ports of its own, for foreign peers to call."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

CONFIG = """\
data = "{folder}/data"
agent_files = ["{agents}"]
trunk_files = []

[sip]
{sip}

[[sip.listeners]]
transport = "UDP"
host = "{host}"
port = {port}
public_address = "{public}"

[[sip.listeners]]
transport = "TCP"
host = "{host}"
port = {port}
public_address = "{public}"

[[sip.listeners]]
transport = "TLS"
host = "{host}"
port = {tls_port}
public_address = "{public}"

[tls]
certificate = "{certs}/server.pem"
key = "{certs}/server.key"
ca = "{certs}/ca.pem"

[media]
address = "{host}"
public_address = "{public}"
first_port = {first_port}
last_port = {last_port}

{trunks}
"""

LOOPBACK_TRUNK = """\
[trunks.loopback]
networks = ["127.0.0.0/8"]
srtp = "preferred"
recording = "on"
[trunks.loopback.numbers]
echo = "echo"
tone = "tone"
agent = "shop"
"""

ROOT = Path(__file__).parents[2]
START_SECONDS, STOP_SECONDS = 20, 40
# Below those of the kernel and of RTP; no fewer processes share them than scripts/test starts.
PORTS, WORKERS = range(10000, 20000), 4


class Server:
    """`opensip serve` with `trunks` and more keys of `[sip]`; `stop` it, or `kill` it."""

    def __init__(
        self,
        folder: Path,
        *,
        trunks: str = LOOPBACK_TRUNK,
        agents: str = str(ROOT / "config/agents/*.toml"),
        host: str = "127.0.0.1",
        public: str = "",
        sip: str = "",
        first_port: int = 20000,
        within: Sequence[str] = (),
    ) -> None:
        self.folder, self.host, self.port = folder, host, free_ports()
        self.tls_port = self.port + 1
        self.certs = folder / "certs"
        make = [ROOT / "scripts/certs", "--dir", self.certs, host]
        subprocess.run(make, check=True, capture_output=True)
        self.config = folder / "opensip.toml"
        self.config.write_text(
            CONFIG.format(
                folder=folder, agents=agents, host=host, public=public, port=self.port,
                tls_port=self.tls_port, sip=sip, certs=self.certs, trunks=trunks,
                first_port=first_port, last_port=first_port + 9999,
            )
        )  # fmt: skip
        self._told: set[str] = set()  # calls whose records `next_record` has returned
        self._log = (folder / "server.log").open("wb")
        self.process = subprocess.Popen(
            [*within, sys.executable, "-m", "opensip", "serve", "--config", str(self.config)],
            stdout=self._log, stderr=subprocess.STDOUT, cwd=ROOT,
        )  # fmt: skip
        self._wait_until_started()

    def _wait_until_started(self) -> None:
        end = time.monotonic() + START_SECONDS
        while '"server_started"' not in self.log():
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < end, f"the server did not start:\n{self.log()}"
            time.sleep(0.05)

    def log(self) -> str:
        """What the server logged so far."""
        return (self.folder / "server.log").read_text(errors="replace")

    def live(self) -> dict[str, Any]:
        """What `opensip check --live` tells."""
        command = ["check", "--live", "--json", "--config", str(self.config)]
        return dict(json.loads(opensip(*command).stdout))

    def records(self) -> list[dict[str, Any]]:
        """The records of the calls that ended, in the order of their files' names."""
        return [json.loads(p.read_text()) for p in sorted(self.folder.glob("data/calls/*.json"))]

    def wait_for_records(self, count: int, seconds: float = 10) -> list[dict[str, Any]]:
        """Wait until `count` calls have ended, and return their records."""
        end = time.monotonic() + seconds
        while len(records := self.records()) < count:
            assert time.monotonic() < end, f"{len(records)} of {count} records:\n{self.log()}"
            time.sleep(0.05)
        return records

    def next_record(self, seconds: float = 10) -> dict[str, Any]:
        """Wait until a call has ended whose record was not returned before."""
        end = time.monotonic() + seconds
        while True:
            for record in self.records():
                if record["call_id"] not in self._told:
                    self._told.add(record["call_id"])
                    return record
            assert time.monotonic() < end, f"no further record:\n{self.log()}"
            time.sleep(0.05)

    def wait_for_record(self, sip_call_id: str, seconds: float = 10) -> dict[str, Any]:
        """Wait until the call of that Call-ID has ended, and return its record."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for record in self.records():
                if record["sip_call_id"] == sip_call_id:
                    return record
            time.sleep(0.05)
        raise AssertionError(f"no record of {sip_call_id}:\n{self.log()}")

    def reload(self, seconds: float = 10) -> None:
        """Let the server read its configuration again (SIGHUP), and wait until it has."""
        before, end = self.log().count('"server_reloaded"'), time.monotonic() + seconds
        self.process.send_signal(signal.SIGHUP)
        while self.log().count('"server_reloaded"') == before:
            assert time.monotonic() < end, f"no reload:\n{self.log()}"
            time.sleep(0.02)

    def stop(self) -> None:
        """Let the server drain and end."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        finally:
            self.kill()

    def kill(self) -> None:
        """Kill -9."""
        self.process.kill()
        self.process.wait()
        self._log.close()


def free_ports(above: int = 0) -> int:
    """Find a port that is free for UDP and TCP, and the one above it for TCP.

    A server takes the first there is; others look `above` that. Each process of a parallel run
    has ports of its own: what one has found another cannot take before it is bound.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % WORKERS
    first = PORTS.start + worker * len(PORTS) // WORKERS
    start = first + os.getpid() % 500 * 2
    for port in range(max(start, above + 2), first + len(PORTS) // WORKERS, 2):
        kinds = ((0, socket.SOCK_DGRAM), (0, socket.SOCK_STREAM), (1, socket.SOCK_STREAM))
        probes = [socket.socket(socket.AF_INET, kind) for _, kind in kinds]
        try:
            for probe, (offset, _) in zip(probes, kinds, strict=True):
                probe.bind(("", port + offset))
        except OSError:
            continue
        finally:
            for probe in probes:
                probe.close()
        return port
    raise AssertionError(f"no free ports above {start}")


def opensip(*arguments: str, seconds: float = 120) -> "subprocess.CompletedProcess[str]":
    """Run the command line and return what it printed and how it ended."""
    command = [sys.executable, "-m", "opensip", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=seconds, cwd=ROOT, check=False
    )
