"""A caller asks for a human: the REFER on the wire, and all the ways it can end."""

import base64
import json
import re
import tempfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from tests.interop.hearing import is_hold_tone, is_voice, longest_gap, read_wav
from tests.interop.raw_peer import Message, RawPeer
from tests.interop.server import Server

pytestmark = pytest.mark.interop

TRUNK = """\
[trunks.loopback]
networks = ["127.0.0.0/8"]
recording = "on"
transfer = "refer"
[trunks.loopback.numbers]
"+15553334444" = "clerk"
"""
TARGET = "sip:+15556667777@pbx.example.com"
NUMBER = "+15553334444"
UNRESERVED = "[A-Za-z0-9_.!~*'()-]"  # RFC 3261 section 25.1
WORDS_PACKETS = 80  # of 20 ms: what the agent says of a failure takes longer
LONGEST_GAP = 3.0  # seconds without voice or tone
SILENCE = 30.0  # seconds after which a peer that does not report is given up


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="opensip-") as name:
        agents = str(Path(__file__).parent / "agents/*.toml")
        server = Server(Path(name), trunks=TRUNK, agents=agents, first_port=30000)
        yield server
        server.stop()


@pytest.fixture
def peer(server: Server) -> Iterator[RawPeer]:
    peer = RawPeer((server.host, server.port))
    yield peer
    peer.close()


def ask_for_a_human(peer: RawPeer) -> Message:
    """Call, press a key, and return the REFER, unanswered."""
    peer.invite(NUMBER)
    peer.rtp.wait_for(is_voice)
    peer.rtp.press("1")
    peer.rtp.press("#")
    return peer.wait_for("REFER")


def hang_up(server: Server, peer: RawPeer) -> dict[str, Any]:
    """End the call ourselves; return its record, once its recording has been looked at."""
    peer.bye()
    return finished(server, peer)


def finished(server: Server, peer: RawPeer) -> dict[str, Any]:
    """Return the record of the call, once its recording has been looked at."""
    record = server.wait_for_record(peer.call_id)
    _, said = read_wav(Path(record["recording"]["path"]))
    assert len(said) / 8000 == pytest.approx(record["seconds"], abs=1)
    assert longest_gap(said) <= LONGEST_GAP
    return record


def progress(record: dict[str, Any]) -> list[tuple[str, int]]:
    (transfer,) = record["transfers"]
    return [(step["way"], step["sip_status"]) for step in transfer["progress"]]


# ---- what stands in it


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
def test_each_header_of_the_refer(server: Server, transport: str) -> None:
    peer = RawPeer((server.host, server.port), transport=transport)
    try:
        refer = ask_for_a_human(peer)
        peer.respond(refer, "603 Decline")
        record = hang_up(server, peer)
        check_dialog(refer, peer, server)
        context = check_context(refer, record["call_id"])
        check_lines(refer, peer.transport)
        if transport == "TCP":  # over UDP there may be no room for it
            assert context["X-Opensip-Transcript"]
    finally:
        peer.close()


def check_dialog(refer: Message, peer: RawPeer, server: Server) -> None:
    """The headers that any request in the dialog has."""
    host = f"{server.host}:{server.port}"
    assert refer.start == f"REFER {peer.contact} SIP/2.0"
    via = re.fullmatch(rf"SIP/2\.0/{peer.transport} {re.escape(host)};(.*)", refer.one("Via"), re.S)
    assert via, refer.one("Via")
    parameters = via[1].split(";")
    assert "rport" in parameters
    assert any(p.startswith("branch=z9hG4bK") and len(p) > 15 for p in parameters)
    assert refer.one("Max-Forwards") == "70"
    assert refer.one("From") == peer.to
    assert refer.one("To") == f"<sip:+15551112222@{peer.address}>;tag=raw"
    assert refer.one("Call-ID") == peer.call_id
    assert re.fullmatch(r"[1-9][0-9]{0,9} REFER", refer.one("CSeq"))
    suffix = ";transport=tcp" if peer.transport == "TCP" else ""
    assert re.fullmatch(rf"<sip:([^@]+@)?{re.escape(host)}{suffix}>", refer.one("Contact"))
    assert refer.one("Referred-By") == peer.to.split(";tag")[0]
    assert refer.one("Supported") == "replaces, norefersub"
    assert refer.one("Content-Length") == "0"
    assert refer.body == ""


def check_context(refer: Message, call_id: str) -> dict[str, str]:
    """The context, escaped into Refer-To and beside it; returns what stands beside it."""
    refer_to = re.fullmatch(r"<([^?>]+)\?([^>]+)>", refer.one("Refer-To"))
    assert refer_to, refer.one("Refer-To")
    assert refer_to[1] == TARGET
    assert re.fullmatch(rf"((^|&)[A-Za-z-]+=({UNRESERVED}|%[0-9A-F]{{2}})+)+", refer_to[2])
    pairs = (pair.split("=", 1) for pair in refer_to[2].split("&"))
    inside = {name: unquote(value) for name, value in pairs}
    beside = {name: value for name, value in refer.headers if name in inside or "-Opens" in name}
    for headers in (inside, beside):
        data, encoding = headers["User-to-User"].split(";")
        assert encoding == "encoding=hex"
        octets = bytes.fromhex(data)
        assert len(octets) <= 128
        assert octets[:1] == b"\0"  # contact centres drop the first octet
        assert json.loads(octets[1:].decode("ascii")) == {
            "v": 1,
            "cid": call_id,
            "int": "billing_dispute",
            "conf": 1.0,
        }
        assert headers["X-Opensip-Intent"] == "billing_dispute"
        assert headers["X-Opensip-Confidence"] == "1.00"
        assert headers["X-Opensip-Call-Id"] == call_id
    check_words(beside)
    return beside


def check_words(headers: dict[str, str]) -> None:
    """The headers that may be left out where there is no room."""
    if summary := headers.get("X-Opensip-Summary"):
        assert re.fullmatch(rf"({UNRESERVED}|%[0-9A-F]{{2}})+", summary)
        assert "billing" in unquote(summary)
    if transcript := headers.get("X-Opensip-Transcript"):
        padded = transcript + "=" * (-len(transcript) % 4)
        lines = zlib.decompress(base64.urlsafe_b64decode(padded)).decode().split("\n")
        assert lines[-1] == "agent: One moment."


def check_lines(refer: Message, transport: str) -> None:
    """7-bit, no control characters, within lengths; over UDP in one datagram."""
    lines = [refer.start, *(f"{name}: {value}" for name, value in refer.headers)]
    for line in lines:
        assert re.fullmatch(r"[ -~]+", line)
        assert len(line) <= 1024
    size = sum(len(line) + 2 for line in lines) + 2
    assert size < (1300 if transport == "UDP" else 8192)


# ---- how it ends


def test_transferred_when_the_target_answers(server: Server, peer: RawPeer) -> None:
    refer = ask_for_a_human(peer)
    peer.respond(refer, "202 Accepted")
    peer.notify("SIP/2.0 100 Trying", "active;expires=60")
    peer.notify("SIP/2.0 180 Ringing", "active;expires=60")
    peer.rtp.wait_for(is_hold_tone)
    peer.notify("SIP/2.0 200 OK", "terminated;reason=noresource")
    bye = peer.wait_for("BYE")
    peer.respond(bye, "200 OK")
    assert bye.start == f"BYE {peer.contact} SIP/2.0"
    record = finished(server, peer)
    assert record["outcome"] == "transferred"
    assert record["ending"]["side"] == "us"
    assert record["transfers"][0]["outcome"] == "transferred"
    assert progress(record) == [("refer", 202), ("notify", 100), ("notify", 180), ("notify", 200)]


def test_transferred_when_the_peer_hangs_up_before_it_told(server: Server, peer: RawPeer) -> None:
    refer = ask_for_a_human(peer)
    peer.respond(refer, "202 Accepted")
    peer.bye()
    record = finished(server, peer)
    assert record["outcome"] == "transferred"
    assert progress(record) == [("refer", 202), ("bye", 200)]


def test_a_caller_whose_transfer_is_refused_is_told(server: Server, peer: RawPeer) -> None:
    refer = ask_for_a_human(peer)
    peer.respond(refer, "603 Decline")
    peer.rtp.wait_for(is_voice, 3)
    record = hang_up_after_words(server, peer)
    assert progress(record) == [("refer", 603)]
    assert record["transfers"][0]["outcome"] == "refused"
    assert "declined" in last_words(record)


def test_a_caller_whose_target_is_busy_is_told(server: Server, peer: RawPeer) -> None:
    refer = ask_for_a_human(peer)
    peer.respond(refer, "202 Accepted")
    peer.notify("SIP/2.0 100 Trying", "active;expires=60")
    peer.notify("SIP/2.0 486 Busy Here", "terminated;reason=noresource")
    peer.rtp.wait_for(is_voice, 3)
    record = hang_up_after_words(server, peer)
    assert progress(record) == [("refer", 202), ("notify", 100), ("notify", 486)]
    assert record["transfers"][0]["outcome"] == "failed"
    assert "busy" in last_words(record)


@pytest.mark.long
def test_a_caller_whose_peer_never_reports_is_told(server: Server, peer: RawPeer) -> None:
    refer = ask_for_a_human(peer)
    peer.respond(refer, "202 Accepted")
    accepted = time.monotonic()
    peer.rtp.wait_for(is_hold_tone)
    told = peer.rtp.wait_for(is_voice, SILENCE + 5)
    assert SILENCE <= told - accepted < SILENCE + 3
    record = hang_up_after_words(server, peer)
    assert progress(record)[0] == ("refer", 202)
    assert record["transfers"][0]["outcome"] == "silent"
    assert "could not find out" in last_words(record)


def hang_up_after_words(server: Server, peer: RawPeer) -> dict[str, Any]:
    """Let the agent finish what it says, and hang up."""
    began = len(peer.rtp.heard)
    peer.rtp.wait_for(lambda ulaw: not is_voice(ulaw), packets=30)
    assert len(peer.rtp.heard) - began > WORDS_PACKETS
    record = hang_up(server, peer)
    assert record["outcome"] == "transfer failed"
    assert record["ending"]["side"] == "caller"
    return record


def last_words(record: dict[str, Any]) -> str:
    agents = [turn for turn in record["turns"] if turn["speaker"] == "agent"]
    return str(agents[-1]["text"])
