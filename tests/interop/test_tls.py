"""TLS of those who call opensip, peers of Python's ssl: who is refused and why, and a reload."""

import contextlib
import ssl
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.fakes.certificates import Authority, Pair
from tests.fakes.tls_suites import RSA_SUITES, VERSIONS, limited, versions
from tests.interop.raw_peer import RawPeer
from tests.interop.server import Server

pytestmark = pytest.mark.interop
PLAIN, WIDE, LISTENER = "127.0.0.1", "127.0.0.3", ("127.0.0.9", 15061)
TRUNKS = """\
[trunks.plain]
networks = ["{plain}/32"]
srtp = "off"
[trunks.plain.numbers]
echo = "echo"
[trunks.mutual]
networks = ["127.0.2.0/24"]
client_certificate = true
tls_name = "carrier.example"
srtp = "off"
[trunks.mutual.outbound]
termination = "sip:127.0.2.1;transport=tls"
ca = "{ca}"
[trunks.mutual.numbers]
echo = "echo"
[trunks.wide]
networks = ["{wide}/32"]
tls = "bandwidth"
srtp = "off"
[trunks.wide.numbers]
echo = "echo"
[[sip.listeners]]
transport = "TLS"
profile = "bandwidth"
host = "{listener[0]}"
port = {listener[1]}
"""
HELD_CALLS = 50
LONGEST_GAP = 0.3  # seconds without a packet of the agent: a reload may not be heard


@pytest.fixture(scope="module")
def pairs(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Pair]:
    """Client certificates, by what is wrong with each."""
    foreign = Authority(tmp_path_factory.mktemp("foreign"), "somebody else's authority")
    return {
        "good": authority.sign("sip:carrier.example"),
        "expired": authority.sign("carrier.example", expired=True),
        "wrong name": authority.sign("other.example"),
        "unknown CA": foreign.sign("carrier.example"),
    }


@pytest.fixture(scope="module")
def server(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    trunks = TRUNKS.format(plain=PLAIN, wide=WIDE, listener=LISTENER, ca=authority.ca)
    running = Server(tmp_path_factory.mktemp("tls"), trunks=trunks)
    yield running
    running.stop()


def trusting(server: Server, pair: Pair | None = None) -> ssl.SSLContext:
    """Make a client's context that trusts the server and shows `pair`."""
    context = ssl.create_default_context(cafile=server.certs / "ca.pem")
    if pair is not None:
        context.load_cert_chain(pair.certificate, pair.key)
    return context


@versions
@pytest.mark.parametrize(
    ("shown", "why"),
    [
        ("nothing", "missing client certificate"),
        ("expired", "the certificate has expired"),
        ("wrong name", "wrong name: the certificate is made out to other.example"),
        ("unknown CA", "unknown CA"),
    ],
)
def test_a_caller_is_refused_with_the_reason(
    server: Server, pairs: dict[str, Pair], shown: str, why: str, version: ssl.TLSVersion
) -> None:
    context = trusting(server, pairs.get(shown))
    context.minimum_version = context.maximum_version = version
    source = f"127.0.2.{1 + VERSIONS.index(version)}"
    said = len(server.log())
    with contextlib.suppress(OSError):  # ssl.SSLError is one
        peer = RawPeer((server.host, server.tls_port), source, transport="TLS", tls=context)
        with contextlib.closing(peer):
            peer.target = f"sip:echo@{server.host}"
            peer.to = f"<{peer.target}>"
            peer.send(peer.request("OPTIONS"))
            assert peer.socket.recv(4096) == b"", "it was answered"
    assert why in wait_for_line(server, said, source)


def wait_for_line(server: Server, start: int, source: str) -> str:
    """Wait for what the server logs of a source after so much of its log."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        for line in server.log()[start:].splitlines():
            if '"kind": "tls"' in line and f'"source": "{source}"' in line:
                return line
        time.sleep(0.02)
    raise AssertionError(f"nothing is said of {source}:\n{server.log()[start:]}")


def test_a_caller_with_the_right_certificate_is_taken(
    server: Server, pairs: dict[str, Pair]
) -> None:
    check_call(server, trusting(server, pairs["good"]), "127.0.2.99")


def check_call(
    server: Server, context: ssl.SSLContext, source: str, at: tuple[str, int] | None = None
) -> str:
    """Make a whole call, and tell the suite that it went by."""
    at = at or (server.host, server.tls_port)
    peer = RawPeer(at, source, transport="TLS", tls=context)
    with contextlib.closing(peer):
        assert peer.invite("echo").status == 200
        assert peer.bye().status == 200
        assert isinstance(peer.socket, ssl.SSLSocket)
        suite = peer.socket.cipher()
        assert suite is not None
        return suite[0]


@pytest.mark.parametrize("suite", RSA_SUITES)
def test_rsa_key_exchange_is_spoken_to_its_trunk_and_its_listener_alone(
    server: Server, suite: str
) -> None:
    context = limited(trusting(server), suite)
    assert check_call(server, context, WIDE) == suite
    context.check_hostname = False  # the certificate of tests is made out to another address
    assert check_call(server, context, PLAIN, LISTENER) == suite
    context = limited(trusting(server), suite)
    with pytest.raises(ssl.SSLError):
        RawPeer((server.host, server.tls_port), PLAIN, transport="TLS", tls=context)
    assert "no cipher suite in common" in wait_for_line(server, 0, PLAIN)


def test_a_reload_under_fifty_calls_hurts_none(folder: Path, authority: Authority) -> None:
    server = Server(folder)
    at = (server.host, server.tls_port)
    peers = [RawPeer(at, PLAIN, transport="TLS", tls=trusting(server)) for _ in range(HELD_CALLS)]
    try:
        old = trusting(server)
        for peer in peers:
            assert peer.invite("echo").status == 200
        time.sleep(1)
        renew(server, authority)
        server.reload()
        time.sleep(1)
        check_call(server, trusting(server), PLAIN)  # it shows the new certificate
        with pytest.raises(ssl.SSLCertVerificationError):
            RawPeer(at, PLAIN, transport="TLS", tls=old)
        assert server.live()["calls"] == HELD_CALLS
        for peer in peers:
            check_unhurt(peer)
        records = server.wait_for_records(HELD_CALLS + 1)
        assert {record["ending"]["cause"] for record in records} == {"bye"}
    finally:
        for peer in peers:
            peer.close()
        server.stop()


def renew(server: Server, authority: Authority) -> None:
    """Put a certificate of another authority where the server's stands."""
    pair = authority.sign(server.host, rsa_key=True)
    for name, path in (("server.pem", pair.certificate), ("server.key", pair.key)):
        (server.certs / name).write_bytes(path.read_bytes())
    (server.certs / "ca.pem").write_bytes(authority.ca.read_bytes())


def check_unhurt(peer: RawPeer) -> None:
    """The voice never stopped, and the connection still carries requests of the call."""
    times = [at for at, _ in peer.rtp.heard]
    gap = max(later - sooner for sooner, later in pairwise(times))
    assert gap < LONGEST_GAP, f"{gap:.3f} s of silence"
    assert times[-1] > time.monotonic() - LONGEST_GAP
    peer.cseq += 1
    peer.send(peer.request("INVITE", body=peer.rtp.description()))
    assert peer.wait_for(200)
    peer.send(peer.request("ACK"))
    assert peer.bye().status == 200
