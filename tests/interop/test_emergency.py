"""Emergency numbers on the wire: nobody is passed to one, and no agent answers for one."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.interop.hearing import is_voice, read_mono, to_ulaw
from tests.interop.raw_peer import RawPeer
from tests.interop.server import Server

pytestmark = pytest.mark.interop

TRUNKS = """\
[trunks.loopback]
networks = ["127.0.0.1/32"]
[trunks.loopback.numbers]
{numbers}
"*" = "clerk"
[trunks.redirecting]
networks = ["127.0.0.2/32"]
emergency_redirect = "sip:911@psap.example.com"
[trunks.redirecting.numbers]
"*" = "clerk"
"""
TARGETS = [
    "sip:911@pbx.example.com",
    "sip:9911@pbx.example.com",
    "sip:%39%31%31@pbx.example.com;user=phone",
    "tel:+1911",
    "tel:112;phone-context=+1",
    "+911",
]
CALLED = [
    "sip:911@{host}",
    "sip:9911@{host}",
    "sip:+1911@{host};user=phone",
    "sip:%39%31%31@{host}",
    "sip:112@{host}",
    "tel:911",
    "urn:service:sos",
    "urn:service:sos.fire",
]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Let the agents clerk0, clerk1, … pass callers to one of TARGETS each at key 2."""
    clerk = (Path(__file__).parent / "agents/clerk.toml").read_text()
    police = '[directory.police]\nuri = "sip:9911@pbx.example.com"'
    assert police in clerk
    with tempfile.TemporaryDirectory(prefix="opensip-") as name:
        agents = Path(name, "agents")
        agents.mkdir()
        (agents / "clerk.toml").write_text(clerk)
        for n, target in enumerate(TARGETS):
            text = clerk.replace(police, f'[directory.police]\nuri = "{target}"')
            (agents / f"clerk{n}.toml").write_text(text)
        numbers = "\n".join(f'clerk{n} = "clerk{n}"' for n in range(len(TARGETS)))
        server = Server(
            Path(name), trunks=TRUNKS.format(numbers=numbers), agents=f"{agents}/*.toml",
            first_port=38000,
        )  # fmt: skip
        yield server
        server.stop()


def test_nobody_is_passed_to_an_emergency_number(server: Server) -> None:
    with ThreadPoolExecutor(len(TARGETS)) as pool:
        for passed in [pool.submit(ask_for, n, server) for n in range(len(TARGETS))]:
            passed.result()


def ask_for(n: int, server: Server) -> None:
    """Ask for the police, and hear that it cannot be; a REFER would have come before."""
    peer = RawPeer((server.host, server.port))
    try:
        peer.invite(f"clerk{n}")
        peer.rtp.wait_for(is_voice)
        peer.rtp.press("2")
        peer.rtp.press("#")
        peer.rtp.wait_for(is_voice)
        # two seconds: eight calls at once want their words made before the words are said
        peer.rtp.wait_for(lambda ulaw: not is_voice(ulaw), 20, packets=100)
        assert peer.receive(0.1) is None  # neither REFER nor BYE
        peer.bye()
    finally:
        peer.close()
    record = server.wait_for_record(peer.call_id)
    (transfer,) = record["transfers"]
    assert (transfer["strategy"], transfer["outcome"]) == ("policy", "refused"), TARGETS[n]
    assert record["turns"][-1]["text"].startswith("I am sorry"), TARGETS[n]
    assert record["outcome"] == "transfer failed"


@pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed: scripts/setup")
def test_a_spoken_emergency_goes_where_it_is_configured(server: Server, tmp_path: Path) -> None:
    peer = RawPeer((server.host, server.port))
    try:
        peer.invite("clerk0")
        peer.rtp.wait_for(is_voice)
        peer.rtp.wait_for(lambda ulaw: not is_voice(ulaw), packets=20)
        peer.rtp.say(spoken("this is an emergency", tmp_path))
        refer = peer.wait_for("REFER")
        assert refer.one("Refer-To").startswith("<sip:security@pbx.example.com?")
        assert refer.one("X-Opensip-Intent") == "emergency"
        peer.respond(refer, "202 Accepted")
        peer.notify("SIP/2.0 200 OK", "terminated;reason=noresource")
        peer.respond(peer.wait_for("BYE"), "200 OK")
    finally:
        peer.close()
    assert server.wait_for_record(peer.call_id)["outcome"] == "transferred"


def spoken(words: str, folder: Path) -> bytes:
    """Speak with flite, at 16 kHz; gives PCMU."""
    subprocess.run(["flite", "-voice", "slt", "-t", words, folder / "said.wav"], check=True)
    samples = read_mono(folder / "said.wav", 16000)
    halved = np.convolve(samples, [0.25, 0.5, 0.25], "same")[::2]
    return to_ulaw(halved)


@pytest.mark.parametrize("called", CALLED)
def test_no_agent_answers_for_emergency_services(server: Server, called: str) -> None:
    uri = called.format(host=f"{server.host}:{server.port}")
    for address, status in (("127.0.0.1", 404), ("127.0.0.2", 302)):
        peer = RawPeer((server.host, server.port), address)
        try:
            answer = peer.try_uri(uri)
        finally:
            peer.close()
        assert answer.status == status
        if status == 302:
            assert answer.one("Contact") == "<sip:911@psap.example.com>"
