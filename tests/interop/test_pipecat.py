"""A bot written with pipecat's serializers for Twilio and Bandwidth answers a SIP call."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.interop.hearing import Samples, loudness, read_wav, share_of
from tests.interop.our_phone import TONE, OurPhone
from tests.interop.server import Server

BOT_PYTHON = Path(sys.prefix) / "pipecat/bin/python"

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(
        not BOT_PYTHON.exists(), reason=f"no pipecat in {BOT_PYTHON}: run scripts/setup --all"
    ),
]

TRUNK = """\
[trunks.loopback]
networks = ["127.0.0.0/8"]
srtp = "off"
recording = "on"
max_seconds = 20.0
[trunks.loopback.numbers]
bot = "bot"
"""
AGENT = """\
kind = "stream"
realtime = ["bot"]
[providers.bot]
provider = "stream"
base_url = "ws://127.0.0.1:{port}/media"
protocol = "{form}"
parameters = {{ caller = "{{caller}}", shop = "lamps" }}
"""
FIRST, SECOND = 650, 1004  # Hz: what the bot says


@pytest.fixture(params=["twilio", "bandwidth"])
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def bot(form: str, folder: Path) -> Iterator[int]:
    script = Path(__file__).with_name("pipecat_bot.py")
    with (folder / "bot.log").open("wb") as log:
        process = subprocess.Popen(
            [BOT_PYTHON, "-P", script, form, folder], stdout=subprocess.PIPE, stderr=log
        )
    assert process.stdout is not None
    yield int(process.stdout.readline() or 0)
    process.stdout.close()
    process.terminate()
    process.wait(10)


@pytest.fixture
def server(bot: int, form: str, folder: Path) -> Iterator[Server]:
    assert bot, (folder / "bot.log").read_text()
    (folder / "bot.toml").write_text(AGENT.format(port=bot, form=form))
    running = Server(folder, trunks=TRUNK, agents=str(folder / "bot.toml"))
    yield running
    running.stop()


def test_it_answers_is_interrupted_and_hangs_up(server: Server, form: str) -> None:
    phone = OurPhone("UDP")
    try:
        call = phone.dial(f"sip:bot@127.0.0.1:{server.port}", user="alice")
        [record] = server.wait_for_records(1, 20)
        call.wait_ended()
    finally:
        phone.close()
    assert (record["ending"]["side"], record["ending"]["cause"]) == ("agent", "bot hung up")
    assert record["faults"] == []
    caller, agent = read_wav(Path(record["recording"]["path"]))
    long, short = seconds_of(agent, FIRST), seconds_of(agent, SECOND)
    assert 0.7 < long < 2.0, "the long tone lasts six seconds, and is cleared after one"
    assert 0.6 < short < 1.0
    assert seconds_of(caller, TONE) > 1.5
    heard = np.frombuffer((server.folder / "heard.raw").read_bytes(), "<i2") / 32768
    assert seconds_of(heard, TONE) > 1.0
    told = json.loads((server.folder / "bot.json").read_text())["told"]
    check_told(told, form, record["call_id"])


def check_told(told: list[dict[str, object]], form: str, call_id: str) -> None:
    parameters = {"caller": "alice", "shop": "lamps"}
    if form == "bandwidth":
        [start] = told
        assert start["metadata"]["callId"] == call_id  # type: ignore[index]  # as it came
        assert start["streamParams"] == parameters
        return
    assert [event["event"] for event in told] == ["connected", "start", "mark", "mark"]
    start = told[1]["start"]  # type: ignore[assignment]  # as it came
    assert (start["callSid"], start["customParameters"]) == (call_id, parameters)
    assert [event["mark"]["name"] for event in told[2:]] == ["first", "second"]  # type: ignore[index]


def seconds_of(samples: Samples, frequency: float) -> float:
    """Tell how long a tone is heard."""
    loud = np.flatnonzero(loudness(samples) > -35)
    frames = (samples[160 * n : 160 * n + 160] for n in loud)
    return 0.02 * sum(share_of(frame, frequency) > 0.4 for frame in frames)


def test_nothing_of_it_is_in_our_environment() -> None:
    assert importlib.util.find_spec("pipecat") is None
