"""Connections that go away: RFC 3261 section 18.2.2, by a peer of plain sockets."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.raw_peer import Message, RawPeer
from tests.interop.server import Server

pytestmark = pytest.mark.interop


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    running = Server(folder)
    yield running
    running.stop()


def test_a_200_comes_by_a_new_connection_where_that_of_the_invite_is_gone(server: Server) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.5", 0))
        listener.listen()
        listener.settimeout(10)
        where = f"127.0.0.5:{listener.getsockname()[1]}"
        peer = RawPeer((server.host, server.port), "127.0.0.5", transport="TCP")
        peer.target = f"sip:tone@{server.host}:{server.port}"
        peer.to = f"<{peer.target}>"
        invite = peer.request("INVITE", body=peer.rtp.description())
        peer.send(invite.replace(f"127.0.0.5:{peer.port}", where))
        assert peer.wait_for(200)
        peer.socket.close()
        peer.socket, _ = listener.accept()  # our ACK never came: the 200 comes again
        again = peer.wait_for(200)
        peer.to, peer.target = again.one("To"), contact_of(again)
        peer.send(peer.request("ACK"))
        assert peer.bye().status == 200
        peer.close()
        assert server.wait_for_records(1)[0]["ending"]["side"] == "caller"


def contact_of(message: Message) -> str:
    return message.one("Contact").split("<")[1].split(">")[0]
