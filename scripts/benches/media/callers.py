"""Places many calls over SIP at once, whose media are somewhere else: the load's."""

import asyncio
import base64
import re

SETTLE = 0.5  # seconds between a request and its repetition
PATIENCE = 20.0  # seconds for an answer

OFFER = """\
v=0\r
o=- {number} 1 IN IP4 127.0.0.1\r
s=-\r
c=IN IP4 127.0.0.1\r
t=0 0\r
m=audio {port} RTP/SAVP 0 101\r
a=rtpmap:0 PCMU/8000\r
a=rtpmap:101 telephone-event/8000\r
a=crypto:1 {suite} inline:{key}\r
a=ptime:20\r
"""


class Callers(asyncio.DatagramProtocol):
    """Calls `uri` at a port of this machine, each time as another number, with the same key."""

    def __init__(self, uri: str, port: int, suite: str, key: str) -> None:
        self._uri = uri
        self._port = port
        self._crypto = suite, base64.b64encode(bytes.fromhex(key)).decode()
        self._answers: dict[str, asyncio.Future[tuple[str, str]]] = {}
        self._dialogs: list[tuple[int, str, str]] = []  # number, To, Contact
        self.keys: list[bytes] = []  # theirs, of each call: what they send is protected with

    async def open(self) -> None:
        """Bind a socket."""
        loop = asyncio.get_running_loop()
        target = ("127.0.0.1", self._port)
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, remote_addr=target)
        self._own = self._transport.get_extra_info("sockname")[1]

    def close(self) -> None:
        """Let go of the socket."""
        self._transport.close()

    async def call(self, number: int, rtp: int) -> int:
        """Call with media at port `rtp`; gives the port of theirs. Raises where it is refused."""
        suite, key = self._crypto
        body = OFFER.format(number=number, port=rtp, suite=suite, key=key)
        there = self._uri, f"<{self._uri}>"
        head, answer = await self._ask("INVITE", number, there, body)
        to = re.search(r"^(?:To|t): *(.*?)\r$", head, re.M | re.I)[1]
        contact = re.search(r"^(?:Contact|m): *<(.*?)>", head, re.M | re.I)[1]
        self._send(self._request("ACK", number, (contact, to)))
        self._dialogs.append((number, to, contact))
        inline = re.search(r"^a=crypto:.*inline:([A-Za-z0-9+/=]+)", answer, re.M)
        self.keys.append(base64.b64decode(inline[1]) if inline else b"")
        return int(re.search(r"^m=audio (\d+)", answer, re.M)[1])

    async def hang_up(self) -> None:
        """End all calls."""
        byes = [self._ask("BYE", n, (contact, to)) for n, to, contact in self._dialogs]
        for start in range(0, len(byes), 20):
            await asyncio.gather(*byes[start : start + 20], return_exceptions=True)

    async def _ask(
        self, method: str, number: int, there: tuple[str, str], body: str = ""
    ) -> tuple[str, str]:
        answer = self._answers[f"{number} {method}"] = asyncio.get_running_loop().create_future()
        request = self._request(method, number, there, body)
        async with asyncio.timeout(PATIENCE):
            while not answer.done():
                self._send(request)
                await asyncio.wait([answer], timeout=SETTLE)
        head, body = answer.result()
        if not head.startswith("SIP/2.0 200"):
            raise RuntimeError(f"{method} was answered with {head.splitlines()[0]}")
        return head, body

    def _request(self, method: str, number: int, there: tuple[str, str], body: str = "") -> bytes:
        """Write a request; `there` is its URI and the value of To."""
        (uri, to), cseq = there, 2 if method == "BYE" else 1
        here = f"127.0.0.1:{self._own}"
        caller = f"+1415{2000000 + number}"
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {here};branch=z9hG4bK{number}{method}{cseq}",
            "Max-Forwards: 70",
            f"From: <sip:{caller}@{here}>;tag=c{number}",
            f"To: {to}",
            f"Call-ID: bench-{number}@{here}",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:{caller}@{here}>",
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()

    def _send(self, request: bytes) -> None:
        self._transport.sendto(request)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Take an answer; requests of theirs are left unanswered."""
        head, _, body = data.decode().partition("\r\n\r\n")
        if not re.match(r"SIP/2\.0 [2-6]", head):
            return
        number = re.search(r"^(?:Call-ID|i): *bench-(\d+)", head, re.M | re.I)[1]
        method = re.search(r"^CSeq: *\d+ (\w+)", head, re.M | re.I)[1]
        answer = self._answers.get(f"{number} {method}")
        if answer is not None and not answer.done():
            answer.set_result((head + "\r\n", body))
