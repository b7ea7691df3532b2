"""Debian's baresip keys its SRTP by DTLS, as caller and as callee: what each side hears."""

import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.interop.baresip import Baresip, needs_baresip
from tests.interop.hearing import read_channels
from tests.interop.server import Server, free_ports, opensip
from tests.interop.test_codecs import check_tone

pytestmark = [pytest.mark.interop, needs_baresip]

TRUNK = """\
[trunks.phones]
networks = ["127.0.0.0/8"]
srtp = "required"
keying = "{keying}"
recording = "on"
[trunks.phones.numbers]
tone = "tone"
"""
OUT = """\
[trunks.phones.outbound]
termination = "sip:127.0.0.1:{port};transport=tls"
caller_ids = ["+15550001111"]
"""
NUMBER = "+15551234567"
OUR_TONE, BARESIP_TONE = 1004, 440  # Hz
SUITES = ("AES_CM_128_HMAC_SHA1_80", "AEAD_AES_128_GCM", "AEAD_AES_256_GCM")


def start(
    server: Server, *, nat: str = "", uri: str = "", user: str = "alice", **how: Any
) -> Baresip:
    """Start a telephone that knows keys by DTLS only; `uri` is where it is itself called."""
    uri = uri or f"{server.host}:{server.tls_port};transport=tls"
    both = server.certs / "both.pem"
    both.write_text(
        (server.certs / "server.pem").read_text() + (server.certs / "server.key").read_text()
    )
    account = f"<sip:{user}@{uri}>;regint=0;mediaenc=dtls_srtp{nat}"
    modules = ["dtls_srtp", *(["ice"] if "ice" in nat else [])]
    return Baresip(
        server.folder / "phone", account, ca=server.certs / "ca.pem", tone=BARESIP_TONE,
        modules=modules, mux="ice" in nat, certificate=both, **how,
    )  # fmt: skip


def check(server: Server, phone: Baresip) -> dict[str, Any]:
    """Find the tones in both recordings; gives the record."""
    [record] = server.wait_for_records(1)
    assert record["suite"] in SUITES, record
    assert record["faults"] == []
    [recording] = server.folder.glob("data/recordings/*.wav")
    caller, agent = read_channels(recording)
    check_tone(caller, BARESIP_TONE, 1.2)
    check_tone(agent, OUR_TONE, 1.2)
    [heard] = phone.heard()
    check_tone(read_channels(heard)[0], OUR_TONE, 1.2)
    return record


@pytest.mark.parametrize("keying", ["dtls", "auto"])
@pytest.mark.parametrize("nat", ["", ";medianat=ice"])
def test_baresip_calls(tmp_path: Path, keying: str, nat: str) -> None:
    server = Server(tmp_path, trunks=TRUNK.format(keying=keying))
    phone = start(server, nat=nat)
    try:
        phone.command("dial", f"sip:tone@127.0.0.1:{server.tls_port};transport=tls")
        phone.wait_for("CALL_ESTABLISHED", 20)
        time.sleep(3.5)
        phone.command("hangup")
        phone.wait_for("CALL_CLOSED")
    finally:
        phone.close()
        server.stop()
    check(server, phone)


@pytest.mark.parametrize("nat", ["", ";medianat=ice"])
def test_baresip_is_called(tmp_path: Path, nat: str) -> None:
    port = free_ports(free_ports() + 10)  # beside those of the server
    trunks = TRUNK.format(keying="dtls") + OUT.format(port=port + 1)
    server = Server(tmp_path, trunks=trunks)
    uri = f"127.0.0.1:{port + 1};transport=tls"
    phone = start(
        server, nat=nat + ";answermode=auto", listen=f"127.0.0.1:{port}", uri=uri, user=NUMBER
    )
    server.stop()
    arguments = (NUMBER, "--trunk", "phones", "--agent", "tone")
    with ThreadPoolExecutor() as threads:
        try:
            dialled = threads.submit(opensip, "dial", *arguments, "--config", str(server.config))
            phone.wait_for("CALL_ESTABLISHED", 20)
            time.sleep(3.5)
            phone.command("hangup")
            done = dialled.result()
        finally:
            phone.close()
    assert done.returncode == 0, done.stdout + done.stderr
    check(server, phone)


def test_hold_and_resume(tmp_path: Path) -> None:
    server = Server(tmp_path, trunks=TRUNK.format(keying="dtls"))
    phone = start(server)
    try:
        phone.command("dial", f"sip:tone@127.0.0.1:{server.tls_port};transport=tls")
        phone.wait_for("CALL_ESTABLISHED", 20)
        time.sleep(1.5)
        phone.command("hold")
        time.sleep(1)
        phone.command("resume")
        time.sleep(2.5)
        phone.command("hangup")
        phone.wait_for("CALL_CLOSED")
    finally:
        phone.close()
        server.stop()
    record = check(server, phone)
    assert record["media"]["rtcp_sent"] >= 1  # without mux, by a handshake of its own
    assert record["media"]["rtcp_received"] >= 1
    [journal] = tmp_path.glob("data/journals/*.jsonl")
    events = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [e["on"] for e in events if e["kind"] == "held"] == [True, False]
    assert len([e for e in events if e["kind"] == "media_negotiated"]) == 1


@contextmanager
def thread(step: Callable[[], None]) -> Iterator[None]:
    """Do something again and again meanwhile."""
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            step()

    running = threading.Thread(target=work)
    running.start()
    try:
        yield
    finally:
        over.set()
        running.join()


class Forger:
    """In the way of signalling over UDP: offers of the telephone name another certificate."""

    def __init__(self, server: Server) -> None:
        self._server = ("127.0.0.1", server.port)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.1)
        self.port = self._socket.getsockname()[1]
        self._phone = ("127.0.0.1", 0)

    def carry(self) -> None:
        """Carry one message."""
        try:
            data, source = self._socket.recvfrom(65536)
        except TimeoutError:
            return
        if source == self._server:
            self._socket.sendto(data, self._phone)
            return
        self._phone = source
        self._socket.sendto(
            re.sub(
                rb"(?i)(a=fingerprint:sha-256 )[0-9A-F:]{95}",
                rb"\g<1>" + b":".join([b"AB"] * 32),
                data,
            ),
            self._server,
        )

    def close(self) -> None:
        """Carry no more."""
        self._socket.close()


def test_a_wrong_fingerprint_ends_the_call_and_nothing_is_heard(tmp_path: Path) -> None:
    server = Server(tmp_path, trunks=TRUNK.format(keying="dtls"))
    forger = Forger(server)
    phone = start(server, uri=f"127.0.0.1:{forger.port}")
    try:
        with thread(forger.carry):
            phone.command("dial", f"sip:tone@127.0.0.1:{forger.port}")
            phone.wait_for("CALL_CLOSED", 25)
        [record] = server.wait_for_records(1)
    finally:
        phone.close()
        server.stop()
        forger.close()
    why = "media failed: the peer's certificate has another fingerprint than its SDP says"
    assert record["ending"]["cause"] in (why, "bye")  # the telephone may be the first to give up
    assert (record["suite"], record["media"]["sent"], record["media"]["received"]) == ("", 0, 0)
    assert not phone.heard()


# A ClientHello that is one, one cut short, an alert, a check of ICE that nobody signed.
HELLO = bytes.fromhex("16fefd0000000000000000002a0100001e000000000000001efefd") + bytes(40)
SPRAY = (
    HELLO[:55],
    HELLO[:20],
    bytes.fromhex("15fefd00000000000000010002022f"),
    bytes.fromhex("000100002112a442") + bytes(12),
)


def test_a_sprayer_changes_nothing(tmp_path: Path) -> None:
    # Tests that run beside this one have their media at 127.0.0.1: they are not to be sprayed.
    server = Server(tmp_path, trunks=TRUNK.format(keying="dtls"), host="127.0.0.9")
    phone = start(server)
    sprayer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def sweep() -> None:
        for port in range(20000, 30000, 2):
            for datagram in SPRAY:
                sprayer.sendto(datagram, (server.host, port))
        time.sleep(0.1)

    try:
        with thread(sweep):
            phone.command("dial", f"sip:tone@{server.host}:{server.tls_port};transport=tls")
            phone.wait_for("CALL_ESTABLISHED", 20)
            time.sleep(3)
            phone.command("hangup")
            phone.wait_for("CALL_CLOSED")
    finally:
        phone.close()
        server.stop()
        sprayer.close()
    media = check(server, phone)["media"]
    assert media["dropped_dtls_source"] > 0
    assert media["dropped_stun_unasked"] > 0
