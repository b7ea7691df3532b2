"""A server behind 1:1 NAT: its public address stands in signalling, and a call has audio."""

from pathlib import Path

import pytest

from tests.interop import sipp
from tests.interop.capture import (
    SIPP_PORTS,
    needs_capture,
    start_capture,
    stop_capture,
    write_speech,
)
from tests.interop.namespaces import (
    INSIDE,
    OUTSIDE,
    PUBLIC,
    needs_namespaces,
    translated_hosts,
    within,
)
from tests.interop.server import Server
from tests.interop.test_load import SPOKEN_PACKETS, check_voice

pytestmark = [pytest.mark.interop, sipp.needs_sipp, needs_namespaces, needs_capture]

TRUNK = f"""\
[trunks.outside]
networks = ["{OUTSIDE}/32"]
srtp = "off"
[trunks.outside.numbers]
echo = "echo"
"""
CALLS = 3


def test_the_public_address_carries_calls_with_audio(folder: Path) -> None:
    names = ("opensip-inside", "opensip-router", "opensip-outside")
    with translated_hosts(*names):
        outside = within(names[2], [])
        server = Server(
            folder, trunks=TRUNK, host=INSIDE, public=PUBLIC, within=within(names[0], [])
        )
        work = folder / "sipp"
        work.mkdir()
        write_speech(work / "speech.pcap", packets=SPOKEN_PACKETS)
        capture = start_capture(folder / "voice.pcap", "v0", outside)
        try:
            process = sipp.start(
                work, "uac_echo", f"{PUBLIC}:{server.port}", "-s", "echo", "-m", str(CALLS),
                "-r", "3", "-mp", str(SIPP_PORTS), "-trace_msg", "-message_file", "messages.log",
                local=OUTSIDE, within=outside,
            )  # fmt: skip
            counts = sipp.finish(process, work, seconds=30)
        finally:
            stop_capture(capture)
            server.stop()
        assert (counts["successful"], counts["failed"]) == (CALLS, 0), sipp.errors(work)
        check_voice(folder / "voice.pcap", CALLS)
        seen = (work / "messages.log").read_text()
        assert f"Contact: <sip:{PUBLIC}:{server.port}" in seen
        assert f"c=IN IP4 {PUBLIC}" in seen
        assert INSIDE not in seen
