"""A trunk of one address: whoever calls from another starts nothing, whatever its headers say.

Nor does a crowd of them keep the trunk's calls from being set up.
"""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.interop.raw_peer import Message, RawPeer
from tests.interop.server import ROOT, Server

pytestmark = pytest.mark.interop

OURS, STRANGER = "127.0.0.2", "127.0.0.3"
TRUNK = f"""\
[trunks.ours]
networks = ["{OURS}/32"]
srtp = "off"
[trunks.ours.numbers]
echo = "echo"
"""
MAX_GROWTH = 50  # ms: what a crowd may add to the time that 95 of 100 calls take to be set up
DISGUISES = {
    "plain": "",
    "identity": f"P-Asserted-Identity: <sip:+15551112222@{OURS}>\r\n",
    "forwarded": f"X-Forwarded-For: {OURS}\r\nX-Real-IP: {OURS}\r\n",
    "route": f"Record-Route: <sip:{OURS};lr>\r\nRoute: <sip:{OURS};lr>\r\n",
    "second via": f"Via: SIP/2.0/UDP {OURS}:5060;branch=z9hG4bKother;received={OURS}\r\n",
    "received": f"X-Source: {OURS}\r\nHost: {OURS}\r\n",
}


@pytest.fixture
def server(folder: Path):
    running = Server(folder, trunks=TRUNK)
    yield running
    running.stop()


def test_a_stranger_starts_nothing_over_udp(server: Server) -> None:
    baseline = server.live()
    stranger = RawPeer(("127.0.0.1", server.port), STRANGER)
    try:
        for extra in DISGUISES.values():
            stranger.cseq += 1
            stranger.target = f"sip:echo@127.0.0.1:{server.port}"
            stranger.to = f"<{stranger.target}>"
            body = stranger.rtp.description()
            text = stranger.request("INVITE", extra=extra, body=body)
            stranger.send(text)
            stranger.send(text.replace(f"Via: SIP/2.0/UDP {STRANGER}", f"Via: SIP/2.0/UDP {OURS}"))
            stranger.send(
                text.replace(f"From: <sip:+15551112222@{STRANGER}>", f"From: <sip:x@{OURS}>")
            )
        assert stranger.receive(1.0) is None
        check_nothing_started(server, baseline)
    finally:
        stranger.close()


def test_a_stranger_starts_nothing_over_tcp(server: Server) -> None:
    baseline = server.live()
    peer = RawPeer(("127.0.0.1", server.port), STRANGER)
    try:
        peer.target = f"sip:echo@127.0.0.1:{server.port}"
        peer.to = f"<{peer.target}>"
        with socket.create_connection(
            ("127.0.0.1", server.port), source_address=(STRANGER, 0)
        ) as connection:
            text = peer.request("INVITE", body=peer.rtp.description()).replace("/UDP", "/TCP")
            connection.sendall(text.encode())
            connection.settimeout(1.0)
            try:
                heard = connection.recv(4096)
            except TimeoutError:
                heard = b""
            assert heard == b"", "closed without a word is as good as silence, but no more"
        check_nothing_started(server, baseline)
    finally:
        peer.close()


def test_the_trunk_itself_is_answered(server: Server) -> None:
    peer = RawPeer(("127.0.0.1", server.port), OURS)
    try:
        answer: Message = peer.invite("echo")
        assert answer.status == 200
        assert peer.bye().status == 200
        [record] = server.wait_for_records(1)
        assert record["trunk"] == "ours"
    finally:
        peer.close()


def check_nothing_started(server: Server, baseline: dict[str, object]) -> None:
    """No dialog, transaction, port or record; the log says which test failed."""
    live = server.live()
    for name in ("dialogs", "transactions", "calls", "ports"):
        assert live[name] == baseline[name], name
    assert server.records() == []
    assert STRANGER in server.log()


@pytest.mark.parametrize(
    "crowd",
    [
        ("--calls", "20", "--idle", "30", "--slow", "10", "--junk", "2000"),
        pytest.param((), marks=pytest.mark.long),  # as the benchmark has it
    ],
)
def test_a_crowd_of_strangers_delays_no_call_of_the_trunk(crowd: tuple[str, ...]) -> None:
    bench = ROOT / "scripts/benches/strangers/bench.py"
    done = subprocess.run(
        [sys.executable, bench, *crowd], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    numbers = json.loads(done.stdout.splitlines()[-1])
    assert numbers["set_up"] == numbers["calls"], done.stderr
    assert numbers["turned_away"]["crowd"] > 0
    assert numbers["p95_growth_ms"] <= MAX_GROWTH, done.stdout
