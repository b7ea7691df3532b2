"""Debian's baresip is transferred, and transfers: blind, over UDP, TCP and TLS with SDES.

Two telephones listen: the desk, and one that is called and transfers its caller to the desk.
"""

import json
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.interop.baresip import Baresip, answering, needs_baresip
from tests.interop.hearing import loudness, read_mono, share_of
from tests.interop.server import ROOT, Server, free_ports

pytestmark = [pytest.mark.interop, needs_baresip]

TRUNK = """\
[trunks.loopback]
networks = ["127.0.0.0/8"]
srtp = "preferred"
refer_to_headers = false  # baresip 1.0 keeps 255 characters, and takes %3B for a format
[trunks.loopback.numbers]
clerk = "clerk"
tone = "tone"
"""
TARGET = "sip:+15556667777@pbx.example.com"  # of the clerk
DESK_TONE, CALLER_TONE, OTHER_TONE = 520, 440, 620  # Hz
OUR_TONE = 1004  # Hz, of the tone agent
TRANSPORTS = ["UDP", "TCP", "TLS"]


@dataclass
class Office:
    """A server, the desk its clerk passes callers to, and more telephones, by one transport."""

    folder: Path
    transport: str

    def __post_init__(self) -> None:
        self.phones: list[Baresip] = []
        self._started = 0
        self.port = free_ports(above=free_ports())  # the first is the server's
        self.other_port = free_ports(above=self.port)
        agents = self.folder / "agents"
        agents.mkdir()
        clerk = (ROOT / "tests/interop/agents/clerk.toml").read_text()
        assert TARGET in clerk
        self.desk_uri = self.listening("desk", self.port)
        (agents / "clerk.toml").write_text(clerk.replace(TARGET, self.desk_uri))
        self.server = Server(self.folder, trunks=TRUNK, agents=f"{agents}/*.toml")

    def uri(self, user: str, port: int) -> str:
        return f"sip:{user}@127.0.0.1:{port};transport={self.transport.lower()}"

    def listening(self, user: str, port: int) -> str:
        """Where a telephone that listens at `port` is called: baresip's TLS is one above."""
        return self.uri(user, port + (self.transport == "TLS"))

    def server_uri(self, number: str) -> str:
        """Where the server is called."""
        return self.listening(number, self.server.port)

    def call(self, uri: str, *steps: str) -> "subprocess.Popen[str]":
        """Start `opensip call`."""
        command = [sys.executable, "-m", "opensip", "call", uri, *steps, "--json"]
        srtp = "required" if self.transport == "TLS" else "off"
        command += ["--ca", str(self.server.certs / "ca.pem"), "--srtp", srtp]
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
        )

    def phone(self, user: str, port: int = 0, **how: int) -> Baresip:
        """Start a telephone that answers by itself."""
        self._started += 1
        first_port = 42000 + 100 * (self._started % 10)
        folder = self.folder / str(self._started)
        self.phones.append(
            answering(
                folder, user, self.transport, self.server.certs, port=port,
                first_port=first_port, **how,
            )
        )  # fmt: skip
        return self.phones[-1]

    def hang_up(self) -> None:
        """End all telephones."""
        while self.phones:
            self.phones.pop().close()


@pytest.fixture(scope="module", params=TRANSPORTS)
def building(request: pytest.FixtureRequest) -> Iterator[Office]:
    with tempfile.TemporaryDirectory(prefix="opensip-") as name:
        made = Office(Path(name), request.param)
        yield made
        made.server.stop()


@pytest.fixture
def office(building: Office) -> Iterator[Office]:
    yield building
    building.hang_up()


def transfer_of(record: dict[str, Any]) -> tuple[str, list[tuple[str, int]]]:
    """Tell how the only transfer of a call ended, and each step of it."""
    [transfer] = record["transfers"]
    return transfer["outcome"], [(s["way"], s["sip_status"]) for s in transfer["progress"]]


def check_heard(phone: Baresip, tone: float) -> None:
    """Hang up, and find half a second of a tone, and nothing else, in what was heard."""
    phone.command("hangup")
    end = time.monotonic() + 5
    while not is_whole(path := phone.heard()[-1]):
        assert time.monotonic() < end, f"{path} was not finished"
        time.sleep(0.05)
    samples = read_mono(path)
    loud = np.flatnonzero(loudness(samples) > -35)
    assert len(loud) >= 25, f"{len(loud) * 0.02:.2f} s of sound"
    assert share_of(np.concatenate([samples[160 * n : 160 * n + 160] for n in loud]), tone) > 0.9


def is_whole(path: Path) -> bool:
    """Tell whether baresip has finished writing a recording."""
    try:
        return len(read_mono(path)) > 0
    except (wave.Error, EOFError):
        return False


def test_baresip_is_transferred_to_the_desk(office: Office) -> None:
    desk = office.phone("desk", office.port, tone=DESK_TONE)
    # It says its tone at the beginning of each call: later the agent would take it for a voice.
    caller = office.phone("caller", tone=CALLER_TONE, said=1)
    caller.command("dial", office.server_uri("clerk"))
    caller.wait_for("CALL_ESTABLISHED")
    time.sleep(2)
    caller.press("1#")
    desk.wait_for("CALL_ESTABLISHED")
    record = office.server.next_record()
    assert (record["outcome"], record["ending"]["side"]) == ("transferred", "us")
    assert transfer_of(record) == (
        "transferred", [("refer", 202), ("notify", 100), ("notify", 200)]
    )  # fmt: skip
    time.sleep(1.5)
    check_heard(desk, CALLER_TONE)


def test_baresip_transfers_our_caller_to_the_desk(office: Office) -> None:
    desk = office.phone("desk", office.port, tone=DESK_TONE)
    other = office.phone("other", office.other_port, tone=OTHER_TONE)
    calling = office.call(office.listening("other", office.other_port), "tone:1004/2", "wait:8")
    try:
        other.wait_for("CALL_ESTABLISHED")
        time.sleep(0.5)
        other.command("transfer", office.desk_uri)
        desk.wait_for("CALL_ESTABLISHED")
        time.sleep(1)
        desk.command("hangup")
        told, errors = calling.communicate(timeout=20)
    finally:
        calling.kill()
    reports = [json.loads(line) for line in told.splitlines()]
    last = reports[-1]
    assert (last["what"], last["status"]) == ("finished", 200), f"{told}{errors}"
    assert last["transferred_to"] == office.desk_uri
    assert "SIP/2.0 200 OK" in other.log().rpartition("message/sipfrag")[2]


def test_baresip_may_not_transfer_the_agent(office: Office) -> None:
    desk = office.phone("desk", office.port, tone=DESK_TONE)
    caller = office.phone("caller", tone=CALLER_TONE)
    caller.command("dial", office.server_uri("tone"))
    caller.wait_for("CALL_ESTABLISHED")
    time.sleep(1)
    caller.command("transfer", office.desk_uri)
    refused = caller.wait_for("TRANSFER_FAILED")
    assert refused["param"] == "603 Decline"
    record = office.server.next_record()  # baresip hangs up at that
    assert (record["transfers"], record["ending"]["side"]) == ([], "caller")
    check_heard(caller, OUR_TONE)
    assert desk.heard() == []
