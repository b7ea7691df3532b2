"""baresip-python: calls are joined by Replaces, and provisional responses are acknowledged."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.interop.baresip_python import PythonPhone, needs_baresip_python
from tests.interop.hearing import read_mono, share_of
from tests.interop.our_phone import OurPhone
from tests.interop.raw_peer import Message
from tests.interop.server import ROOT, Server, free_ports

pytestmark = [pytest.mark.interop, needs_baresip_python]

TRUNK = """\
[trunks.loopback]
networks = ["127.0.0.0/8"]
srtp = "off"
[trunks.loopback.numbers]
tone = "tone"
"""
PYTHON_TONE, OUR_TONE = 700, 1004  # Hz

Start = Callable[..., PythonPhone]


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Start telephones: a name, a port to listen at, steps."""
    phones: list[PythonPhone] = []

    def make(name: str, port: int, *steps: str, **settings: Any) -> PythonPhone:
        listen = {"listen": f"127.0.0.1:{port}"} if port else {}
        settings = {"transport": "udp", "user": name, **listen, **settings}
        phones.append(PythonPhone(folder / name, settings, *steps))
        phones[-1].wait_for("ready")
        return phones[-1]

    yield make
    for phone in phones:
        phone.close()


@pytest.fixture
def ours() -> Iterator[OurPhone]:
    phone = OurPhone("UDP")
    yield phone
    phone.close()


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    running = Server(folder, trunks=TRUNK)
    yield running
    running.stop()


def two_ports() -> tuple[int, int]:
    first = free_ports()
    return first, free_ports(above=first)


def check_heard(folder: Path, tone: float, number: int = 0) -> None:
    """Find one tone, and nothing else, in the last half second that a telephone heard."""
    assert share_of(read_mono(folder / f"heard-{number}.wav")[-4000:], tone) > 0.9


JOINED = ("ring", "answer", "ring", "answer", "talk:1", "wait:10")  # whose call is taken over


def test_we_join_two_calls_of_ours(folder: Path, start: Start, ours: OurPhone) -> None:
    port, other_port = two_ports()
    one = start("one", port, "ring", "answer", "follow", "talk:1", "hangup")
    two = start("two", other_port, *JOINED)
    first = ours.dial(f"sip:one@127.0.0.1:{port}")
    second = ours.dial(f"sip:two@127.0.0.1:{other_port}")
    progress = [(step.way, step.status) for step in first.refer(second.taken_over)]
    assert progress == [("refer", 202), ("notify", 100), ("notify", 200)]
    assert second.wait_ended().by == "remote"  # its peer talks to the other one now
    first.bye()
    one.finish()
    two.finish()
    for name in ("one", "two"):
        check_heard(folder / name, PYTHON_TONE)


def test_our_caller_is_joined_to_another(folder: Path, start: Start) -> None:
    port, other_port = two_ports()
    consult = f"call:sip:two@127.0.0.1:{other_port}"
    middle = start("middle", port, "ring", "answer", consult, "attended")
    two = start("two", other_port, *JOINED)
    caller = call(f"sip:middle@127.0.0.1:{port}", "tone:1004/3", "wait:9")
    try:
        middle.finish()
        two.finish()
        told, errors = caller.communicate(timeout=20)
    finally:
        caller.kill()
    assert "failed" not in middle.log()
    last = json.loads(told.splitlines()[-1])
    assert (last["what"], last["status"]) == ("finished", 200), f"{told}{errors}"
    assert last["transferred_to"] == f"sip:two@127.0.0.1:{other_port};transport=udp"


def call(uri: str, *steps: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "opensip", "call", uri, *steps, "--json", "--srtp", "off"]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )


def test_nobody_joins_calls_of_the_server(server: Server, start: Start) -> None:
    tone = f"call:sip:tone@{server.host}:{server.port}"
    phone = start("joiner", 0, tone, tone, "attended", "resume", "talk:1", "hangup")
    phone.finish()
    assert "failed: " in phone.log()
    check_heard(server.folder / "joiner", OUR_TONE)
    for record in server.wait_for_records(2):
        assert (record["transfers"], record["faults"]) == ([], [])
        assert record["ending"]["side"] == "caller"


# ---- reliable provisional responses


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_our_180_is_acknowledged_where_that_is_required(
    server: Server, start: Start, transport: str
) -> None:
    dial = f"call:sip:tone@{server.host}:{server.port};transport={transport}"
    demands = {"parameters": ["100rel=required"], "transport": transport}
    phone = start("strict", 0, dial, "talk:1", "hangup", **demands)
    phone.finish()
    server.wait_for_records(1)
    [path] = server.folder.glob("data/journals/*.jsonl")
    events = [json.loads(line) for line in path.read_text().splitlines()]
    messages = [Message.parse(e["text"].encode()) for e in events if e["kind"].startswith("sip_")]
    assert messages[0].one("Require") == "100rel"
    check_prack(messages)
    check_heard(server.folder / "strict", OUR_TONE)


def test_we_acknowledge_its_180(folder: Path, start: Start, ours: OurPhone) -> None:
    port, _ = two_ports()
    start("reliable", port, "ring", "answer", "wait:10", parameters=["100rel=required"])
    wire = ours.dial(f"sip:reliable@127.0.0.1:{port}").wire
    check_prack([Message.parse(message[1:].encode()) for message in wire.messages])
    assert ">PRACK" in wire.requests()


def check_prack(messages: list[Message]) -> None:
    """Find a 180 with an RSeq, the PRACK that names it, and the 200 to that."""
    ringing = next(m for m in messages if m.status == 180)
    prack = next(m for m in messages if m.method == "PRACK")
    assert ringing.one("Require") == "100rel"
    assert prack.one("RAck") == f"{ringing.one('RSeq')} {ringing.one('CSeq')}"
    assert prack.one("CSeq") in [m.one("CSeq") for m in messages if m.status == 200]
