"""`opensip dial` to foreign telephones: each way a call can go, told by words and exit status."""

import hashlib
import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.interop import sipp
from tests.interop.baresip import Baresip, needs_baresip
from tests.interop.hearing import read_mono, read_wav, share_of
from tests.interop.server import ROOT, free_ports, opensip

pytestmark = pytest.mark.interop

CONFIG = """\
data = "{folder}/data"
agent_files = []
trunk_files = []

[[sip.listeners]]
transport = "UDP"
host = "127.0.0.1"
port = 5060

{tls}
[media]
address = "127.0.0.1"
first_port = 36000
last_port = 36999

[trunks.carrier]
srtp = "{srtp}"
recording = "on"
[trunks.carrier.outbound]
termination = "sip:127.0.0.1:{port};transport={transport}"
username = "opensip"
password = "file:{folder}/password"
realms = ["trunk.example"]
caller_ids = ["+15550001111"]
"""
NUMBER = "+19195551234"
PASSWORD = "correct horse"
START_SECONDS = 10
TONE = 1004.0  # Hz: what the tone agent plays

Completed = subprocess.CompletedProcess[str]


def configure(folder: Path, port: int, transport: str = "udp", *, srtp: str = "off") -> Path:
    """Write a configuration with one trunk whose termination is `port` of this machine."""
    (folder / "password").write_text(PASSWORD + "\n")
    config = folder / "opensip.toml"
    tls = f'[tls]\nca = "{folder}/certs/ca.pem"\n' if transport == "tls" else ""
    config.write_text(
        CONFIG.format(folder=folder, port=port, transport=transport, srtp=srtp, tls=tls)
    )
    return config


def dial(config: Path, number: str, *options: str) -> Completed:
    """Run `opensip dial` with the tone agent."""
    return opensip(
        "dial", number, "--trunk", "carrier", "--agent", "tone", "--config", str(config), *options,
        seconds=40,
    )  # fmt: skip


def wait_until_bound(port: int, transport: str) -> None:
    """Wait until somebody has bound the port, by the kernel's own list."""
    end = time.monotonic() + START_SECONDS
    while f"0100007F:{port:04X} " not in Path(f"/proc/net/{transport.lower()}").read_text():
        assert time.monotonic() < end, f"nobody bound {transport} {port}"
        time.sleep(0.02)


# ---- SIPp, by way of 407


class Callee:
    """SIPp with a scenario, and the configuration that reaches it."""

    def __init__(self, folder: Path, scenario: str, transport: str) -> None:
        port, self.work = free_ports(), folder / "sipp"
        self.process = sipp.start(
            self.work, scenario, "127.0.0.1", "-p", str(port), "-mp", str(port + 20000), "-m", "1",
            "-trace_logs", "-log_file", "logged", transport=transport,
        )  # fmt: skip
        wait_until_bound(port, transport)
        self.config = configure(folder, port, transport.lower())

    def check(self) -> None:
        """See whether SIPp is content, and verify the digest that it logged."""
        counts = sipp.finish(self.process, self.work, 10)
        assert (counts["successful"], counts["failed"]) == (1, 0), sipp.errors(self.work)
        credentials, identity = (self.work / "logged").read_text().splitlines()
        check_digest(credentials, "INVITE")
        assert identity == "P-Asserted-Identity: <sip:+15550001111@"


def check_digest(credentials: str, method: str) -> None:
    """Compute what the response must be (RFC 2617 section 3.2.2)."""
    pairs = re.findall(r'(\w+)="?([^",]*)"?', credentials.removeprefix("Digest "))
    given = dict(pairs)
    assert (given["username"], given["realm"]) == ("opensip", "trunk.example")
    user = md5(f"opensip:trunk.example:{PASSWORD}")
    request = md5(f"{method}:{given['uri']}")
    middle = ":".join(given[name] for name in ("nonce", "nc", "cnonce", "qop"))
    assert given["response"] == md5(f"{user}:{middle}:{request}")
    assert (given["nc"], given["qop"]) == ("00000001", "auth")


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@sipp.needs_sipp
@pytest.mark.parametrize(
    ("scenario", "transport", "outcome", "options"),
    [
        ("uas_answer", "UDP", "answered (200)", ()),
        ("uas_answer", "TCP", "answered (200)", ()),
        ("uas_busy", "UDP", "busy (486)", ()),
        ("uas_declined", "UDP", "rejected (603)", ()),
        ("uas_no_answer", "UDP", "no answer (408)", ("--ring-timeout", "2")),
        pytest.param("uas_busy", "TCP", "busy (486)", (), marks=pytest.mark.long),
        pytest.param("uas_declined", "TCP", "rejected (603)", (), marks=pytest.mark.long),
        pytest.param(
            "uas_no_answer", "TCP", "no answer (408)", ("--ring-timeout", "2"),
            marks=pytest.mark.long,
        ),
    ],
)  # fmt: skip
def test_what_became_of_a_call_to_sipp(
    folder: Path, scenario: str, transport: str, outcome: str, options: tuple[str, ...]
) -> None:
    callee = Callee(folder, scenario, transport)
    try:
        done = dial(callee.config, NUMBER, *options)
        callee.check()
    finally:
        callee.process.kill()
    check_told(done, outcome)
    record = only_record(folder)
    assert (record["direction"], record["called"]) == ("outbound", NUMBER)
    assert record["caller"] == "+15550001111"
    assert bool(record["answered"]) == (done.returncode == 0)


def check_told(done: Completed, outcome: str) -> None:
    """Compare the words and the exit status: 0 only for an answered call."""
    assert done.stdout.startswith(f"{outcome}: "), done.stdout + done.stderr
    assert done.returncode == (0 if outcome.startswith("answered") else 1)


def only_record(folder: Path) -> dict[str, Any]:
    (path,) = folder.glob("data/calls/*.json")
    return dict(json.loads(path.read_text()))


# ---- baresip, over TLS with SRTP


@needs_baresip
@pytest.mark.parametrize(
    ("outcome", "answermode", "options"),
    [
        ("answered (200)", "auto", ()),
        ("busy (486)", "manual", ()),
        ("no answer (408)", "manual", ("--ring-timeout", "2")),
    ],
)
def test_what_became_of_a_call_to_baresip(
    folder: Path, outcome: str, answermode: str, options: tuple[str, ...]
) -> None:
    make = [ROOT / "scripts/certs", "--dir", folder / "certs", "127.0.0.1"]
    subprocess.run(make, check=True, capture_output=True)
    both = folder / "certs/both.pem"
    both.write_text("".join((folder / f"certs/server.{e}").read_text() for e in ("pem", "key")))
    port = free_ports()
    config = configure(folder, port + 1, "tls", srtp="required")
    telephone = Baresip(
        folder / "baresip",
        f"<sip:{NUMBER}@127.0.0.1;transport=tls>;regint=0;answermode={answermode};"
        "mediaenc=srtp-mand;audio_codecs=PCMU",
        certificate=both,
        listen=f"127.0.0.1:{port}",
    )
    try:
        with ThreadPoolExecutor() as pool:
            dialling = pool.submit(dial, config, NUMBER, *options)
            pick_up(telephone, outcome)
            done = dialling.result()
    finally:
        telephone.close()
    check_told(done, outcome)
    if done.returncode == 0:
        record = only_record(folder)
        assert record["suite"].startswith("A")
        heard = read_mono(telephone.heard()[0])
        assert share_of(heard[-8000:], TONE) > 0.9
        said, _ = read_wav(Path(record["recording"]["path"]))
        assert share_of(said[-8000:], 440) > 0.9


def pick_up(telephone: Baresip, outcome: str) -> None:
    """Do at the telephone what leads to that outcome."""
    if outcome.startswith("answered"):
        telephone.wait_for("CALL_ESTABLISHED")
        time.sleep(2)
        telephone.command("hangup")
    elif outcome.startswith("busy"):
        telephone.wait_for("CALL_INCOMING")
        telephone.command("hangup")


# ---- not allowed


EMERGENCY = [
    *("911", "933", "112", "999"),  # dialled
    *("+911", "9911", "1911", "+1 911", "9-1-1", "*67911", "%39%31%31"),  # prefixed, disguised
    *(
        "tel:911",
        "tel:911;phone-context=+1",
        "sip:911@127.0.0.1",
        "sip:+19195551234;phone-context=+1@911",
        "<sips:911@x>",
    ),
    *("sip:9911@pbx.example.com;user=phone", "urn:service:sos", "urn:service:sos.police"),
]


@pytest.fixture
def carrier(folder: Path) -> Iterator[socket.socket]:
    """Hear whatever is sent to the trunk."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as heard:
        heard.bind(("127.0.0.1", 0))
        heard.setblocking(False)
        configure(folder, heard.getsockname()[1])
        yield heard
        with pytest.raises(BlockingIOError):
            heard.recv(2048)


@pytest.mark.usefixtures("carrier")
@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param(["911", "9911", "sip:911@127.0.0.1", "urn:service:sos"], id="each kind"),
        pytest.param(EMERGENCY, id="all", marks=pytest.mark.long),
    ],
)
def test_emergency_numbers_are_not_dialled(folder: Path, numbers: list[str]) -> None:
    with ThreadPoolExecutor(2) as pool:
        for done in pool.map(partial(dial, folder / "opensip.toml"), numbers):
            check_told(done, "not allowed")
            assert "emergency" in done.stdout, done.args
    assert not list(folder.glob("data/calls/*.json"))


@pytest.mark.usefixtures("carrier")
def test_only_a_caller_id_of_the_trunk_may_be_shown(folder: Path) -> None:
    done = dial(folder / "opensip.toml", NUMBER, "--caller-id", "+15550009999")
    check_told(done, "not allowed")
    assert "+15550009999 is none of the caller_ids" in done.stdout
