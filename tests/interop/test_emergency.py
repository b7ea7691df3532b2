"""Emergency numbers on the wire: nobody is passed to one, and no agent answers for one."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.interop.hearing import is_voice, read_mono, to_ulaw
from tests.interop.raw_peer import RawPeer
from tests.interop.server import Server, opensip

pytestmark = pytest.mark.interop

TRUNKS = """\
[trunks.loopback]
networks = ["127.0.0.1/32"]
[trunks.loopback.numbers]
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


CLERK = Path(__file__).parent / "agents/clerk.toml"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="opensip-") as name:
        server = Server(Path(name), trunks=TRUNKS, agents=str(CLERK), first_port=38000)
        yield server
        server.stop()


@pytest.mark.parametrize("target", TARGETS)
def test_no_directory_leads_to_an_emergency_number(folder: Path, target: str) -> None:
    """The server does not start; what is read later is refused in the call: test_directory.py."""
    ours = 'uri = "sip:+15556667777@pbx.example.com"'
    clerk = CLERK.read_text()
    assert ours in clerk
    (folder / "clerk.toml").write_text(clerk.replace(ours, f'uri = "{target}"'))
    config = folder / "opensip.toml"
    config.write_text(f'agent_files = ["{folder}/clerk.toml"]\ntrunk_files = []\n')
    checked = opensip("check", "--config", str(config))
    assert checked.returncode != 0
    assert "is an emergency number" in checked.stdout + checked.stderr


@pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed: scripts/setup")
def test_a_spoken_emergency_goes_where_it_is_configured(server: Server, tmp_path: Path) -> None:
    peer = RawPeer((server.host, server.port))
    try:
        peer.invite("clerk")
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
