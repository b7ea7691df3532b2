"""Nobody outside decides where a call goes: REFER and Replaces are declined, the call goes on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.raw_peer import RawPeer
from tests.interop.server import Server

pytestmark = pytest.mark.interop


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    running = Server(folder)
    yield running
    running.stop()


def tag_of(value: str) -> str:
    return value.partition(";tag=")[2].partition(";")[0]


def test_a_call_is_neither_sent_away_nor_taken_over(server: Server) -> None:
    peer = RawPeer((server.host, server.port))
    other = RawPeer((server.host, server.port))
    try:
        answer = peer.invite("tone")
        peer.cseq += 1
        peer.send(peer.request("REFER", extra="Refer-To: <sip:911@127.0.0.1>\r\n"))
        declined = peer.receive()
        assert declined is not None
        assert declined.status == 603
        ours = f"to-tag={tag_of(answer.one('To'))};from-tag=raw"
        wanted = {
            f"{peer.call_id};{ours}": 603,
            f"{peer.call_id};{ours};early-only": 486,
            f"{peer.call_id};to-tag=x;from-tag=raw": 481,
            f"{peer.call_id};to-tag=x": 400,
        }
        for value, status in wanted.items():
            other.cseq += 1
            other.target = f"sip:tone@{server.host}:{server.port}"
            other.to, branch = f"<{other.target}>", f"replaces{other.cseq}"
            body, extra = other.rtp.description(), f"Replaces: {value}\r\n"
            other.send(other.request("INVITE", extra=extra, body=body, branch=branch))
            refusal = other.wait_for(status)
            other.to = refusal.one("To")
            other.send(other.request("ACK", branch=branch))
        assert peer.bye().status == 200
        assert len(server.wait_for_records(1)) == 1
    finally:
        peer.close()
        other.close()
