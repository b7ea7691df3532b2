"""Debian's baresip keys its SRTP by DTLS, as caller and as callee: what each side hears."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
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
OUR_TONE, BARESIP_TONE = 1004, 440  # Hz
SUITES = ("AES_CM_128_HMAC_SHA1_80", "AEAD_AES_128_GCM", "AEAD_AES_256_GCM")


def start(server: Server, *, nat: str = "", uri: str = "", **how: Any) -> Baresip:
    """Start a telephone that knows keys by DTLS only; `uri` is where it is itself called."""
    uri = uri or f"127.0.0.1:{server.tls_port};transport=tls"
    both = server.certs / "both.pem"
    both.write_text(
        (server.certs / "server.pem").read_text() + (server.certs / "server.key").read_text()
    )
    account = f"<sip:alice@{uri}>;regint=0;mediaenc=dtls_srtp{nat}"
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
        phone.wait_for("CALL_ESTABLISHED")
        time.sleep(2.5)
        phone.command("hangup")
        phone.wait_for("CALL_CLOSED")
    finally:
        phone.close()
        server.stop()
    check(server, phone)


@pytest.mark.parametrize("nat", ["", ";medianat=ice"])
def test_baresip_is_called(tmp_path: Path, nat: str) -> None:
    port = free_ports(20000)
    trunks = TRUNK.format(keying="dtls") + OUT.format(port=port + 1)
    server = Server(tmp_path, trunks=trunks)
    uri = f"127.0.0.1:{port + 1};transport=tls"
    phone = start(server, nat=nat + ";answermode=auto", listen=f"127.0.0.1:{port}", uri=uri)
    server.stop()
    arguments = ("+15551234567", "--trunk", "phones", "--agent", "tone")
    with ThreadPoolExecutor() as threads:
        try:
            dialled = threads.submit(opensip, "dial", *arguments, "--config", str(server.config))
            phone.wait_for("CALL_ESTABLISHED")
            time.sleep(2.5)
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
        phone.wait_for("CALL_ESTABLISHED")
        time.sleep(1.5)
        phone.command("hold")
        time.sleep(1)
        phone.command("resume")
        time.sleep(1.5)
        phone.command("hangup")
        phone.wait_for("CALL_CLOSED")
    finally:
        phone.close()
        server.stop()
    check(server, phone)
    [journal] = tmp_path.glob("data/journals/*.jsonl")
    events = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [e["on"] for e in events if e["kind"] == "held"] == [True, False]
    assert len([e for e in events if e["kind"] == "media_negotiated"]) == 1
