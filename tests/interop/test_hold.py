"""Hold in all its styles, and what a session must survive, asked by a peer of plain sockets."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.raw_peer import Message, RawPeer
from tests.interop.server import Server

pytestmark = pytest.mark.interop

STILL = 0.3  # seconds without a packet: the server sends one each 20 ms
FAX = "m=image 6000 udptl t38\r\na=T38FaxVersion:0\r\n"


@pytest.fixture
def peer(folder: Path) -> Iterator[RawPeer]:
    """A peer that is in a call, and hears the line test's tone."""
    server = Server(folder)
    peer = RawPeer((server.host, server.port))
    peer.invite("tone")
    assert hears(peer)
    yield peer
    peer.bye()
    peer.close()
    server.stop()


def hears(peer: RawPeer) -> bool:
    """Tell whether RTP comes, once what was on its way has come."""
    time.sleep(0.1)
    before = len(peer.rtp.heard)
    time.sleep(STILL)
    return len(peer.rtp.heard) - before > 5


def offer(peer: RawPeer, method: str, body: str) -> Message:
    """Change the session, and acknowledge; give the final response."""
    peer.cseq += 1
    branch = str(time.time_ns())
    peer.send(peer.request(method, body=body, branch=branch))
    while (answer := peer.receive()) is not None and answer.status < 200:
        pass
    assert answer is not None
    if method == "INVITE":
        peer.send(peer.request("ACK", branch=branch if answer.status >= 300 else ""))
    return answer


def held(peer: RawPeer, style: str) -> str:
    """Our description, on hold."""
    body = peer.rtp.description()
    if style == "0.0.0.0":
        return body.replace(f"c=IN IP4 {peer.address}", "c=IN IP4 0.0.0.0")
    return f"{body}a={style}\r\n"


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_hold_and_resume_in_all_styles(peer: RawPeer, method: str) -> None:
    answers = {"sendonly": "recvonly", "inactive": "inactive", "0.0.0.0": "recvonly"}
    for style, expected in answers.items():
        answer = offer(peer, method, held(peer, style))
        assert answer.status == 200
        assert f"a={expected}" in answer.body.splitlines(), style
        assert not hears(peer), style
        answer = offer(peer, method, peer.rtp.description())
        assert answer.status == 200
        assert "a=recvonly" not in answer.body
        assert hears(peer), style


def test_resume_without_an_offer(peer: RawPeer) -> None:
    offer(peer, "INVITE", held(peer, "sendonly"))
    assert not hears(peer)
    peer.cseq += 1
    peer.send(peer.request("INVITE"))
    theirs = peer.wait_for(200)
    assert "m=audio" in theirs.body
    assert "a=recvonly" not in theirs.body
    peer.send(peer.request("ACK", body=peer.rtp.description()))
    assert hears(peer)


def test_a_fax_is_refused_and_the_audio_goes_on(peer: RawPeer) -> None:
    head = peer.rtp.description().partition("m=audio")[0]
    answer = offer(peer, "INVITE", head + FAX)
    assert answer.status == 488
    assert answer.one("Warning").startswith("3")
    assert hears(peer)


def test_further_streams_are_refused_alone(peer: RawPeer) -> None:
    video = "m=video 7000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
    answer = offer(peer, "INVITE", peer.rtp.description() + video + FAX)
    assert answer.status == 200
    media = [line.split()[:2] for line in answer.body.splitlines() if line.startswith("m=")]
    assert [kind for kind, _ in media] == ["m=audio", "m=video", "m=image"]
    assert [port == "0" for _, port in media] == [False, True, True]
    assert hears(peer)


def test_info_brings_digits_and_no_packages(peer: RawPeer) -> None:
    statuses = []
    for kind, body, extra in (
        ("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", ""),
        ("application/dtmf", "5", ""),
        ("text/plain", "x", "Info-Package: quiz\r\n"),
        ("application/json", "{}", ""),
    ):
        peer.cseq += 1
        peer.send(peer.request("INFO", kind=kind, body=body, extra=extra))
        answer = peer.receive()
        assert answer is not None
        statuses.append(answer.status)
    assert statuses == [200, 200, 469, 415]
