"""A call to the echo agent over real sockets, its RTP made and read by hand."""

import asyncio
import random
import struct

import pytest

from opensip.agent.definition import Agent
from opensip.call.exchange import Exchange
from opensip.call.inbound import InboundCalls
from opensip.carriers import Number, Trunk
from opensip.media.ports import PortPool
from opensip.media.session import MediaConfig
from tests.fakes.agents import CALLER, endpoint, uri_of
from tests.fakes.engines import REAL_TIME_ENGINES
from tests.fakes.exchanges import records

pytestmark = pytest.mark.e2e

OFFER = """v=0\r
o=- 1 1 IN IP4 127.0.0.1\r
s=-\r
c=IN IP4 127.0.0.1\r
t=0 0\r
m=audio {port} RTP/AVP {number}\r
a=rtpmap:{number} {name}/8000\r
a=sendrecv\r
"""
PACKETS = 50


class RawRtp(asyncio.DatagramProtocol):
    """Keeps the payloads that come, and negotiates one codec."""

    def __init__(self, number, name):
        self.number, self.name = number, name
        self.payload = b""
        self.remote = None

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, source):
        if data[1] & 0x7F == self.number:
            self.payload += data[12:]

    def offer(self):
        port = self.transport.get_extra_info("sockname")[1]
        return OFFER.format(port=port, number=self.number, name=self.name).encode()

    def accept(self, answer):
        (media,) = [line for line in answer.decode().splitlines() if line.startswith("m=audio")]
        self.remote = ("127.0.0.1", int(media.split()[1]))

    async def send(self, payloads):
        loop = asyncio.get_running_loop()
        began = loop.time()
        for n, payload in enumerate(payloads):
            header = struct.pack("!BBHII", 0x80, self.number, n, n * 160, 77)
            self.transport.sendto(header + payload, self.remote)
            await asyncio.sleep(max(0.0, began + 0.02 * (n + 1) - loop.time()))


@pytest.mark.parametrize("engine_type", REAL_TIME_ENGINES)
@pytest.mark.parametrize(("number", "name"), [(0, "PCMU"), (8, "PCMA")])
def test_every_octet_comes_back_as_it_was_sent(engine_type, tmp_path, number, name):
    # 0x7F and 0xFF of PCMU are both the sample 0, and no sample tells them apart.
    codes = [code for code in range(256) if (number, code) != (0, 0x7F)]
    dice = random.Random(7)
    payloads = [bytes(dice.choices(codes, k=160)) for _ in range(PACKETS)]

    async def main():
        loop = asyncio.get_running_loop()
        engine = engine_type(loop)
        exchange = Exchange(
            engine=engine,
            ports=PortPool("127.0.0.1", 0, 0, clock=loop.time),
            media=MediaConfig("127.0.0.1"),
            agents={"echo": Agent("echo", kind="echo")},
            data=tmp_path,
            now=loop.time,
        )
        calls = InboundCalls(exchange, {"local": Trunk("local", numbers={"*": Number("echo")})})
        server, caller = endpoint(calls.receive), endpoint()
        await server.start()
        await caller.start()
        transport, rtp = await loop.create_datagram_endpoint(
            lambda: RawRtp(number, name), local_addr=("127.0.0.1", 0)
        )
        call = await caller.dial(uri_of(server, "echo"), from_=CALLER, negotiator=rtp)
        session = await call.wait_answered()
        await rtp.send(payloads)
        await asyncio.sleep(0.2)
        await session.bye()
        await asyncio.sleep(0.05)
        transport.close()
        await caller.close()
        await server.close()
        engine.close()
        return rtp.payload

    heard, sent = asyncio.run(main()), b"".join(payloads)
    start = heard.find(payloads[0])
    assert 0 <= start <= 10 * 160  # how soon is for the benches
    assert heard[start:].startswith(sent)
    (record,) = records(tmp_path)
    assert (record["codec"], record["media"]["received"]) == (name, PACKETS)
