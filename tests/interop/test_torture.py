"""The torture messages of RFC 4475 and RFC 5118 on the wire, over UDP, TCP and TLS."""

import json
import re
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from tests.interop.server import Server

ROOT = Path(__file__).parents[2] / "../shared/sip-torture"
pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(
        not ROOT.exists(), reason="the torture messages (../shared/sip-torture) are not here"
    ),
]

PATIENCE = 5.0  # seconds that an answer may take
QUIET = 0.05  # seconds after the answer to OPTIONS in which a late answer would have come
MESSAGE_TIMER = 10.0  # seconds that a stranger's message may take from its first byte to its last
SLACK = 3.0
FIRST_ADDRESS = IPv4Address("127.75.0.1")  # each message comes from an address of its own
# Nobody can tell where these end: on a stream the connection is to be closed.
BREAKS = {"ncl", "mcl01", "inv2543"}
# These have more octets than they say: on a stream the rest would be the next message's beginning.
TRAILING = {"dblreq", "ipv6-in-sdp", "mult-ip-in-sdp", "ipv4-mapped-ipv6"}
# Its length lies: on a stream the rest is waited for.
NEVER_WHOLE = {"clerr"}
_VIA = re.compile(
    rb"^(?:via|v)[ \t]*:\s*SIP\s*/\s*2\.0\s*/\s*\w+\s+(?:\[[^]]*\]|[^;:,\s]+)\s*(?::\s*(\d+))?",
    re.I | re.M,
)


@dataclass(frozen=True)
class Case:
    """A message and what the index of its folder says of it."""

    name: str
    data: bytes
    address: str
    accept: tuple[str, ...]
    must_not: tuple[str, ...]

    @property
    def may_be_dropped(self) -> bool:
        return "drop" in self.accept

    @property
    def port(self) -> int:
        """Where responses go over UDP, for none of them asks for rport."""
        found = _VIA.search(self.data)
        return int(found[1] or 5060) if found else 5060

    def check(self, statuses: list[int]) -> None:
        """Compare the final responses with the verdict; there may be one at most."""
        final = [status for status in statuses if status >= 200]
        assert len(final) <= 1, f"{self.name} was answered {statuses}"
        if not final:
            assert self.may_be_dropped, f"{self.name} was not answered"
            return
        status = final[0]
        assert any(_covers(word, status) for word in self.accept), f"{self.name}: {status}"
        assert not any(_covers(word, status) for word in self.must_not), f"{self.name}: {status}"


def _covers(word: str, status: int) -> bool:
    if word == "any4xx5xx":
        return 400 <= status < 600
    return word == str(status) or (word.endswith("xx") and word[0] == str(status)[0])


def _cases() -> Iterator[Case]:
    number, seen = 0, set[bytes]()
    for folder in ("rfc4475", "rfc5118"):
        path = ROOT / folder / "verdicts.json"
        for verdict in json.loads(path.read_text()) if path.exists() else ():
            name = verdict.get("name") or verdict["file"]
            # RFC 5118 only says what is well-formed: any answer but 400, or 400, if any.
            good = ["2xx", "401", "403", "404", "405", "481", "488", "501"]
            accept = verdict.get("accept") or (good if verdict["valid"] else ["400", "drop"])
            data = _unlike(seen, (ROOT / folder / f"{name}.dat").read_bytes(), number)
            yield Case(
                *(name, data, str(FIRST_ADDRESS + number)),
                tuple(accept), tuple(verdict.get("must_not", ())),
            )  # fmt: skip
            number += 1


def _unlike(seen: set[bytes], data: bytes, number: int) -> bytes:
    """Change a branch or Call-ID that stands in a message before: that were the same request."""
    for pattern in (rb"branch\s*=\s*z9hG4bK[\w.-]+", rb"(?im)^call-id\s*:\s*[^@\s]+"):
        found = re.search(pattern, data)
        if found is not None and found[0] in seen:
            data = data.replace(found[0], found[0] + b".%d" % number, 1)
        elif found is not None:
            seen.add(found[0])
    return data


CASES = list(_cases()) if ROOT.exists() else []


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    running = Server(folder)
    yield running
    running.stop()


class Stream:
    """A TCP or TLS connection to the server from `address`."""

    def __init__(self, server: Server, transport: str, address: str) -> None:
        port = server.tls_port if transport == "TLS" else server.port
        self.transport, self.buffer = transport, b""
        plain = socket.create_connection(("127.0.0.1", port), source_address=(address, 0))
        self.socket: socket.socket = plain
        if transport == "TLS":
            context = ssl.create_default_context(cafile=str(server.certs / "ca.pem"))
            self.socket = context.wrap_socket(plain, server_hostname="127.0.0.1")

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def receive(self, seconds: float) -> bytes | None:
        """Give the next message, b"" once the server has closed, None after `seconds`."""
        end = time.monotonic() + seconds
        while (message := self._whole()) is None:
            self.socket.settimeout(max(0.001, end - time.monotonic()))
            try:
                data = self.socket.recv(65535)
            except TimeoutError:
                return None
            except ConnectionError:
                return b""
            if not data:
                return b""
            self.buffer += data
        self.buffer = self.buffer[len(message) :]
        return message

    def _whole(self) -> bytes | None:
        head, blank, body = self.buffer.partition(b"\r\n\r\n")
        if not blank:
            return None
        length = int(re.findall(rb"(?im)^content-length: *(\d+)", head)[0])
        return head + blank + body[:length] if len(body) >= length else None


class Datagrams:
    """A UDP socket at the port that a message's Via names."""

    transport = "UDP"

    def __init__(self, server: Server, case: Case) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((case.address, case.port))
        self.socket.connect(("127.0.0.1", server.port))

    def __enter__(self) -> "Datagrams":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def receive(self, seconds: float) -> bytes | None:
        self.socket.settimeout(max(0.001, seconds))
        try:
            return self.socket.recv(65535)
        except TimeoutError:
            return None


def _status(message: bytes) -> int:
    assert message.startswith(b"SIP/2.0 "), message
    return int(message.split()[1])


def _options(transport: str) -> bytes:
    return (
        f"OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{transport} 127.0.0.1;"
        f"branch=z9hG4bK{time.time_ns()};rport\r\nMax-Forwards: 70\r\n"
        f"From: <sip:probe@127.0.0.1>;tag=p\r\nTo: <sip:127.0.0.1>\r\n"
        f"Call-ID: probe-{time.time_ns()}\r\nCSeq: 7070 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def _answers(wire: Stream | Datagrams, case: Case) -> tuple[list[int], bool]:
    """Collect the statuses that answer what was sent; tell whether the server hung up."""
    statuses: list[int] = []
    while not any(status >= 200 for status in statuses):
        message = wire.receive(PATIENCE if not case.may_be_dropped else QUIET)
        if not message:
            return statuses, message == b""
        statuses.append(_status(message))
    return statuses, False


def _still_answers(wire: Stream | Datagrams) -> list[int]:
    """Send OPTIONS, wait for its 200, and give the statuses of what else came."""
    wire.send(_options(wire.transport))
    others: list[int] = []
    end = time.monotonic() + PATIENCE
    while (message := wire.receive(end - time.monotonic())) is not None:
        assert message, "the server closed the connection"
        if b"7070 OPTIONS" in message:
            assert _status(message) == 200
            return others
        others.append(_status(message))
    raise AssertionError("no answer to OPTIONS")


def test_over_udp_every_verdict_is_met_and_options_answered_after_it(server: Server) -> None:
    for case in CASES:
        with Datagrams(server, case) as wire:
            wire.send(case.data)
            statuses, _ = _answers(wire, case)
            others = _still_answers(wire)
            # A failure of an INVITE comes again, for the message's sender sends no ACK.
            case.check(statuses + [status for status in others if status not in statuses])


@pytest.mark.parametrize("transport", ["TCP", "TLS"])
def test_over_a_stream_every_verdict_is_met_and_options_answered_after_it(
    server: Server, transport: str
) -> None:
    for case in CASES:
        if case.name in NEVER_WHOLE:
            continue
        with Stream(server, transport, case.address) as wire:
            wire.send(case.data)
            statuses, closed = _answers(wire, case)
            if case.name == "dblreq":
                assert len(_next_answers(wire)) == 1
            case.check(statuses)
            if case.name in BREAKS:
                assert closed or wire.receive(PATIENCE) == b"", f"{case.name} leaves it open"
            elif case.name not in TRAILING:
                assert not closed, f"{case.name} closed the connection"
                assert _still_answers(wire) == [], case.name
        if case.name in BREAKS | TRAILING:
            with Stream(server, transport, case.address) as wire:
                assert _still_answers(wire) == []


def _next_answers(wire: Stream) -> list[int]:
    statuses: list[int] = []
    while not any(status >= 200 for status in statuses):
        message = wire.receive(PATIENCE)
        assert message, "the second message was not answered"
        statuses.append(_status(message))
    return [status for status in statuses if status >= 200]


def test_what_never_becomes_whole_is_closed_by_the_message_timer(server: Server) -> None:
    [clerr] = [case for case in CASES if case.name == "clerr"]
    began = time.monotonic()
    wires = [Stream(server, transport, clerr.address) for transport in ("TCP", "TLS")]
    for wire in wires:
        wire.send(clerr.data)
    for wire in wires:
        with wire:
            left = began + MESSAGE_TIMER + SLACK - time.monotonic()
            assert wire.receive(left) == b"", f"{wire.transport} stays open"
            with Stream(server, wire.transport, clerr.address) as another:
                assert _still_answers(another) == []
