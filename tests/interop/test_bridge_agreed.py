"""A baresip that calls with G.722 and one that answers with PCMU: joined, then agreed on PCMU.

What comes to each is taken off the wire, over the change and after it.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.interop.baresip import Baresip, needs_baresip
from tests.interop.capture import (
    Datagram,
    datagrams,
    is_rtp,
    needs_capture,
    start_capture,
    stop_capture,
)
from tests.interop.hearing import from_ulaw, share_of
from tests.interop.server import ROOT, Server, free_ports
from tests.interop.test_codecs import needs_pyav

pytestmark = [pytest.mark.interop, needs_baresip, needs_capture, needs_pyav]

TRUNK = """\
[trunks.loopback]
networks = ["127.0.0.0/8"]
srtp = "off"
transfer = "bridge"
codecs = ["G722", "PCMU"]
[trunks.loopback.numbers]
clerk = "clerk"
[directory]
human = "sip:human@127.0.0.1:{port}"
"""
# The first of each one's ports of RTP, where no server, other phone or kernel picks any.
CALLER, HUMAN = 9500, 9600
CALLERS, HUMANS = 697, 1209  # Hz: what each says
LATE = 5  # seconds until the caller says anything: an agent falls silent for a tone
G722, PCMU, EVENT = 9, 0, 101
LONGEST_GAP = 0.1  # seconds between two packets
READ = 1.5  # seconds until tcpdump has read what was captured


@pytest.fixture
def house(folder: Path) -> Iterator[tuple[Server, Baresip, Baresip]]:
    port = free_ports(above=free_ports())
    agents = str(ROOT / "tests/interop/agents/*.toml")
    server = Server(folder, trunks=TRUNK.format(port=port), agents=agents)
    account = "<sip:{0}@127.0.0.1;transport=udp>;regint=0;answermode=auto;audio_codecs={1}"
    caller = Baresip(
        folder / "caller", account.format("caller", "G722/16000/1,PCMU/8000/1"), tone=CALLERS,
        waits=LATE, said=60 - LATE, first_port=CALLER, modules=["g722"], rate=16000,
    )  # fmt: skip
    human = Baresip(
        folder / "human", account.format("human", "PCMU/8000/1"), tone=HUMANS, first_port=HUMAN,
        listen=f"127.0.0.1:{port}",
    )  # fmt: skip
    yield server, caller, human
    for one in (caller, human):
        one.close()
    server.stop()


def test_the_join_in_batches_gives_way_to_the_engines_unheard(
    folder: Path, house: tuple[Server, Baresip, Baresip]
) -> None:
    server, caller, human = house
    capture = start_capture(folder / "rtp.pcap", ports="portrange 9500-9640")
    try:
        caller.command("dial", f"sip:clerk@127.0.0.1:{server.port}")
        caller.wait_for("CALL_ESTABLISHED")
        time.sleep(2)
        caller.press("1#")
        human.wait_for("CALL_ESTABLISHED", 20)
        joined = time.time()
        time.sleep(LATE + 2)  # baresip begins its tone anew with another codec
        caller.press("7")
        time.sleep(1)
        human.command("hangup")
        caller.wait_for("CALL_CLOSED")
        time.sleep(READ)
    finally:
        stop_capture(capture)
    [record] = server.wait_for_records(1)
    [transfer] = record["transfers"]
    check_books(transfer)
    sent = [d for d in datagrams(folder / "rtp.pcap") if is_rtp(d.payload)]
    to_caller, to_human = (
        [d for d in sent if first <= d.destination[1] < first + 40] for first in (CALLER, HUMAN)
    )
    check_change(to_caller, joined)
    assert hears([d for d in to_caller if d.at > joined + 1], HUMANS) > 2
    assert hears(to_human, CALLERS) > 1
    presses = {d.payload[4:8] for d in to_human if d.payload[1] & 0x7F == EVENT}
    assert len(presses) == 1


def check_books(transfer: dict[str, Any]) -> None:
    why = "the caller agreed by re-INVITE"
    assert transfer["joined"] == {"way": "engine", "codecs": "PCMU and PCMU", "why": why}
    assert transfer["outcome"] == "transferred"


def check_change(packets: list[Datagram], joined: float) -> None:
    """Nothing was missed while the codec changed: one source, each packet in its time."""
    kinds = [d.payload[1] & 0x7F for d in packets]
    assert (kinds[0], kinds[-1]) == (G722, PCMU)
    change = kinds.index(PCMU)
    assert set(kinds[change:]) == {PCMU}
    assert abs(packets[change].at - joined) < 1
    assert len({d.payload[8:12] for d in packets}) == 1
    numbers = np.array([int.from_bytes(d.payload[2:4]) for d in packets])
    assert set(np.diff(numbers) % 65536) == {1}
    assert max(np.diff([d.at for d in packets])) < LONGEST_GAP


def hears(packets: list[Datagram], tone: int) -> float:
    """Tell for how many seconds nothing but a tone is in packets of PCMU."""
    plain = [d.payload[12:] for d in packets if d.payload[1] & 0x7F == PCMU]
    samples = from_ulaw(b"".join(plain))
    pieces = samples[: len(samples) // 800 * 800].reshape(-1, 800)
    loud = [piece for piece in pieces if np.max(np.abs(piece)) > 0.1]
    return sum(share_of(piece, tone) > 0.9 for piece in loud) / 10
