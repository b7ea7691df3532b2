"""Debian's baresip calls with each codec, keys by SDES: what each side hears, and keys."""

import importlib.util
import json
import time
from pathlib import Path

import numpy as np
import pytest

from tests.interop.baresip import Baresip, needs_baresip
from tests.interop.hearing import Samples, loudness, read_channels, share_of
from tests.interop.server import Server

pytestmark = [pytest.mark.interop, needs_baresip]

TRUNK = """\
[trunks.phones]
networks = ["127.0.0.0/8"]
srtp = "required"
recording = "on"
codecs = {codecs}
hear_tones = true
[trunks.phones.numbers]
tone = "tone"
"""

OUR_TONE, BARESIP_TONE = 1004, 440  # Hz
MODULES = {"G722": "g722", "opus": "opus"}  # of baresip, beside G.711
NAMES = {"PCMU": "PCMU/8000/1", "PCMA": "PCMA/8000/1", "G722": "G722/16000/1"}
needs_pyav = pytest.mark.skipif(
    importlib.util.find_spec("av") is None, reason="PyAV is not installed: run scripts/setup"
)
CODECS = [
    "PCMU",
    "PCMA",
    pytest.param("G722", marks=needs_pyav),
    pytest.param("opus", marks=needs_pyav),
]


@pytest.mark.parametrize("codec", CODECS)
def test_tones_both_ways_and_keys(tmp_path: Path, codec: str) -> None:
    wanted = [codec, *(["PCMU"] if codec != "PCMU" else [])]
    server = Server(tmp_path, trunks=TRUNK.format(codecs=json.dumps(wanted)))
    try:
        heard = talk(server, codec)
        [record] = server.wait_for_records(1)
    finally:
        server.stop()
    assert record["codec"] == codec
    assert record["suite"] == "AES_CM_128_HMAC_SHA1_80"
    assert record["faults"] == []
    assert record["media"].get("dropped_undecodable", 0) == 0
    assert keys(tmp_path) == "5#"
    [recording] = tmp_path.glob("data/recordings/*.wav")
    caller, agent = read_channels(recording)
    check_tone(caller, BARESIP_TONE, 1.5)
    check_tone(agent, OUR_TONE, 1.5)
    check_tone(heard, OUR_TONE, 1.5)


def talk(server: Server, codec: str) -> Samples:
    """Call the tone, press keys, hang up; returns what baresip heard."""
    uri = f"127.0.0.1:{server.tls_port};transport=tls"
    name = NAMES.get(codec, "opus/48000/2")
    account = f"<sip:alice@{uri}>;regint=0;mediaenc=srtp-mand;audio_codecs={name}"
    modules = [MODULES[codec]] if codec in MODULES else []
    phone = Baresip(
        server.folder / "phone",
        account,
        ca=server.certs / "ca.pem",
        tone=BARESIP_TONE,
        modules=modules,
    )
    try:
        phone.command("dial", f"sip:tone@{uri}")
        phone.wait_for("CALL_ESTABLISHED")
        time.sleep(2)
        phone.press("5#")
        time.sleep(0.5)
        phone.command("hangup")
        phone.wait_for("CALL_CLOSED")
    finally:
        phone.close()
    [path] = phone.heard()
    return read_channels(path)[0]


def keys(folder: Path) -> str:
    """The digits in the journal of the only call."""
    [path] = folder.glob("data/journals/*.jsonl")
    events = map(json.loads, path.read_text().splitlines())
    return "".join(event["digit"] for event in events if event["kind"] == "dtmf")


def check_tone(samples: Samples, frequency: float, seconds: float) -> None:
    """Find at least so much of a tone, and little else."""
    loud = np.flatnonzero(loudness(samples) > -35)
    assert len(loud) * 0.02 >= seconds, f"{len(loud) * 0.02:.2f} s of sound"
    middle = samples[loud[5] * 160 : loud[-5] * 160]
    assert share_of(middle, frequency) > 0.9
