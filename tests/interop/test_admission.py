"""The digest table on the wire: who proves what, and what each attempt is answered with.

The telephone here is plain sockets and its own digest (RFC 7616): nothing of opensip's answers
opensip's challenges.
"""

import hashlib
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.interop.raw_peer import Message, RawPeer
from tests.interop.server import Server, opensip

pytestmark = pytest.mark.interop

USER, PASSWORD, WRONG = "alice", "correct horse battery", "correct horse"
NONCE_SECONDS = 2
TRUNK = f"""\
[trunks.phones]
srtp = "off"
[trunks.phones.users.{USER}]
password = "{{password}}"
[trunks.phones.numbers]
echo = "echo"
other = "echo"
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("admission")
    (folder / "password").write_text(PASSWORD + "\n")
    trunk = TRUNK.format(password=f"file:{folder}/password")
    running = Server(folder, trunks=trunk, sip=f"nonce_seconds = {NONCE_SECONDS}")
    yield running
    running.stop()


@pytest.fixture(params=["UDP", "TCP"])
def phone(server: Server, request: pytest.FixtureRequest) -> Iterator["Phone"]:
    with closing(Phone(("127.0.0.1", server.port), transport=request.param)) as phone:
        yield phone


class Phone(RawPeer):
    """Calls `echo`, with credentials or without."""

    def call(self, credentials: str = "", *, number: str = "echo") -> Message:
        """Send one INVITE, acknowledge its final response and return that."""
        uri = f"sip:{number}@{self.server[0]}:{self.server[1]}"
        self.cseq += 1
        extra = f"Authorization: {credentials}\r\n" if credentials else ""
        branch, body = str(time.time_ns()), self.rtp.description()
        self.to = f"<{uri}>"
        self.send(self.request("INVITE", uri=uri, extra=extra, body=body, branch=branch))
        while (answer := self.receive()) is not None and answer.status < 200:
            pass
        assert answer is not None, "no final response"
        self.to = answer.one("To")
        self.target = uri
        if answer.status < 300:
            self.target = answer.one("Contact").split("<")[1].split(">")[0]
            self.send(self.request("ACK"))
        else:
            self.send(self.request("ACK", uri=uri, branch=branch))
        return answer

    def challenge(self, algorithm: str = "SHA-256") -> dict[str, str]:
        """Call without credentials, and return the challenge of that algorithm."""
        return challenge_of(self.call(), algorithm)


def challenge_of(response: Message, algorithm: str = "SHA-256") -> dict[str, str]:
    assert response.status == 401, response.start
    challenges = [parameters(value) for value in response.all("WWW-Authenticate")]
    return next(found for found in challenges if found["algorithm"] == algorithm)


def parameters(value: str) -> dict[str, str]:
    return dict(re.findall(r'([\w-]+)="?([^",]*)"?', value.removeprefix("Digest ")))


def answer_to(
    challenge: dict[str, str], uri: str, *, user: str = USER, password: str = PASSWORD, nc: int = 1
) -> str:
    """Answer a challenge as RFC 7616 section 3.4.1 has it."""
    digest = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[challenge["algorithm"]]

    def h(text: str) -> str:
        return digest(text.encode()).hexdigest()

    realm, nonce = challenge["realm"], challenge["nonce"]
    a1, a2 = h(f"{user}:{realm}:{password}"), h(f"INVITE:{uri}")
    response = h(f"{a1}:{nonce}:{nc:08x}:c0ffee:auth:{a2}")
    return (
        f'Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", '
        f'response="{response}", algorithm={challenge["algorithm"]}, cnonce="c0ffee", '
        f"qop=auth, nc={nc:08x}"
    )


def uri_of(phone: Phone, number: str = "echo") -> str:
    return f"sip:{number}@{phone.server[0]}:{phone.server[1]}"


@pytest.mark.parametrize("algorithm", ["SHA-256", "MD5"])
def test_the_right_password_opens_the_door(phone: Phone, algorithm: str) -> None:
    challenge = phone.challenge(algorithm)
    assert phone.call(answer_to(challenge, uri_of(phone))).status == 200
    phone.bye()


def test_a_wrong_password_and_an_unknown_user_get_the_same_answer(phone: Phone) -> None:
    refusals = []
    for user, password in ((USER, WRONG), ("nobody", PASSWORD)):
        phone.call_id = f"{user}-{time.time_ns()}"
        credentials = answer_to(phone.challenge(), uri_of(phone), user=user, password=password)
        refusals.append(phone.call(credentials))
    assert [refusal.status for refusal in refusals] == [401, 401]
    assert "stale" not in challenge_of(refusals[0])
    first, second = (with_no_tokens(refusal) for refusal in refusals)
    assert first == second


def with_no_tokens(response: Message) -> list[str]:
    """What a peer can tell two refusals apart by."""
    lines = [response.start, *(f"{name}: {value}" for name, value in response.headers)]
    fresh = r'branch=\w+|tag=\w+|nonce="[^"]+"|^Call-ID:.*|^CSeq:.*|^Date:.*'
    return [re.sub(fresh, "", line) for line in lines]


def test_a_count_that_was_used_is_stale_and_the_next_is_good(phone: Phone) -> None:
    challenge = phone.challenge()
    credentials = answer_to(challenge, uri_of(phone))
    assert phone.call(credentials).status == 200
    phone.bye()
    phone.call_id = f"again-{time.time_ns()}"
    assert challenge_of(phone.call(credentials))["stale"] == "true"
    assert phone.call(answer_to(challenge, uri_of(phone), nc=2)).status == 200
    phone.bye()


def test_a_wrong_password_under_a_used_count_is_not_told_that_it_is_stale(phone: Phone) -> None:
    challenge = phone.challenge()
    assert phone.call(answer_to(challenge, uri_of(phone))).status == 200
    phone.bye()
    phone.call_id = f"guess-{time.time_ns()}"
    guess = answer_to(challenge, uri_of(phone), password=WRONG)
    assert "stale" not in challenge_of(phone.call(guess))


def test_a_nonce_grows_old(phone: Phone) -> None:
    challenge = phone.challenge()
    time.sleep(NONCE_SECONDS + 0.2)  # real time, for the server is another process
    renewed = challenge_of(phone.call(answer_to(challenge, uri_of(phone))))
    assert renewed["stale"] == "true"
    assert phone.call(answer_to(renewed, uri_of(phone))).status == 200
    phone.bye()


def test_an_answer_for_another_uri_proves_nothing(phone: Phone) -> None:
    credentials = answer_to(phone.challenge(), uri_of(phone, "other"))
    assert challenge_of(phone.call(credentials)).get("stale") is None
    phone.call_id = f"moved-{time.time_ns()}"
    credentials = answer_to(phone.challenge(), uri_of(phone))
    assert phone.call(credentials, number="other").status == 401


def test_a_nonce_is_good_for_its_own_source_alone(server: Server) -> None:
    with (
        closing(Phone(("127.0.0.1", server.port), "127.0.0.4")) as asking,
        closing(Phone(("127.0.0.1", server.port), "127.0.0.5")) as using,
    ):
        credentials = answer_to(asking.challenge(), uri_of(asking))
        assert challenge_of(using.call(credentials))["stale"] == "true"
        assert asking.call(credentials).status == 200
        asking.bye()


# ---- a peer that never has enough


class Challenger:
    """Answers every INVITE with a new challenge, over UDP or TCP, and counts the answers."""

    def __init__(self, transport: str, *, stale: bool) -> None:
        kind = socket.SOCK_DGRAM if transport == "UDP" else socket.SOCK_STREAM
        self._socket = socket.socket(socket.AF_INET, kind)
        self._socket.bind(("127.0.0.1", 0))
        self._stale = ", stale=true" if stale else ""
        self.port = self._socket.getsockname()[1]
        self.answers: list[str] = []
        self._seen: set[str] = set()
        run = self._datagrams if transport == "UDP" else self._stream
        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()

    def _datagrams(self) -> None:
        with self._socket:
            while True:
                data, source = self._socket.recvfrom(65535)
                for response in self._respond(data):
                    self._socket.sendto(response, source)

    def _stream(self) -> None:
        with self._socket:
            self._socket.listen()
            while True:
                connection, _ = self._socket.accept()
                with connection:
                    while data := connection.recv(65535):
                        for response in self._respond(data):
                            connection.sendall(response)

    def _respond(self, data: bytes) -> Iterator[bytes]:
        for piece in re.split(rb"(?=INVITE sip:[^\r]*SIP/2\.0\r\n)", data):
            if not piece.startswith(b"INVITE"):
                continue
            request = Message.parse(piece)
            if (branch := request.all("Via")[0]) in self._seen:
                continue  # a retransmission
            self._seen.add(branch)
            self.answers += request.all("Authorization")
            copied = "".join(
                f"{name}: {value}{';tag=c' if name.lower() == 'to' else ''}\r\n"
                for name, value in request.headers
                if name.lower() in {"via", "from", "to", "call-id", "cseq"}
            )
            yield (
                f"SIP/2.0 401 Unauthorized\r\n{copied}WWW-Authenticate: Digest "
                f'realm="trunk.example", nonce="n{len(self._seen)}", qop="auth", '
                f"algorithm=MD5{self._stale}\r\nContent-Length: 0\r\n\r\n"
            ).encode()


OUTBOUND = """\
data = "{folder}/data"
agent_files = []
trunk_files = []
[[sip.listeners]]
transport = "UDP"
host = "127.0.0.1"
port = 5060
[media]
address = "127.0.0.1"
[trunks.carrier]
srtp = "off"
[trunks.carrier.outbound]
termination = "sip:127.0.0.1:{port};transport={transport}"
username = "alice"
password = "file:{folder}/password"
realms = ["trunk.example"]
caller_ids = ["+15550001111"]
"""


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
@pytest.mark.parametrize("stale", [False, True])
def test_who_challenges_for_ever_gets_two_answers_at_most(
    folder: Path, transport: str, stale: bool
) -> None:
    peer = Challenger(transport, stale=stale)
    (folder / "password").write_text(PASSWORD + "\n")
    config = folder / "opensip.toml"
    config.write_text(OUTBOUND.format(folder=folder, port=peer.port, transport=transport.lower()))
    command = ["dial", "+19195551234", "--trunk", "carrier", "--agent", "tone"]
    done = opensip(*command, "--config", str(config), seconds=40)
    assert done.returncode != 0
    assert "401" in done.stdout + done.stderr
    assert len(peer.answers) == (2 if stale else 1)
