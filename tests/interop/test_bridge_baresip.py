"""Two of Debian's baresips joined by us: a caller over TLS, and a human over UDP, TCP or TLS."""

import json
import time
from pathlib import Path

import numpy as np
import pytest

from tests.interop.baresip import Baresip, answering, needs_baresip
from tests.interop.hearing import Samples, loudness, read_channels, share_of
from tests.interop.server import ROOT, Server, free_ports
from tests.interop.test_codecs import MODULES, NAMES, needs_pyav

pytestmark = [pytest.mark.interop, needs_baresip]

TRUNK = """\
[trunks.loopback]
networks = ["127.0.0.0/8"]
srtp = "preferred"
transfer = "bridge"
recording = "on"
codecs = {codecs}
[trunks.loopback.numbers]
clerk = "clerk"
[directory]
human = "{human}"
"""
HUMAN_TONE = 620  # Hz
PLAIN = "PCMU and PCMU"
AT_ONCE = {"way": "engine", "codecs": PLAIN, "why": "both speak G.711"}
AGREED = {"way": "engine", "codecs": PLAIN, "why": "the caller agreed by re-INVITE"}
NO_WAY = {
    "way": "batches", "codecs": "G722 and PCMU", "why": "the caller has no G.711 for us"
}  # fmt: skip
TALK = 3.0  # seconds


def seconds_of(samples: Samples, tone: float) -> float:
    """Tell for how long nothing but a tone is heard."""
    pieces = samples[: len(samples) // 800 * 800].reshape(-1, 800)
    loud = [piece for piece in pieces if np.max(loudness(piece)) > -35]
    return sum(share_of(piece, tone) > 0.9 for piece in loud) / 10


def ended(phone: Baresip) -> Samples:
    """Hear what a telephone recorded, once it has hung up."""
    phone.wait_for("CALL_CLOSED")
    time.sleep(0.5)
    return read_channels(phone.heard()[-1])[0]


@pytest.mark.parametrize(
    ("transport", "codecs", "joined"),
    [
        ("UDP", ["PCMU"], AT_ONCE), ("TCP", ["PCMU"], AT_ONCE), ("TLS", ["PCMU"], AT_ONCE),
        pytest.param("UDP", ["G722"], NO_WAY, marks=needs_pyav),
        pytest.param("UDP", ["G722", "PCMU"], AGREED, marks=needs_pyav),
    ],
)  # fmt: skip
def test_the_caller_hears_the_human_who_ends_both(
    folder: Path, transport: str, codecs: list[str], joined: dict[str, str]
) -> None:
    port = free_ports(above=free_ports())
    listening = port + (transport == "TLS")
    human_uri = f"sip:human@127.0.0.1:{listening};transport={transport.lower()}"
    agents = str(ROOT / "tests/interop/agents/*.toml")
    trunks = TRUNK.format(human=human_uri, codecs=json.dumps(sorted({*codecs, "PCMU"})))
    server = Server(folder, trunks=trunks, agents=agents)
    phones = []
    try:
        human = answering(
            folder, "human", transport, server.certs, port=port, tone=HUMAN_TONE, first_port=42100
        )
        phones.append(human)
        caller = answering(
            folder, "caller", "TLS", server.certs, said=0, first_port=42200,
            codecs=",".join(NAMES[codec] for codec in codecs),
            modules=[MODULES[codec] for codec in codecs if codec in MODULES],
        )  # fmt: skip
        phones.append(caller)
        caller.command("dial", f"sip:clerk@127.0.0.1:{server.tls_port};transport=tls")
        caller.wait_for("CALL_ESTABLISHED")
        time.sleep(2)
        caller.press("1#")
        human.wait_for("CALL_ESTABLISHED", 20)
        time.sleep(TALK)
        human.command("hangup")
        heard = ended(caller)
        record = server.wait_for_records(1)[0]
        if joined is AGREED:  # baresip writes down nothing after a change of codec
            heard = read_channels(Path(record["recording"]["path"]))[1]
    finally:
        for phone in phones:
            phone.close()
        server.stop()
    assert seconds_of(heard, HUMAN_TONE) > TALK - 1.5
    [transfer] = record["transfers"]
    assert (transfer["strategy"], transfer["outcome"]) == ("bridge", "transferred")
    assert transfer["joined"] == joined
    assert record["ending"]["side"] == "target"
    assert record["suite"]
