"""One server for all scenarios of a file, and a caller of plain sockets for each."""

from collections.abc import Callable, Iterator

import pytest

from tests.interop.raw_peer import RawPeer
from tests.interop.server import LOOPBACK_TRUNK, Server

TRUNK = LOOPBACK_TRUNK + '"+15553334444" = "echo"\n'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("scenarios"), trunks=TRUNK)
    yield running
    running.stop()


@pytest.fixture
def call(server: Server) -> Iterator[Callable[..., RawPeer]]:
    """Make callers: `call()` over UDP, `call("TCP")`, `call("TLS")`; each is let go afterwards."""
    peers = []

    def make(transport: str = "UDP") -> RawPeer:
        port = server.tls_port if transport == "TLS" else server.port
        ca = server.certs / "ca.pem"
        peer = RawPeer(("127.0.0.1", port), transport=transport, ca=ca)
        peer.target = f"sip:echo@127.0.0.1:{port}"
        peer.to = f"<{peer.target}>"
        peers.append(peer)
        return peer

    yield make
    for peer in peers:
        peer.close()
