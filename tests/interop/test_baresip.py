"""Foreign telephones call over TLS with digest and mandatory SRTP: what each side hears.

Over UDP and TCP they do without SRTP. baresip of Debian answers MD5 challenges only, baresip-python
is asked for SHA-256 only. Neither comes from a network of the trunk's, so that nothing but the
password admits them.
"""

import json
import re
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.interop.baresip import Baresip, needs_baresip
from tests.interop.baresip_python import PythonPhone, needs_baresip_python
from tests.interop.hearing import Samples, longest_gap, loudness, read_wav, share_of
from tests.interop.server import ROOT, Server

pytestmark = pytest.mark.interop

TRUNK = """\
[trunks.phones]
networks = ["192.0.2.0/24"]
any = true
digest = ["{algorithm}"]
srtp = "{srtp}"
recording = "on"
[trunks.phones.users.alice]
password = "file:{folder}/password"
[trunks.phones.numbers]
tone = "tone"
agent = "shop"
"""

SUITE = "AES_CM_128_HMAC_SHA1_80"
OUR_TONE, BARESIP_TONE = 1004, 440  # Hz
PYTHON_TONE = 700  # Hz, of python_phone.py, which cannot be imported without baresip-python
ORDER, GOODBYE = "4217", "9"


class Line:
    """A server for the phones of one trunk, and what it knew of its calls."""

    def __init__(self, folder: Path, *, algorithm: str, transport: str = "TLS") -> None:
        (folder / "password").write_text("secret")
        agents = folder / "agents"
        agents.mkdir()
        shop = (ROOT / "config/agents/shop.toml").read_text()
        human, goodbye = '0 = "human"\n', f'{GOODBYE} = "goodbye"\n'
        assert human in shop
        (agents / "shop.toml").write_text(shop.replace(human, human + goodbye, 1))
        self.folder, self.algorithm, self.transport = folder, algorithm, transport
        srtp = "required" if transport == "TLS" else "off"
        trunks = TRUNK.format(algorithm=algorithm, folder=folder, srtp=srtp)
        self.server = Server(folder, trunks=trunks, agents=f"{agents}/*.toml")
        port = self.server.tls_port if transport == "TLS" else self.server.port
        self.uri = f"127.0.0.1:{port};transport={transport.lower()}"
        self.ca = self.server.certs / "ca.pem"

    def the_call(self) -> dict[str, Any]:
        """The record of the only call, checked as far as it is the same for all."""
        [record] = self.server.wait_for_records(1)
        suite = SUITE if self.transport == "TLS" else ""
        assert (record["trunk"], record["suite"]) == ("phones", suite)
        assert record["codec"] == "PCMU"
        assert record["faults"] == []
        dropped = {k: n for k, n in record["media"].items() if k.startswith("dropped")}
        # Debian's baresip opens its NAT with a plain RTCP packet each time it starts a stream.
        assert dropped.pop("dropped_rtcp_malformed", 0) <= 3
        assert dropped == {}
        self.check_digest()
        return record

    def check_digest(self) -> None:
        """The call came as it was to, and was let in by an answer of the algorithm we asked for."""
        [invite] = [
            event
            for event in self.events("sip_received")
            if event["text"].startswith("INVITE") and "Authorization" in event["text"]
        ][:1]
        assert invite["transport"] == self.transport
        [answer] = re.findall(r"^Authorization: (.*?)\r$", invite["text"], re.M)
        named = re.search(r"algorithm=([A-Z0-9-]+)", answer)
        assert (named[1] if named else "MD5") == self.algorithm  # MD5 need not be named
        assert 'username="alice"' in answer

    def events(self, kind: str) -> list[dict[str, Any]]:
        """The events of one kind in the journal of the only call."""
        [path] = self.folder.glob("data/journals/*.jsonl")
        return [
            e for line in path.read_text().splitlines() if (e := json.loads(line))["kind"] == kind
        ]

    def digits(self) -> str:
        """The keys that were heard."""
        return "".join(event["digit"] for event in self.events("dtmf"))

    def holds(self) -> tuple[float, float]:
        """Tell when the caller held and came back, in seconds of the recording."""
        [begin] = self.events("recording_started")
        held, back = self.events("held")
        assert (held["on"], back["on"]) == (True, False)
        return held["at"] - begin["at"], back["at"] - begin["at"]

    def recorded(self) -> tuple[Samples, Samples]:
        """What we recorded: caller, agent."""
        [path] = self.folder.glob("data/recordings/*.wav")
        return read_wav(path)


@pytest.fixture
def line(folder: Path, request: pytest.FixtureRequest) -> Iterator[Line]:
    algorithm, _, transport = request.param.partition(" ")
    made = Line(folder, algorithm=algorithm, transport=transport or "TLS")
    yield made
    made.server.stop()


@pytest.fixture
def phones(line: Line) -> Iterator[list[Baresip]]:
    made: list[Baresip] = []
    yield made
    for phone in made:
        phone.close()


def baresip(line: Line, phones: list[Baresip], **how: Any) -> Baresip:
    """Start Debian's baresip as Alice's."""
    encrypted = ";mediaenc=srtp-mand" if line.transport == "TLS" else ""
    account = f"<sip:alice@{line.uri}>;auth_pass=secret;regint=0{encrypted}"
    phones.append(Baresip(line.folder / "phone", account, ca=line.ca, **how))
    return phones[-1]


def call(line: Line, phone: Baresip, number: str) -> None:
    phone.command("dial", f"sip:{number}@{line.uri}")
    phone.wait_for("CALL_ESTABLISHED")


MD5 = pytest.mark.parametrize("line", ["MD5"], indirect=True)
PLAIN = pytest.mark.parametrize("line", ["MD5 UDP", "MD5 TCP"], indirect=True)
SHA256 = pytest.mark.parametrize("line", ["SHA-256"], indirect=True)


@needs_baresip
@MD5
def test_baresip_tones_both_ways_keys_and_its_own_bye(line: Line, phones: list[Baresip]) -> None:
    phone = baresip(line, phones, tone=BARESIP_TONE)
    call(line, phone, "tone")
    time.sleep(2)
    phone.press("5#")
    time.sleep(0.5)
    phone.command("hangup")
    record = line.the_call()
    assert (record["ending"]["side"], record["ending"]["cause"]) == ("caller", "bye")
    assert line.digits() == "5#"
    caller, agent = line.recorded()
    check_tone(caller, BARESIP_TONE, 1.5)
    check_tone(agent, OUR_TONE, 2)
    [heard] = phone.heard()
    check_tone(read_mono(heard), OUR_TONE, 1.5)


@needs_baresip
@MD5
def test_baresip_holds_and_comes_back(line: Line, phones: list[Baresip]) -> None:
    phone = baresip(line, phones, tone=BARESIP_TONE)
    call(line, phone, "tone")
    time.sleep(2)
    phone.command("hold")
    time.sleep(1.5)
    phone.command("resume")
    time.sleep(2.5)
    phone.command("hangup")
    assert line.the_call()["ending"]["side"] == "caller"
    check_hold(line, BARESIP_TONE)


@needs_baresip
@PLAIN
def test_baresip_without_tls_holds_comes_back_and_presses_keys(
    line: Line, phones: list[Baresip]
) -> None:
    phone = baresip(line, phones, tone=BARESIP_TONE)
    call(line, phone, "tone")
    time.sleep(1.5)
    phone.command("hold")
    time.sleep(1.5)
    phone.command("resume")
    time.sleep(2)
    phone.press("5#")
    phone.command("hangup")
    assert line.the_call()["ending"]["side"] == "caller"
    assert line.digits() == "5#"
    check_hold(line, BARESIP_TONE)


@needs_baresip
@MD5
def test_baresip_talks_to_the_agent_who_says_goodbye(line: Line, phones: list[Baresip]) -> None:
    phone = baresip(line, phones, tone=BARESIP_TONE, said=1)
    call(line, phone, "agent")
    time.sleep(4)
    phone.press(ORDER)
    time.sleep(4)
    phone.press(GOODBYE)
    phone.wait_for("CALL_CLOSED", 15)
    check_agent_call(line)
    check_tone(line.recorded()[0][:8000], BARESIP_TONE, 0.5)
    [heard] = phone.heard()
    check_same_voice(line.recorded()[1], read_mono(heard))


@needs_baresip_python
@SHA256
def test_baresip_python_tones_both_ways_keys_hold_and_its_own_bye(line: Line) -> None:
    steps = ["talk:2", "press:5#", "hold", "talk:1.5", "resume", "talk:2", "hangup"]
    call_from_python(line, "tone", *steps)
    record = line.the_call()
    assert (record["ending"]["side"], record["ending"]["cause"]) == ("caller", "bye")
    assert line.digits() == "5#"
    check_hold(line, PYTHON_TONE)
    before, after = (read_mono(line.folder / f"heard-{n}.wav") for n in (0, 2))
    check_tone(before, OUR_TONE, 1.2)
    check_tone(after, OUR_TONE, 1.2)


@needs_baresip_python
@SHA256
def test_baresip_python_talks_to_the_agent_who_says_goodbye(line: Line) -> None:
    steps = ["talk:1", f"press:{ORDER}", "talk:4", f"press:{GOODBYE}", "wait:15"]
    call_from_python(line, "agent", *steps)
    check_agent_call(line)
    check_tone(line.recorded()[0], PYTHON_TONE, 0.5)
    check_same_voice(line.recorded()[1], read_mono(line.folder / "heard-1.wav"))


def call_from_python(line: Line, number: str, *steps: str) -> None:
    settings = {"transport": "tls", "ca": str(line.ca), "parameters": ["mediaenc=srtp-mand"]}
    phone = PythonPhone(line.folder, settings, f"call:sip:{number}@{line.uri}", *steps)
    phone.finish()


def check_agent_call(line: Line) -> None:
    """The agent looked up what was keyed, said goodbye, and hung up."""
    record = line.the_call()
    assert record["ending"]["side"] == "agent"
    assert line.digits() == ORDER + GOODBYE
    assert any(turn.get("way") == "dtmf" and turn["text"] == ORDER for turn in record["turns"])
    assert "brass table lamp" in json.dumps(record["turns"])
    assert "Goodbye" in record["transcript"][-1]


def check_hold(line: Line, caller_tone: int) -> None:
    """Tones both ways before and after the hold, and none of either side within it."""
    held, back = line.holds()
    assert back - held > 1
    for channel, frequency in zip(line.recorded(), (caller_tone, OUR_TONE), strict=True):
        check_tone(channel[: round(8000 * held)], frequency, 0.8)
        silent = channel[round(8000 * (held + 0.3)) : round(8000 * back)]
        assert longest_gap(silent) == pytest.approx(len(silent) / 8000, abs=0.04)
        check_tone(channel[round(8000 * back) :], frequency, 1.0)


def check_tone(samples: Samples, frequency: float, seconds: float) -> None:
    """Find at least so much of a tone, and of nothing else."""
    loud = np.flatnonzero(loudness(samples) > -35)
    assert len(loud) * 0.02 >= seconds, f"{len(loud) * 0.02:.2f} s of sound"
    middle = np.concatenate([samples[160 * n : 160 * n + 160] for n in loud])
    assert share_of(middle, frequency) > 0.9


def check_same_voice(said: Samples, heard: Samples) -> None:
    """Find the loudest half second of what was heard in what we said, sample by sample."""
    size = 4000
    levels = np.convolve(heard**2, np.ones(size), "valid")
    start = int(levels.argmax())
    piece = heard[start : start + size]
    assert loudness(piece).max() > -35, "nothing was heard"
    energy = np.convolve(said**2, np.ones(size), "valid")
    likeness = np.correlate(said, piece, "valid") / np.sqrt(energy * (piece**2).sum() + 1e-9)
    assert likeness.max() > 0.95, f"likeness {likeness.max():.2f}"


def read_mono(path: Path) -> Samples:
    with wave.open(str(path)) as sound:
        assert (sound.getnchannels(), sound.getframerate()) == (1, 8000)
        samples: Samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2") / 32768
    return samples
