"""The strangers of the strangers benchmark: idle and slow connections, and junk datagrams.

usage: crowd.py HOST UDP_PORT TCP_PORT TLS_PORT IDLE SLOW JUNK SOURCES
Keeps IDLE connections that shake hands over TLS and then say nothing, and SLOW ones that send an
octet each 0.2 s, half of them of a TLS handshake, half of a SIP message over TCP; one that is
closed is opened again. Sends JUNK datagrams a second from SOURCES addresses, each forged for one
datagram, so that no socket of ours hears what is answered: noise, cut-off SIP, well-formed
OPTIONS and INVITE, stray responses, too many header fields, in turn. No address is the trunk's.
Runs until its standard input closes; then prints one line of JSON.
"""

import asyncio
import json
import os
import random
import socket
import ssl
import struct
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress

STEP = 0.005  # seconds between two bursts of junk
OCTET = 0.2  # seconds between two octets of who is slow
PER_SOURCE = 5  # connections of one address: fewer than a stranger may have
PAUSE = 0.5  # seconds until one that was closed comes again

HEAD = (
    "Via: SIP/2.0/UDP {host}:5060;branch=z9hG4bK{n}\r\nMax-Forwards: 70\r\n"
    "From: <sip:100@{host}>;tag={n}\r\nTo: <sip:+15552003000@{host}>\r\nCall-ID: {n}@{host}\r\n"
)
OPTIONS = "OPTIONS sip:{host} SIP/2.0\r\n" + HEAD + "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
INVITE = (
    "INVITE sip:+15552003000@{host} SIP/2.0\r\n" + HEAD + "CSeq: 1 INVITE\r\n"
    "Contact: <sip:100@{host}>\r\nContent-Type: application/sdp\r\nContent-Length: 86\r\n\r\n"
    "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
    "m=audio 9000 RTP/AVP 0 8\r\n"
)
RESPONSE = "SIP/2.0 200 OK\r\n" + HEAD + "CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
CROWDED = "OPTIONS sip:{host} SIP/2.0\r\n" + "X-A: b\r\n" * 300 + "\r\n"


class Crowd:
    """Counts what its members do."""

    def __init__(self, host: str, udp: int, tcp: int, tls: int) -> None:
        self._host, self._udp, self._tcp, self._tls = host, udp, tcp, tls
        self._context = ssl.create_default_context()
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE
        self.idle = self.slow = self.sent = self.opened = 0
        self.samples: list[tuple[int, int]] = []

    async def keep(self, source: str, live: Callable[[str], Awaitable[None]]) -> None:
        """Live as a connection, again and again."""
        await asyncio.sleep(random.random() * PAUSE)
        while True:
            with suppress(OSError):
                self.opened += 1
                await live(source)
            await asyncio.sleep(PAUSE)

    async def be_idle(self, source: str) -> None:
        """Shake hands, and say nothing until we are closed on."""
        reader, writer = await asyncio.open_connection(
            self._host, self._tls, ssl=self._context, local_addr=(source, 0)
        )
        self.idle += 1
        try:
            await reader.read()
        finally:
            self.idle -= 1
            writer.close()

    async def shake_slowly(self, source: str) -> None:
        """Send a ClientHello an octet at a time."""
        outgoing = ssl.MemoryBIO()
        with suppress(ssl.SSLWantReadError):
            self._context.wrap_bio(ssl.MemoryBIO(), outgoing).do_handshake()
        await self._dribble(source, self._tls, outgoing.read())

    async def speak_slowly(self, source: str) -> None:
        """Send a request an octet at a time."""
        await self._dribble(source, self._tcp, OPTIONS.format(host=self._host, n=1).encode())

    async def _dribble(self, source: str, port: int, data: bytes) -> None:
        _, writer = await asyncio.open_connection(self._host, port, local_addr=(source, 0))
        self.slow += 1
        try:
            for octet in data:
                writer.write(bytes((octet,)))
                await writer.drain()
                if writer.is_closing():
                    return
                await asyncio.sleep(OCTET)
        finally:
            self.slow -= 1
            writer.close()

    async def throw_junk(self, rate: int, sources: int) -> None:
        """Send junk at an even rate."""
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            junk, began = self._junk(sources), loop.time()
            while True:
                for _ in range(int(rate * (loop.time() - began)) - self.sent):
                    data, source = next(junk)
                    with suppress(OSError):  # the buffer is full: sent or not, it is counted
                        sock.sendmsg([data], [source], 0, (self._host, self._udp))
                    self.sent += 1
                await asyncio.sleep(STEP)

    def _junk(self, sources: int) -> Iterator[tuple[bytes, tuple[int, int, bytes]]]:
        kinds: list[bytes] = [os.urandom(200), b"\r\n\r\n" + b"\x00" * 100]
        for n in range(20):
            made = [t.format(host=self._host, n=n) for t in (OPTIONS, INVITE, RESPONSE, CROWDED)]
            kinds += [*(text.encode() for text in made), made[1][:150].encode()]
        n = 0
        while True:
            n += 1
            source = f"127.64.{n % sources // 250}.{n % sources % 250 + 1}"
            # IP_PKTINFO (ip(7)): index, address that it is sent from, and the header's
            from_ = struct.pack("=I4s4s", 0, socket.inet_aton(source), bytes(4))
            yield kinds[n % len(kinds)], (socket.IPPROTO_IP, IP_PKTINFO, from_)

    async def watch(self) -> None:
        """Note each second how many connections there are."""
        while True:
            await asyncio.sleep(1)
            self.samples.append((self.idle, self.slow))


IP_PKTINFO = getattr(socket, "IP_PKTINFO", 8)  # Linux; Python names it from 3.12 on


async def main(host: str, ports: list[int], numbers: list[int]) -> None:
    """Be a crowd until standard input closes."""
    idle, slow, junk, sources = numbers
    crowd = Crowd(host, *ports)
    tasks = [asyncio.create_task(crowd.watch())]
    for n in range(idle):
        tasks.append(
            asyncio.create_task(crowd.keep(f"127.1.0.{1 + n // PER_SOURCE}", crowd.be_idle))
        )
    for n in range(slow):
        live = crowd.shake_slowly if n % 2 else crowd.speak_slowly
        tasks.append(asyncio.create_task(crowd.keep(f"127.2.0.{1 + n // PER_SOURCE}", live)))
    if junk:
        tasks.append(asyncio.create_task(crowd.throw_junk(junk, sources)))
    began = asyncio.get_running_loop().time()
    await asyncio.to_thread(sys.stdin.read)
    seconds = asyncio.get_running_loop().time() - began
    for task in tasks:
        task.cancel()
    idle_ones, slow_ones = (sorted(column) for column in zip(*crowd.samples, strict=True))
    told = {
        "idle_connections": idle_ones[len(idle_ones) // 2],
        "slow_connections": slow_ones[len(slow_ones) // 2],
        "connections_opened": crowd.opened,
        "junk_per_second": round(crowd.sent / seconds),
    }
    print(json.dumps(told), flush=True)
    os._exit(0)  # without a farewell to hundreds of connections


if __name__ == "__main__":
    numbers = [int(number) for number in sys.argv[2:]]
    asyncio.run(main(sys.argv[1], numbers[:3], numbers[3:]))
