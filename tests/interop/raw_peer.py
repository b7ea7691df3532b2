"""A SIP peer of plain sockets and strings: it imports nothing from opensip."""

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

DTMF_EVENTS = "0123456789*#"
RECEIVE_SECONDS = 10.0


@dataclass
class Message:
    """A SIP message as text: start line, header lines in order, body."""

    start: str
    headers: list[tuple[str, str]]
    body: str

    @classmethod
    def parse(cls, data: bytes) -> "Message":
        """Split a datagram; nothing is checked."""
        head, _, body = data.decode().partition("\r\n\r\n")
        start, *lines = head.split("\r\n")
        pairs = [line.partition(":")[::2] for line in lines]
        return cls(start, [(name.strip(), value.strip()) for name, value in pairs], body)

    def all(self, name: str) -> list[str]:
        """Every value of the header `name`, in order."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def one(self, name: str) -> str:
        """The value of a header that must stand exactly once."""
        values = self.all(name)
        assert len(values) == 1, f"{name} stands {len(values)} times in {self.start}"
        return values[0]

    @property
    def status(self) -> int:
        """Status of a response, 0 of a request."""
        return int(self.start.split()[1]) if self.start.startswith("SIP/2.0") else 0

    @property
    def method(self) -> str:
        """Method of a request, "" of a response."""
        return "" if self.status else self.start.split()[0]


class RawPeer:
    """One caller at `address`, over UDP, TCP or TLS, with one call at a time.

    For TLS the server's certificate must be of the authority in the file `ca`; or `tls` says all.
    """

    def __init__(
        self, server: tuple[str, int], address: str = "127.0.0.1", *, transport: str = "UDP",
        ca: Path | None = None, tls: ssl.SSLContext | None = None, port: int = 0,
    ) -> None:  # fmt: skip
        self.server, self.address, self.transport = server, address, transport
        kind = socket.SOCK_DGRAM if transport == "UDP" else socket.SOCK_STREAM
        self.socket = socket.socket(socket.AF_INET, kind)
        self.socket.bind((address, port))
        self.socket.connect(server)
        if transport == "TLS":
            context = tls or ssl.create_default_context(cafile=ca)
            self.socket = context.wrap_socket(self.socket, server_hostname=server[0])
        self._stream = b""
        self.port = self.socket.getsockname()[1]
        self.call_id = f"raw-{self.port}-{time.time_ns()}@{address}"
        self.cseq = 1
        self.to = ""
        self.target = ""
        self.routes: list[str] = []  # of the dialog: Route values, in order
        self.rtp = RtpPeer(address)

    @property
    def contact(self) -> str:
        """Where requests reach us."""
        suffix = "" if self.transport == "UDP" else f";transport={self.transport.lower()}"
        return f"sip:+15551112222@{self.address}:{self.port}{suffix}"

    # ---- requests of ours

    def request(
        self, method: str, *, uri: str = "", to: str = "", extra: str = "", body: str = "",
        cseq: int | None = None, kind: str = "application/sdp", branch: str = "",
    ) -> str:  # fmt: skip
        """Compose a request of this call."""
        uri = uri or self.target
        content = f"Content-Type: {kind}\r\n" if body else ""
        extra = "".join(f"Route: {route}\r\n" for route in self.routes) + extra
        return (
            f"{method} {uri} SIP/2.0\r\n"
            f"Via: SIP/2.0/{self.transport} {self.address}:{self.port}"
            f";branch=z9hG4bK{branch or time.time_ns()};rport\r\n"
            f"Max-Forwards: 70\r\n"
            f"From: <sip:+15551112222@{self.address}>;tag=raw\r\n"
            f"To: {to or self.to}\r\n"
            f"Call-ID: {self.call_id}\r\n"
            f"CSeq: {self.cseq if cseq is None else cseq} {method}\r\n"
            f"Contact: <{self.contact}>\r\n"
            f"{extra}{content}Content-Length: {len(body)}\r\n\r\n{body}"
        )

    def send(self, text: str) -> None:
        """Send one message to the server."""
        self.socket.sendall(text.encode())

    def invite(self, number: str, *, extra: str = "") -> Message:
        """Call `number`, acknowledge, and return the 200."""
        self.target = f"sip:{number}@{self.server[0]}:{self.server[1]}"
        self.to = f"<{self.target}>"
        self.send(self.request("INVITE", extra=extra, body=self.rtp.description()))
        answer = self.wait_for(200)
        self.to = answer.one("To")
        self.target = answer.one("Contact").split("<")[1].split(">")[0]
        self.routes = answer.all("Record-Route")[::-1]
        self.send(self.request("ACK"))
        self.rtp.talk_to(answer.body)
        return answer

    def try_uri(self, uri: str) -> Message:
        """Call any Request-URI, acknowledge, and return the final response."""
        self.to, branch = f"<{uri}>", str(time.time_ns())
        body = self.rtp.description()
        self.send(self.request("INVITE", uri=uri, body=body, branch=branch))
        while (answer := self.receive()) is not None and answer.status < 200:
            pass
        assert answer is not None, f"no final response to {uri}"
        self.to = answer.one("To")
        self.send(self.request("ACK", uri=uri, branch=branch))
        return answer

    def bye(self) -> Message:
        """Hang up."""
        self.cseq += 1
        self.send(self.request("BYE"))
        return self.wait_for(200)

    def notify(self, fragment: str, state: str) -> Message:
        """Report on a REFER (RFC 3515 section 2.4.4) and return the answer."""
        self.cseq += 1
        extra = f"Event: refer\r\nSubscription-State: {state}\r\n"
        body = f"{fragment}\r\n"
        self.send(
            self.request("NOTIFY", extra=extra, body=body, kind="message/sipfrag;version=2.0")
        )
        return self.wait_for(200)

    # ---- what comes

    def receive(self, seconds: float = RECEIVE_SECONDS) -> Message | None:
        """Return the next message, or None after `seconds` of silence."""
        self.socket.settimeout(seconds)
        try:
            return Message.parse(self._read())
        except TimeoutError:
            return None

    def _read(self) -> bytes:
        """Read a datagram, or what Content-Length ends in a stream."""
        if self.transport == "UDP":
            return self.socket.recv(65535)
        while (message := self._whole()) is None:
            data = self.socket.recv(65535)
            assert data, "the server closed the connection"
            self._stream += data
        self._stream = self._stream[len(message) :]
        return message

    def _whole(self) -> bytes | None:
        head, blank, body = self._stream.partition(b"\r\n\r\n")
        length = int(Message.parse(head).one("Content-Length")) if blank else 0
        return head + blank + body[:length] if blank and len(body) >= length else None

    def wait_for(self, what: int | str, seconds: float = RECEIVE_SECONDS) -> Message:
        """Return the next message of this status or method; others are read and dropped."""
        end = time.monotonic() + seconds
        seen = []
        while (left := end - time.monotonic()) > 0:
            message = self.receive(left)
            if message is not None and what in (message.status, message.method):
                return message
            seen.append(message and message.start)
        raise AssertionError(f"no {what} in {seconds} s, only {seen}")

    def respond(
        self, request: Message, status: str, extra: str = "", *, tag: str = "", body: str = ""
    ) -> None:
        """Answer a request of the server's; `tag` goes to its To, of a request without one."""
        copied = "".join(
            f"{name}: {value}{f';tag={tag}' if tag and name.lower() == 'to' else ''}\r\n"
            for name, value in request.headers
            if name.lower() in {"via", "from", "to", "call-id", "cseq"}
        )
        contact = f"Contact: <{self.contact}>\r\n"
        content = "Content-Type: application/sdp\r\n" if body else ""
        self.send(
            f"SIP/2.0 {status}\r\n{copied}{contact}{extra}{content}"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        )

    def close(self) -> None:
        """Fall silent."""
        self.rtp.close()
        self.socket.close()


@dataclass
class RtpPeer:
    """Sends PCMU each 20 ms (silence, or what `say` was given) and keeps what it hears."""

    address: str
    heard: list[tuple[float, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((self.address, 0))
        self.port = self._socket.getsockname()[1]
        self._remote: tuple[str, int] | None = None
        self._queue: list[bytes] = []
        self._digits: list[str] = []
        self._open = True
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def description(self) -> str:
        """Our offer."""
        return (
            f"v=0\r\no=raw 1 1 IN IP4 {self.address}\r\ns=-\r\nc=IN IP4 {self.address}\r\nt=0 0\r\n"
            f"m=audio {self.port} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\n"
            f"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n"
        )

    def talk_to(self, answer: str) -> None:
        """Begin to send to the address of the peer's answer."""
        lines = answer.splitlines()
        host = next(line.split()[-1] for line in lines if line.startswith("c="))
        port = next(line.split()[1] for line in lines if line.startswith("m=audio"))
        self._remote = (host, int(port))

    def say(self, ulaw: bytes) -> None:
        """Queue PCMU audio."""
        self._queue += [ulaw[n : n + 160].ljust(160, b"\xff") for n in range(0, len(ulaw), 160)]

    def press(self, digit: str) -> None:
        """Queue a key (RFC 4733): 100 ms, the end packet three times."""
        self._digits.append(digit)

    def close(self) -> None:
        """Stop the sender."""
        self._open = False
        self._thread.join(1)
        self._socket.close()

    def wait_for(
        self, is_it: Callable[[bytes], bool], seconds: float = 10.0, *, packets: int = 5
    ) -> float:
        """Wait until so many packets of PCMU to come are such, and tell when they had come."""
        seen, end = len(self.heard) + packets, time.monotonic() + seconds
        while time.monotonic() < end:
            for n in range(seen, len(self.heard) + 1):
                seen = n + 1
                if is_it(b"".join(packet[12:] for _, packet in self.heard[n - packets : n])):
                    return self.heard[n - 1][0]
            time.sleep(0.02)
        raise AssertionError(f"nothing of the kind was heard in {seconds} s")

    def _run(self) -> None:
        sequence, timestamp, next_at = 1, 0, time.monotonic()
        event: list[bytes] = []
        event_start = 0
        self._socket.setblocking(False)
        while self._open:
            next_at += 0.02
            time.sleep(max(0.0, next_at - time.monotonic()))
            self._hear()
            if self._remote is None:
                continue
            if not event and self._digits:
                event, event_start = self._event(self._digits.pop(0)), timestamp
            if event:
                header = struct.pack(">BBHII", 0x80, 101, sequence, event_start, 0xBEEF)
                payload = event.pop(0)
            else:
                header = struct.pack(">BBHII", 0x80, 0, sequence, timestamp, 0xBEEF)
                payload = self._queue.pop(0) if self._queue else b"\xff" * 160
            self._socket.sendto(header + payload, self._remote)
            sequence, timestamp = (sequence + 1) & 0xFFFF, timestamp + 160

    def _hear(self) -> None:
        try:
            while True:
                self.heard.append((time.monotonic(), self._socket.recv(2048)))
        except BlockingIOError:
            pass

    @staticmethod
    def _event(digit: str) -> list[bytes]:
        number = DTMF_EVENTS.index(digit)
        going = [struct.pack(">BBH", number, 10, 160 * n) for n in range(1, 6)]
        return [*going, *[struct.pack(">BBH", number, 0x8A, 960)] * 3]
