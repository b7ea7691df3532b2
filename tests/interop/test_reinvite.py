"""A re-INVITE of Debian's baresip that moves its port and takes another codec, mid-call.

baresip itself moves neither, so somebody stands in the way of its signalling, as a session border
controller does, and in the way of the sound it hears from then on.
"""

import json
import re
import socket
import time
from pathlib import Path

import pytest

from tests.interop.baresip import Baresip, needs_baresip
from tests.interop.hearing import read_channels
from tests.interop.server import Server
from tests.interop.test_codecs import MODULES, NAMES, check_tone, needs_pyav
from tests.interop.test_dtls import thread

pytestmark = [pytest.mark.interop, needs_baresip]

TRUNK = """\
[trunks.phones]
networks = ["127.0.0.0/8"]
srtp = "off"
recording = "on"
codecs = {codecs}
[trunks.phones.numbers]
tone = "tone"
"""
OUR_TONE, BARESIP_TONE = 1004, 440  # Hz
ENOUGH, SOUND_SECONDS = 100, 20  # packets: two seconds; and how long they are waited for


def bound() -> socket.socket:
    """Make a socket on a port of its own, an even one for RTP."""
    while True:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind(("127.0.0.1", 0))
        if made.getsockname()[1] % 2 == 0:
            made.settimeout(0.1)
            return made
        made.close()


class Border:
    """Carries signalling both ways, and later offers changed: one codec, another port."""

    def __init__(self, server: Server, payload_type: int) -> None:
        self._payload_type = payload_type
        self.signalling, self.media = bound(), bound()
        self.port = self.signalling.getsockname()[1]
        self.carried = 0  # packets of sound
        self._server, self._phone = ("127.0.0.1", server.port), ("127.0.0.1", 0)
        self._media_phone = ("127.0.0.1", 0)

    def carry(self) -> None:
        """Carry one message."""
        try:
            data, source = self.signalling.recvfrom(65536)
        except TimeoutError:
            return
        if source == self._server:
            self.signalling.sendto(data, self._phone)
            return
        self._phone = source
        self.signalling.sendto(self._change(data), self._server)

    def carry_sound(self) -> None:
        """Carry one packet to where the phone really listens."""
        try:
            data = self.media.recv(2048)
        except TimeoutError:
            return
        self.carried += 1
        self.media.sendto(data, self._media_phone)

    def wait_for_sound(self) -> None:
        """Wait until two seconds of sound went through the new port."""
        end = time.monotonic() + SOUND_SECONDS
        while self.carried < ENOUGH:
            assert time.monotonic() < end, f"{self.carried} packets came through the new port"
            time.sleep(0.1)

    def _change(self, message: bytes) -> bytes:
        """Stay on the way of the dialog (RFC 3261 section 16.6), and change later offers."""
        message = re.sub(rb"(?m)^Route:.*\r\n", b"", message)
        later = re.search(rb"^To:.*;tag=", message, re.M)
        if message.startswith(b"INVITE") and not later:
            stay = b"\r\nRecord-Route: <sip:127.0.0.1:%d;lr>\r\n" % self.port
            return message.replace(b"\r\n", stay, 1)
        line = re.search(rb"m=audio ([0-9]+) RTP/AVP [0-9 ]+", message)
        if not message.startswith(b"INVITE") or not later or not line:
            return message
        self._media_phone = ("127.0.0.1", int(line[1]))
        port = self.media.getsockname()[1]
        head, _, body = message.partition(b"\r\n\r\n")
        body = body.replace(line[0], b"m=audio %d RTP/AVP %d 101" % (port, self._payload_type))
        length = b"Content-Length: %d" % len(body)
        return re.sub(rb"Content-Length: *[0-9]+", length, head) + b"\r\n\r\n" + body

    def close(self) -> None:
        """Carry no more."""
        self.signalling.close()
        self.media.close()


@pytest.mark.parametrize(
    ("codec", "payload_type"), [("PCMA", 8), pytest.param("G722", 9, marks=needs_pyav)]
)
def test_codec_and_port_change_and_both_go_on_hearing(
    tmp_path: Path, codec: str, payload_type: int
) -> None:
    server = Server(tmp_path, trunks=TRUNK.format(codecs=json.dumps(["PCMU", codec])))
    border = Border(server, payload_type)
    names = f"{NAMES['PCMU']},{NAMES[codec]}"
    account = f"<sip:alice@127.0.0.1:{border.port}>;regint=0;audio_codecs={names}"
    modules = [MODULES[codec]] if codec in MODULES else []
    phone = Baresip(server.folder / "phone", account, tone=BARESIP_TONE, modules=modules)
    try:
        with thread(border.carry), thread(border.carry_sound):
            phone.command("dial", f"sip:tone@127.0.0.1:{border.port}")
            phone.wait_for("CALL_ESTABLISHED")
            time.sleep(1.5)
            phone.command("reinvite")
            border.wait_for_sound()
            phone.command("hangup")
            phone.wait_for("CALL_CLOSED")
        [record] = server.wait_for_records(1)
    finally:
        phone.close()
        server.stop()
        border.close()
    assert record["faults"] == []
    [journal] = tmp_path.glob("data/journals/*.jsonl")
    events = map(json.loads, journal.read_text().splitlines())
    agreed = [e for e in events if e["kind"] == "media_negotiated"]
    assert (agreed[0]["codec"], agreed[-1]["codec"]) == ("PCMU", codec)
    assert agreed[0]["remote"] != agreed[-1]["remote"]
    [recording] = tmp_path.glob("data/recordings/*.wav")
    caller, agent = read_channels(recording)
    changed = round(agreed[-1]["at"] * 8000)
    check_tone(caller[: changed - 800], BARESIP_TONE, 1.2)
    # under the new payload type baresip may send a packet or two that it encoded with the old codec
    check_tone(caller[changed + 1600 :], BARESIP_TONE, 1.3)
    check_tone(agent, OUR_TONE, 2.5)
    heard = read_channels(phone.heard()[-1])[0]
    check_tone(heard, OUR_TONE, 1.2)
