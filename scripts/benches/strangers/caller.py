"""The trunk of the strangers benchmark: makes calls and times each from its first octet to its 200.

usage: caller.py HOST UDP_PORT TLS_PORT CA CALLS RATE
Every second call goes over UDP, sent again after 0.5 s, 1 s, 2 s … as RFC 3261 has it; the others
open a TLS connection of their own each, whose handshake counts. A call is acknowledged, held for
half a second and hung up. Prints one line of JSON: the milliseconds of each call by transport,
null where no 200 came within 10 s.
"""

import asyncio
import json
import os
import ssl
import sys
from contextlib import suppress

T1 = 0.5  # seconds until a datagram is sent again
PATIENCE = 10.0  # seconds for a call to be set up, and for a BYE to be answered
HELD = 0.5  # seconds
RUN = f"bench{os.getpid()}"  # no two runs may use one Call-ID
SDP = (
    "v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
    "m=audio 9 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
)


class Call:
    """One call: composes its requests, and waits for their answers by CSeq."""

    def __init__(self, number: int, transport: str, host: str, at: str) -> None:
        self.id = f"{RUN}-{number}"
        self._transport = transport
        self._host = host
        self._at = at  # where we are reached
        self._to = f"<sip:+15552003000@{host}>"
        self._target = f"sip:+15552003000@{host}"
        self._answers: dict[str, asyncio.Future[str]] = {}

    def request(self, method: str, cseq: int, body: str = "") -> bytes:
        """Compose a request of the call."""
        kind = "Content-Type: application/sdp\r\n" if body else ""
        branch = f"z9hG4bK{self.id}{method}"
        return (
            f"{method} {self._target} SIP/2.0\r\n"
            f"Via: SIP/2.0/{self._transport} {self._at};branch={branch};rport\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:+15551112222@{self._host}>;tag=b\r\nTo: {self._to}\r\n"
            f"Call-ID: {self.id}\r\nCSeq: {cseq} {method}\r\n"
            f"Contact: <sip:b@{self._at};transport={self._transport.lower()}>\r\n"
            f"{kind}Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode()

    def invite(self) -> bytes:
        """Compose the INVITE."""
        return self.request("INVITE", 1, SDP.format(host=self._host))

    def receive(self, message: str) -> None:
        """Take a final response."""
        status, method = int(message.split()[1]), field(message, "CSeq").split()[1]
        if status >= 200 and not self.answer(method).done():
            self.answer(method).set_result(message)

    def answer(self, method: str) -> "asyncio.Future[str]":
        """Give what waits for the final response to a method."""
        return self._answers.setdefault(method, asyncio.get_running_loop().create_future())

    def establish(self, answer: str) -> bytes:
        """Learn tag and target from the 200, and give the ACK."""
        if answer.split()[1] != "200":
            raise ConnectionError(f"refused: {answer.splitlines()[0]}")
        self._to = field(answer, "To")
        self._target = field(answer, "Contact").partition("<")[2].partition(">")[0]
        return self.request("ACK", 1)


def field(message: str, name: str) -> str:
    """Give the value of a header field."""
    return message.partition(f"\r\n{name}: ")[2].partition("\r\n")[0]


class Datagrams(asyncio.DatagramProtocol):
    """The one UDP socket of all calls, by Call-ID."""

    def __init__(self) -> None:
        self.calls: dict[str, Call] = {}

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Give a response to its call."""
        message = data.decode()
        if message.startswith("SIP/2.0 ") and field(message, "Call-ID") in self.calls:
            self.calls[field(message, "Call-ID")].receive(message)


async def by_udp(call: Call, send: "asyncio.DatagramTransport") -> float:
    """Make a call over UDP; returns the milliseconds until its 200."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    answer = await ask(call, send, "INVITE", call.invite())
    took = loop.time() - began
    send.sendto(call.establish(answer))
    await asyncio.sleep(HELD)
    await ask(call, send, "BYE", call.request("BYE", 2))
    return took * 1000


async def ask(call: Call, send: "asyncio.DatagramTransport", method: str, request: bytes) -> str:
    """Send a request until its final response comes."""
    answer, wait = call.answer(method), T1
    async with asyncio.timeout(PATIENCE):
        while True:
            send.sendto(request)
            with suppress(TimeoutError):
                return await asyncio.wait_for(asyncio.shield(answer), wait)
            wait *= 2


async def by_tls(number: int, host: str, port: int, context: ssl.SSLContext) -> float:
    """Make a call over a TLS connection of its own; returns the milliseconds until its 200."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with asyncio.timeout(2 * PATIENCE):
        reader, writer = await asyncio.open_connection(host, port, ssl=context)
        try:
            own_host, own_port = writer.get_extra_info("sockname")
            call = Call(number, "TLS", host, f"{own_host}:{own_port}")
            writer.write(call.invite())
            answer = await final(reader)
            took = loop.time() - began
            writer.write(call.establish(answer))
            await asyncio.sleep(HELD)
            writer.write(call.request("BYE", 2))
            await final(reader)
        finally:
            writer.close()
    return took * 1000


async def final(reader: asyncio.StreamReader) -> str:
    """Read responses up to a final one."""
    while True:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        await reader.readexactly(int(field(head, "Content-Length")))
        if head.startswith("SIP/2.0 ") and int(head.split()[1]) >= 200:
            return head


async def main(host: str, ports: tuple[int, int], ca: str, calls: int, rate: float) -> None:
    """Make the calls, and tell how long each took to be set up."""
    loop, (udp, tls) = asyncio.get_running_loop(), ports
    send, datagrams = await loop.create_datagram_endpoint(Datagrams, remote_addr=(host, udp))
    at = "{}:{}".format(*send.get_extra_info("sockname"))
    context = ssl.create_default_context(cafile=ca)
    tasks: dict[str, list[asyncio.Task[float]]] = {"UDP": [], "TLS": []}
    for number in range(calls):
        if number % 2:
            tasks["TLS"].append(asyncio.create_task(by_tls(number, host, tls, context)))
        else:
            call = Call(number, "UDP", host, at)
            datagrams.calls[call.id] = call
            tasks["UDP"].append(asyncio.create_task(by_udp(call, send)))
        await asyncio.sleep(1 / rate)
    await asyncio.wait([task for started in tasks.values() for task in started])
    print(json.dumps({name: [told(task) for task in started] for name, started in tasks.items()}))
    send.close()


def told(task: "asyncio.Task[float]") -> float | None:
    """Give what a call took, None where it failed: that is told on standard error."""
    if (error := task.exception()) is not None:
        print(f"a call failed: {error!r}", file=sys.stderr)
        return None
    return task.result()


if __name__ == "__main__":
    _, host, udp, tls, ca, calls, rate = sys.argv
    asyncio.run(main(host, (int(udp), int(tls)), ca, int(calls), float(rate)))
