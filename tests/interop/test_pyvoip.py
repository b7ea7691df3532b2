"""pyVoIP's VoIPPhone calls over UDP, from an environment and a process of its own.

Its ACK of a 2xx has the branch of the INVITE and a To tag that it makes up, and comes a second
late: it does not listen before that.
"""

import importlib.util
import json
import re
import subprocess
import sys
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.interop.hearing import Samples, loudness, read_wav, share_of
from tests.interop.server import Server

PHONE_PYTHON = Path(sys.prefix) / "pyvoip/bin/python"

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(
        not PHONE_PYTHON.exists(), reason=f"no pyVoIP in {PHONE_PYTHON}: run scripts/setup"
    ),
]

TRUNK = """\
[trunks.loopback]
networks = ["127.0.0.0/8"]
srtp = "off"
recording = "on"
max_seconds = 4.0
[trunks.loopback.numbers]
tone = "tone"
"""
OUR_TONE, PYVOIP_TONE = 1004, 650  # Hz


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    running = Server(folder, trunks=TRUNK)
    yield running
    running.stop()


def call(server: Server, how: str) -> dict[str, Any]:
    """Let the phone call, and return the record; `how` is the phone's last argument."""
    script = Path(__file__).with_name("pyvoip_phone.py")
    command = [PHONE_PYTHON, "-P", script, str(server.port), server.folder, "tone", how]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\n{server.log()}"
    [record] = server.wait_for_records(1)
    return record


def test_it_calls_hears_and_is_heard_and_hangs_up(server: Server) -> None:
    record = call(server, "hangup:2.5")
    assert (record["ending"]["side"], record["ending"]["cause"]) == ("caller", "bye")
    assert (record["codec"], record["faults"]) == ("PCMU", [])
    check_tone(read_wav(Path(record["recording"]["path"]))[0], PYVOIP_TONE)
    check_tone(read_heard(server.folder / "heard.wav"), OUR_TONE)


def test_its_ack_is_taken_and_our_bye_answered(server: Server) -> None:
    record = call(server, "wait:8")
    assert record["ending"]["side"] == "us"
    [path] = server.folder.glob("data/journals/*.jsonl")
    events = [json.loads(line) for line in path.read_text().splitlines()]
    acknowledged = next(e["at"] for e in events if e.get("text", "").startswith("ACK "))
    sent = [e for e in events if e["kind"] == "sip_sent" and e["at"] > acknowledged]
    assert [e["text"].split()[0] for e in sent] == ["BYE"]  # and no 200 to the INVITE any more
    last = [e["text"] for e in events if e["kind"] == "sip_received"][-1]
    assert re.match(r"SIP/2\.0 200 .*^CSeq: \d+ BYE", last, re.DOTALL | re.MULTILINE)


def test_nothing_of_it_is_in_our_environment() -> None:
    assert importlib.util.find_spec("pyVoIP") is None


def check_tone(samples: Samples, frequency: float) -> None:
    """Find a second of a tone at least, and of nothing else."""
    loud = np.flatnonzero(loudness(samples) > -35)
    assert len(loud) >= 50, f"{len(loud) * 0.02:.2f} s of sound"
    assert (
        share_of(np.concatenate([samples[160 * n : 160 * n + 160] for n in loud]), frequency) > 0.9
    )


def read_heard(path: Path) -> Samples:
    """Read what pyVoIP gives out: unsigned 8-bit linear."""
    with wave.open(str(path)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 1, 8000)
        octets = np.frombuffer(sound.readframes(sound.getnframes()), np.uint8)
    return (octets.astype(float) - 128) / 128
