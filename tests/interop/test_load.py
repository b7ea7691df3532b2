"""Calls by the hundred from SIPp, with voice."""

import time
from collections import defaultdict
from pathlib import Path

import pytest

from tests.interop import sipp
from tests.interop.capture import (
    SIPP_PORTS,
    SPEECH_SSRC,
    Datagram,
    datagrams,
    is_rtp,
    needs_capture,
    start_capture,
    stop_capture,
    write_speech,
)
from tests.interop.server import Server

pytestmark = [pytest.mark.interop, sipp.needs_sipp]

SPOKEN_PACKETS = 365  # of each caller: what fits into 8 s with the edges of the call left out
EDGE_PACKETS = 3  # may be missing of a call, where it begins and ends
LINGER_SECONDS = 40  # longer than any timer of a transaction (64 * T1)
CAPTURED_CALLS = 10


@pytest.mark.parametrize(
    ("transport", "calls"),
    [
        pytest.param("UDP", 25),
        pytest.param("UDP", 500, marks=[pytest.mark.long]),
        pytest.param("TCP", 500, marks=[pytest.mark.long]),
    ],
)
@needs_capture
def test_callers_with_voice_hear_their_echo(folder: Path, transport: str, calls: int) -> None:
    server = Server(folder)
    work = folder / "sipp"
    work.mkdir()
    write_speech(work / "speech.pcap", packets=SPOKEN_PACKETS)
    capture = start_capture(folder / "voice.pcap")
    try:
        baseline = settled(server.live())
        process = sipp.start(
            work, "uac_echo", f"127.0.0.1:{server.port}", "-s", "echo", "-r", "25",
            "-m", str(calls), "-l", "300", "-mp", str(SIPP_PORTS), "-p", "15999",
            transport=transport,
        )  # fmt: skip
        counts = sipp.finish(process, work, seconds=60 + calls / 25 + 8)
        ended = time.monotonic()
        stop_capture(capture)
        assert counts["successful"] == calls, sipp.errors(work)
        assert counts["failed"] == 0, sipp.errors(work)
        check_voice(folder / "voice.pcap", calls)
        if calls == 500:
            time.sleep(max(0.0, ended + LINGER_SECONDS - time.monotonic()))
            assert settled(server.live()) == baseline
    finally:
        stop_capture(capture)
        server.stop()


def settled(live: dict[str, object]) -> dict[str, object]:
    """The counts that must come back to where they were."""
    names = ("dialogs", "transactions", "calls", "ports", "tasks")
    return {name: live[name] for name in names}


def check_voice(path: Path, calls: int) -> None:
    """Count the packets of every call both ways; compare the payload of the first ten."""
    there: dict[tuple[int, int], list[Datagram]] = defaultdict(list)
    back: dict[tuple[int, int], list[Datagram]] = defaultdict(list)
    for datagram in datagrams(path):
        if not is_rtp(datagram.payload):
            continue
        if datagram.source[1] >= SIPP_PORTS:
            if datagram.payload[8:12] != SPEECH_SSRC.to_bytes(4):
                continue  # of a test that runs beside
            there[datagram.source[1], datagram.destination[1]].append(datagram)
        else:
            back[datagram.destination[1], datagram.source[1]].append(datagram)
    assert len(there) == calls
    for n, (ports, spoken) in enumerate(there.items()):
        echoed = back[ports]
        assert len(spoken) >= SPOKEN_PACKETS - EDGE_PACKETS
        assert len(echoed) >= len(spoken) - EDGE_PACKETS, (ports, len(spoken), len(echoed))
        if n < CAPTURED_CALLS:
            said = [datagram.payload[12:] for datagram in spoken]
            heard = [payload for d in echoed if (payload := d.payload[12:]) in set(said)]
            assert heard[0] in said[:EDGE_PACKETS]
            first = said.index(heard[0])
            assert heard == said[first : first + len(heard)]
            assert len(heard) >= len(said) - EDGE_PACKETS
