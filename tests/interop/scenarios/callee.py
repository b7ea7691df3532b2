"""A telephone of plain sockets and strings that `opensip dial` calls over UDP."""

import socket
import time
from pathlib import Path

from tests.interop.raw_peer import Message, RtpPeer
from tests.interop.scenarios.dialling import NUMBER, Dialling

STARTING = 30.0  # seconds that `opensip dial` may take to come up where much else goes on
COPIED = {"via", "from", "to", "call-id", "cseq"}


class Callee:
    """Is called by an `opensip dial` of its own; `done` tells how that ended."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.contact = f"<sip:desk@127.0.0.1:{self.port}>"
        self.rtp = RtpPeer("127.0.0.1")
        self._dialling = Dialling(folder, self.port, *options)
        self._source = ("", 0)

    @property
    def uri(self) -> str:
        """The Request-URI that we are called by."""
        return f"sip:{NUMBER}@127.0.0.1:{self.port}"

    def receive(self, seconds: float = STARTING) -> Message | None:
        """Return the next message; None after so much silence."""
        self.socket.settimeout(seconds)
        try:
            data, self._source = self.socket.recvfrom(65535)
        except TimeoutError:
            return None
        return Message.parse(data)

    def wait_for(self, what: str | int, seconds: float = STARTING) -> Message:
        """Return the next request of that method, or response of that status; drop others."""
        end, seen = time.monotonic() + seconds, []
        while (left := end - time.monotonic()) > 0:
            message = self.receive(left)
            if message is not None and what in (message.method, message.status):
                return message
            seen.append(message and message.start)
        raise AssertionError(f"no {what} in {seconds} s, only {seen}")

    def respond(
        self, request: Message, status: str, *, tag: str | None = "callee", extra: str = "",
        contact: bool = True, body: str = "",
    ) -> None:  # fmt: skip
        """Answer a request; `tag` is set where its To has none."""
        lines = [f"SIP/2.0 {status}"]
        for name, value in request.headers:
            if name.lower() in COPIED:
                tagged = name.lower() == "to" and tag and "tag=" not in value
                lines.append(f"{name}: {value};tag={tag}" if tagged else f"{name}: {value}")
        if contact:
            lines.append(f"Contact: {self.contact}")
        if body:
            lines.append("Content-Type: application/sdp")
        text = "\r\n".join(lines) + f"\r\n{extra}Content-Length: {len(body)}\r\n\r\n{body}"
        self.socket.sendto(text.encode(), self._source)

    def answer(self, invite: Message, *, tag: str = "callee", extra: str = "") -> None:
        """Pick up."""
        self.respond(invite, "200 OK", tag=tag, extra=extra, body=self.rtp.description())

    def request(
        self, invite: Message, method: str, *, tag: str = "callee", cseq: int = 1, extra: str = "",
        body: str = "",
    ) -> Message:  # fmt: skip
        """Send a request within the dialog, and return its final response."""
        target = invite.one("Contact").split("<")[1].split(">")[0]
        content = "Content-Type: application/sdp\r\n" if body else ""
        text = (
            f"{method} {target} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK{time.time_ns()};rport\r\n"
            f"Max-Forwards: 70\r\nFrom: {invite.one('To')};tag={tag}\r\n"
            f"To: {invite.one('From')}\r\nCall-ID: {invite.one('Call-ID')}\r\n"
            f"CSeq: {cseq} {method}\r\nContact: {self.contact}\r\n{extra}{content}"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        )
        self.socket.sendto(text.encode(), self._source)
        end = time.monotonic() + 10
        while time.monotonic() < end:
            answer = self.receive()
            if answer is not None and answer.status >= 200:
                assert answer.one("CSeq") == f"{cseq} {method}"
                return answer
        raise AssertionError(f"no answer to {method}")

    def done(self) -> str:
        """What `opensip dial` said in the end."""
        return self._dialling.done()

    def close(self) -> None:
        """Let go."""
        self.rtp.close()
        self._dialling.close()
        self.socket.close()


def branch_of(message: Message) -> str:
    """The branch of the top Via."""
    return message.all("Via")[0].partition("branch=")[2].partition(";")[0]
