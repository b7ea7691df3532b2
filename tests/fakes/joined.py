"""Two streams of one engine, joined: between two peers of ours, and on a wire."""

import asyncio
import socket

import numpy as np

from opensip.media.engine import SrtpKeys, StreamConfig
from opensip.media.ports import PortPool
from opensip.rtp.packet import RtpPacket

KEYS = SrtpKeys("AES_CM_128_HMAC_SHA1_80", b"k" * 30, b"k" * 30)
EVENT = 101
BOTH_LAWS = ((0, "PCMU"), (8, "PCMA"), (EVENT, "telephone-event"))


def config(remote, **more):
    return StreamConfig(
        **{"remote": remote, "receive": BOTH_LAWS, "event_payload_type": EVENT, "keys": KEYS} | more
    )


class Joined:
    """Two legs in one engine, each with a peer, which is a stream of that engine too."""

    def __init__(self, engine_type, *, other=None, keys=(True, True)):
        loop = asyncio.get_running_loop()
        self.engine = engine_type(loop)
        pool = PortPool("127.0.0.1", 0, 0, clock=loop.time)
        pairs = [pool.take() for _ in range(4)]
        partners = [pairs[1], pairs[0], pairs[3], pairs[2]]
        changes = [{}, {}, other or {}, other or {}]
        self.streams = [
            self.engine.open(pair, config(partner.address, **change))
            for pair, partner, change in zip(pairs, partners, changes, strict=True)
        ]
        self.caller, self.one, self.two, self.human = self.streams
        self.human_address = pairs[3].address
        self.batches = {stream: [] for stream in self.streams}
        for stream in self.streams:
            stream.listener = self.batches[stream].append
        assert self.engine.connect(self.one, self.two, keys=keys)

    def heard(self, stream):
        return np.concatenate(
            [np.zeros(0, np.int16)]
            + [batch.heard.samples for batch in self.batches[stream] if batch.heard]
        )

    def said(self, stream):
        return np.concatenate(
            [batch.said for batch in self.batches[stream] if batch.said is not None]
        )

    def digits(self, stream):
        return "".join(digit.digit for batch in self.batches[stream] for digit in batch.digits)


class Wire:
    """A peer of raw packets beside a leg that is joined to another, whose peer listens."""

    def __init__(self, engine_type):
        loop = asyncio.get_running_loop()
        self.engine = engine_type(loop)
        pool = PortPool("127.0.0.1", 0, 0, clock=loop.time)
        pairs = [pool.take(), pool.take()]
        self.ears = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.mouth = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for end in (self.ears, self.mouth):
            end.bind(("127.0.0.1", 0))
            end.setblocking(False)
        self.to = pairs[0].address
        remotes = self.mouth.getsockname(), self.ears.getsockname()
        self.legs = [
            self.engine.open(pair, config(remote, keys=None))
            for pair, remote in zip(pairs, remotes, strict=True)
        ]
        assert self.engine.connect(*self.legs)

    def send(self, number, *, law="PCMU", event=b"", ssrc=7, marker=False, timestamp=None):
        payload = event or bytes([number % 100 + 1]) * 160
        kind = EVENT if event else 8 if law == "PCMA" else 0
        stamp = 160 * number if timestamp is None else timestamp
        packet = RtpPacket(kind, number & 0xFFFF, stamp, ssrc, payload, marker)
        self.mouth.sendto(packet.serialize(), self.to)

    def packets(self):
        """Give what has come out at the other end."""
        out = []
        try:
            while True:
                out.append(RtpPacket.parse(self.ears.recv(2048)))
        except BlockingIOError:
            return out

    def close(self):
        self.engine.close()
        self.ears.close()
        self.mouth.close()


async def say(wire, times, **more):
    """Send packet n of `times` at its second; list (second, packet) of what comes out."""
    loop, out = asyncio.get_running_loop(), []
    start = loop.time()
    for at, number in sorted((at, number) for number, at in times.items()):
        while loop.time() < start + at - 1e-9:
            await asyncio.sleep(min(0.001, start + at - loop.time()))
            out += [(loop.time() - start, packet) for packet in wire.packets()]
        wire.send(number, **more)
    for _ in range(200):
        await asyncio.sleep(0.001)
        out += [(loop.time() - start, packet) for packet in wire.packets()]
    return out


def event(number, duration, *, ended=False):
    return bytes([number, 0x8A if ended else 0x0A]) + duration.to_bytes(2, "big")
