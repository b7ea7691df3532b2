"""Three of Debian's baresips: a caller whose trunk refuses REFER, a human, and whom that one asks.

Each says a tone of its own; what comes to each is taken off the wire: who hears whom, step by step.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.interop.baresip import Baresip, needs_baresip
from tests.interop.capture import datagrams, is_rtp, needs_capture, start_capture, stop_capture
from tests.interop.hearing import (
    HOLD_NOTES,
    QUIET,
    Samples,
    from_ulaw,
    longest_gap,
    loudness,
    share_of,
)
from tests.interop.kamailio import Kamailio, needs_kamailio
from tests.interop.server import ROOT, Server, free_ports

pytestmark = [pytest.mark.interop, needs_baresip, needs_kamailio, needs_capture]

TRUNK = """\
[trunks.loopback]
networks = ["127.0.0.0/8"]
[trunks.loopback.numbers]
clerk = "clerk"
[directory]
human = "sip:human@127.0.0.1:{port}"
"""
# The first of each one's ports of RTP, where no server, other phone or kernel picks any.
CALLER, HUMAN, COLLEAGUE = 9100, 9200, 9300
PORTS = 41  # of each, see baresip.py
TONES = {697.0: "c", 1209.0: "h", 1633.0: "x"}  # Hz, of the three in that order
LATE = 7  # seconds until the caller says anything: an agent falls silent for a tone
LONGEST_GAP = 1.5  # seconds without voice or tone
PIECE = 800  # samples: a tenth of a second
EDGE = 0.7  # seconds in which a change may take effect
READ = 1.5  # seconds until tcpdump has read what was captured
DRIFT = 480  # samples by which a packet may be late and still joins the last


class Ears:
    """What each telephone was sent, on one time axis."""

    def __init__(self, path: Path, began: float) -> None:
        self._began = began
        self._sounds: dict[int, Samples] = {}
        ends: dict[tuple[int, bytes], int] = {}
        for datagram in datagrams(path):
            port, payload = datagram.destination[1], datagram.payload
            if not is_rtp(payload) or payload[1] & 0x7F:
                continue
            stream = (port, payload[8:12])
            at, end = round((datagram.at - began) * 8000), ends.get(stream, -DRIFT)
            at = end if abs(at - end) < DRIFT else at
            ears = self._sounds.setdefault(port // 100 * 100, np.zeros(8000 * 60))
            ends[stream] = at + len(payload) - 12
            ears[at : ends[stream]] += from_ulaw(payload[12:])

    def between(self, phone: int, begin: float, end: float) -> Samples:
        """What one was sent from a time to another, of the wall's clock."""
        ears = self._sounds[phone]
        return ears[round((begin - self._began) * 8000) : round((end - self._began) * 8000)]

    def tell(self, phone: int, begin: float, end: float) -> str:
        """Name what one heard: a letter each tenth of a second."""
        sound = self.between(phone, begin + EDGE, end)
        pieces = sound[: len(sound) // PIECE * PIECE].reshape(-1, PIECE)
        return "".join(map(name, pieces))


def name(piece: Samples) -> str:
    """Name a sound: whose tone, "t" of holding, "v" a voice or an edge, "-" nothing."""
    if np.max(loudness(piece)) < QUIET:
        return "-"
    tones = [letter for tone, letter in TONES.items() if share_of(piece, tone) > 0.9]
    return tones[0] if tones else "t" if share_of(piece, *HOLD_NOTES) > 0.8 else "v"


@pytest.fixture
def house(folder: Path) -> Iterator[tuple[Server, Kamailio, list[Baresip]]]:
    """A server, a trunk in front of it that lets no REFER pass, and three telephones."""
    first = free_ports(above=free_ports() + 10)
    agents = str(ROOT / "tests/interop/agents/*.toml")
    server = Server(folder, trunks=TRUNK.format(port=first), agents=agents)
    trunk = Kamailio(
        folder / "kamailio", transport="UDP", server_port=server.port, desk_port=first + 10,
        certs=server.certs, refers=False,
    )  # fmt: skip
    phones = [
        phone(folder / "caller", CALLER, 697, waits=LATE, said=60 - LATE),
        phone(folder / "human", HUMAN, 1209, port=first, answers="manual"),
        phone(folder / "colleague", COLLEAGUE, 1633, port=first + 2),
    ]
    yield server, trunk, phones
    for one in (*phones, trunk):
        one.close()
    server.stop()


def phone(
    folder: Path, first_port: int, tone: int, *,
    port: int = 0, answers: str = "auto", waits: int = 0, said: int = 60,
) -> Baresip:  # fmt: skip
    account = f"<sip:{folder.name}@127.0.0.1;transport=udp>;regint=0;answermode={answers}"
    return Baresip(
        folder, account, tone=tone, first_port=first_port, listen=f"127.0.0.1:{port}",
        waits=waits, said=said,
    )  # fmt: skip


def test_who_hears_whom_from_the_agent_to_the_human_who_asks_another(
    folder: Path, house: tuple[Server, Kamailio, list[Baresip]]
) -> None:
    server, trunk, phones = house
    capture = start_capture(folder / "rtp.pcap", ports="portrange 9100-9340")
    try:
        began = time.time()
        steps = act(trunk, *phones)
        time.sleep(READ)
    finally:
        stop_capture(capture)
    [record] = server.wait_for_records(1)
    refer, bridge = record["transfers"]
    assert (refer["strategy"], refer["outcome"], refer["sip_status"]) == ("refer", "refused", 405)
    assert (bridge["strategy"], bridge["outcome"]) == ("bridge", "transferred")
    assert bridge["joined"]["way"] == "engine"
    check(Ears(folder / "rtp.pcap", began), steps)


def act(trunk: Kamailio, caller: Baresip, human: Baresip, colleague: Baresip) -> list[float]:
    """Call, ask for a human, be held while that one asks another, go on; tells when each began."""
    caller.command("dial", trunk.uri("clerk"))
    caller.wait_for("CALL_ESTABLISHED")
    steps = [time.time()]
    time.sleep(2)
    steps.append(time.time())
    caller.press("1#")
    human.wait_for("CALL_INCOMING", 20)
    time.sleep(3)
    steps.append(time.time())
    human.command("accept")
    human.wait_for("CALL_ESTABLISHED")
    time.sleep(max(2.0, steps[0] + LATE + 2 - time.time()))
    steps.append(time.time())
    human.command("hold")
    time.sleep(2)
    steps.append(time.time())
    human.command("dial", f"sip:colleague@{listening(colleague)}")
    human.wait_for("CALL_ESTABLISHED")
    time.sleep(max(2.0, steps[3] + 5.2 - time.time()))  # till a hold tone is just over
    steps.append(time.time())
    human.command("hangup")  # it comes back to the caller by itself
    human.wait_for("CALL_CLOSED")
    time.sleep(2.5)
    steps.append(time.time())
    human.command("hangup")
    caller.wait_for("CALL_CLOSED")
    return steps


def listening(one: Baresip) -> str:
    """Tell where a telephone takes calls."""
    config = (one.folder / "config").read_text()
    return config.split("sip_listen ")[1].split()[0]


def is_all(heard: str, letter: str) -> bool:
    """Tell whether one thing was heard, and nothing else but an edge where a packet was late."""
    return set(heard) <= {letter, "v"} and heard.count(letter) >= 0.8 * len(heard)


def check(ears: Ears, steps: list[float]) -> None:
    answered, asked, joined, held, consulted, resumed, over = steps
    assert "v" in ears.tell(CALLER, answered - EDGE, asked)
    handed = ears.tell(CALLER, asked, joined)
    assert set(handed) <= set("vt-")
    assert "t" in handed
    assert set(ears.tell(HUMAN, asked, joined)) <= {"-"}
    assert is_all(ears.tell(CALLER, joined, held), "h")
    assert ears.tell(HUMAN, joined, held).endswith("c" * 10)
    for begin, end in ((held, consulted), (consulted, resumed)):
        assert set(ears.tell(CALLER, begin, end)) <= set("t-v")
        assert "t" in ears.tell(CALLER, begin, end)
    assert set(ears.tell(HUMAN, held, consulted)) == {"-"}
    assert "x" * 10 in ears.tell(HUMAN, consulted, resumed)
    assert "c" not in ears.tell(HUMAN, consulted, resumed)
    assert "h" * 10 in ears.tell(COLLEAGUE, consulted, resumed)
    assert set(ears.tell(COLLEAGUE, answered, over)).isdisjoint("cxt")
    assert is_all(ears.tell(CALLER, resumed, over), "h")
    assert is_all(ears.tell(HUMAN, resumed, over), "c")
    assert longest_gap(ears.between(CALLER, asked, over)) <= LONGEST_GAP
