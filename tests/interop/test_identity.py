"""Signed numbers on the wire: a foreign signer, its HTTPS server, and each policy of a trunk.

Signer, web server and telephone are plain sockets and `cryptography`: nothing of opensip's writes
what opensip verifies.
"""

import ssl
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.fakes.certificates import Authority
from tests.fakes.stir import StirAuthority, StirSigner
from tests.interop.raw_peer import Message, RawPeer
from tests.interop.server import Server

pytestmark = pytest.mark.interop

CALLER, POLICIES = "15551112222", ("off", "annotate", "prefer", "enforce")
TRUNKS = """\
[identity]
anchors = "{folder}/roots.pem"
ca = "{folder}/ca.pem"
ports = [{port}]
networks = ["127.0.0.1/32"]
"""
TRUNK = """\
[trunks.{name}]
networks = ["{address}/32"]
srtp = "off"
identity = "{name}"
[trunks.{name}.numbers]
"+15553334444" = "echo"
"""


@dataclass
class Web:
    """An HTTPS server that holds the chains of signers, and counts what it was asked for."""

    authority: Authority
    pages: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        web = self

        class Asked(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.asked.append(self.path)
                page = web.pages.get(self.path)
                self.send_response(302 if page is None else 200)
                self.send_header("Location", "/a.pem")
                self.end_headers()
                self.wfile.write(page or b"")

            def log_message(self, *_: object) -> None:
                """Say nothing on standard error."""

        pair = self.authority.sign("localhost", "127.0.0.1")
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(pair.certificate, pair.key)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Asked)
        self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def url(self, path: str = "/a.pem") -> str:
        return f"https://localhost:{self.port}{path}"

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@dataclass
class World:
    """A signer, its web server, and a server with one trunk for each policy."""

    signer: StirSigner
    web: Web
    server: Server

    def call(self, policy: str, *identities: str, caller: str = CALLER) -> tuple[Message, dict]:
        """Call by the trunk of that policy; returns the final response and the record."""
        address = f"127.0.0.{11 + POLICIES.index(policy)}"
        headers = "".join(f"Identity: {identity}\r\n" for identity in identities)
        headers += f"P-Asserted-Identity: <sip:+{caller}@{address}>\r\n"
        with closing(RawPeer(("127.0.0.1", self.server.port), address)) as phone:
            answer = dial(phone, headers)
            if answer.status == 200:
                phone.bye()
            return answer, self.server.wait_for_record(phone.call_id)


def dial(phone: RawPeer, headers: str) -> Message:
    uri = f"sip:+15553334444@{phone.server[0]}:{phone.server[1]}"
    phone.to, phone.target, branch = f"<{uri}>", uri, phone.call_id.partition("@")[0]
    body = phone.rtp.description()
    phone.send(phone.request("INVITE", extra=headers, body=body, branch=branch))
    while (answer := phone.receive()) is not None and answer.status < 200:
        pass
    assert answer is not None, "no final response"
    phone.to = answer.one("To")
    if answer.status == 200:
        phone.target = answer.one("Contact").split("<")[1].split(">")[0]
        branch += "-ack"
    phone.send(phone.request("ACK", branch=branch))
    return answer


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("identity")
    roots = StirAuthority()
    signer = roots.signer(through=True)
    (folder / "roots.pem").write_bytes(roots.pem)
    authority = Authority(folder)
    with closing(Web(authority, {"/a.pem": signer.chain})) as web:
        text = TRUNKS.format(folder=folder, port=web.port)
        for n, name in enumerate(POLICIES):
            text += TRUNK.format(name=name, address=f"127.0.0.{11 + n}")
        server = Server(folder, trunks=text)
        yield World(signer, web, server)
        server.stop()


@pytest.mark.parametrize("policy", POLICIES)
def test_a_signed_number_is_answered(world: World, policy: str) -> None:
    identity = world.signer.identity(CALLER, url=world.web.url())
    answer, record = world.call(policy, identity)
    assert answer.status == 200
    assert record["identity"].get("outcome", "") == ("" if policy == "off" else "passed")
    assert record["identity"].get("attestation", "") == ("" if policy == "off" else "A")
    assert (record["number"]["number"], record["number"]["type"]) == ("+15551112222", "UNKNOWN")


def test_a_certificate_is_fetched_once(world: World) -> None:
    world.web.pages["/once.pem"] = world.signer.chain
    for _ in range(3):
        identity = world.signer.identity(CALLER, url=world.web.url("/once.pem"))
        assert world.call("enforce", identity)[0].status == 200
    assert world.web.asked.count("/once.pem") == 1


@pytest.mark.parametrize(
    ("kind", "statuses"),
    [
        ("forged", (200, 200, 438, 438)),
        ("old", (200, 200, 403, 403)),
        ("of other roots", (200, 200, 437, 437)),
        ("redirected", (200, 200, 200, 436)),
        ("inside", (200, 200, 200, 436)),
        ("missing", (200, 200, 200, 428)),
    ],
)
def test_the_policy_of_a_trunk_decides(world: World, kind: str, statuses: tuple[int, ...]) -> None:
    stranger = StirAuthority().signer()
    world.web.pages["/stranger.pem"] = stranger.chain
    url = world.web.url()
    identities = {
        "forged": [world.signer.identity("15559999999", url=url)],
        "old": [world.signer.identity(CALLER, url=url, iat=1_700_000_000)],
        "of other roots": [stranger.identity(CALLER, url=world.web.url("/stranger.pem"))],
        "redirected": [world.signer.identity(CALLER, url=world.web.url("/gone.pem"))],
        "inside": [world.signer.identity(CALLER, url=url.replace("localhost", "127.0.0.2"))],
        "missing": [],
    }[kind]
    for policy, status in zip(POLICIES, statuses, strict=True):
        answer, record = world.call(policy, *identities)
        assert answer.status == status, (policy, record["identity"])
        if status != 200:
            assert answer.one("Reason").startswith(f"STIR;cause={status};")
            assert record["ending"]["cause"].startswith("identity: ")


def test_the_phrase_of_an_old_signature_is_that_of_rfc_8224(world: World) -> None:
    old = world.signer.identity(CALLER, url=world.web.url(), iat=1_700_000_000)
    assert world.call("enforce", old)[0].start == "SIP/2.0 403 Stale Date"
