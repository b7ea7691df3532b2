"""A peer of raw packets that speaks a codec with state, beside a stream of an engine."""

import asyncio
import socket

import numpy as np

from opensip.audio.codecs import CODECS
from opensip.media.engine import SrtpKeys, StreamConfig
from opensip.media.ports import PortPool
from opensip.rtp.packet import RtpPacket
from opensip.rtp.srtp import SrtpSession

SUITE, KEY = "AES_CM_128_HMAC_SHA1_80", b"k" * 30
NUMBERS = {"PCMU": 0, "PCMA": 8, "G722": 9, "opus": 111}
UNITS = {"PCMU": 160, "PCMA": 160, "G722": 160, "opus": 960}  # of the timestamp, in 20 ms


def samples_of(codec):
    return CODECS[codec].rate // 50


class WidePeer:
    """Says one sound through whatever codec it has, and hears what it is sent."""

    def __init__(self, engine_type, codec, *, first=0, secure=False, **config):
        loop = asyncio.get_running_loop()
        self.engine = engine_type(loop)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        pair = PortPool("127.0.0.1", 0, 0, clock=loop.time).take()
        self.target, self.batches = pair.address, []
        self.secure, self.sequence, self.timestamp, self.ssrc = secure, first, 0, 7
        self._seal = SrtpSession(SUITE, KEY).protect if secure else bytes
        self._open = SrtpSession(SUITE, KEY).unprotect if secure else bytes
        self.coders = {}
        self.stream = self.engine.open(pair, StreamConfig())
        self.stream.listener = self.batches.append
        self.agree(codec, **config)

    def agree(self, codec, *, ptime=20, more=(), **config):
        self.codec = codec
        self.coders.pop(codec, None)
        receive = tuple((NUMBERS[name], name) for name in (codec, *more))
        self.stream.configure(
            StreamConfig(
                **{
                    "remote": self.socket.getsockname(), "codec": codec, "ptime": ptime,
                    "payload_type": NUMBERS[codec], "receive": (*receive, (101, "telephone-event")),
                    "keys": SrtpKeys(SUITE, KEY, KEY) if self.secure else None,
                } | config
            )
        )  # fmt: skip

    def encode(self, samples):
        if self.codec not in self.coders:
            self.coders[self.codec] = CODECS[self.codec].encoder(samples_of(self.codec), "")
        return self.coders[self.codec](samples)

    def next(self, samples):
        """Make the next packet of what is said."""
        packet = RtpPacket(
            NUMBERS[self.codec], self.sequence & 0xFFFF, self.timestamp & 0xFFFFFFFF,
            self.ssrc, self.encode(samples),
        )  # fmt: skip
        self.sequence += 1
        self.timestamp += UNITS[self.codec]
        return packet

    def send(self, packet):
        self.socket.sendto(self._seal(packet.serialize()), self.target)

    async def say(self, sound, *, lose=()):
        """Say a sound in time, but for the packets that are to be lost."""
        count = samples_of(self.codec)
        for n in range(len(sound) // count):
            packet = self.next(sound[n * count : (n + 1) * count])
            if n not in lose:
                self.send(packet)
            await asyncio.sleep(0.02)

    def received(self):
        """Take the packets that were sent to us."""
        packets = []
        try:
            while True:
                packets.append(RtpPacket.parse(self._open(self.socket.recv(2048))))
        except BlockingIOError:
            return packets

    def heard(self):
        frames = [batch.heard for batch in self.batches if batch.heard]
        return np.concatenate([frame.samples for frame in frames] or [np.zeros(0, np.int16)])

    def said(self):
        return np.concatenate([batch.said for batch in self.batches if batch.said is not None])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.engine.close()
        self.socket.close()


def decoded(codec, packets):
    """What a peer makes of packets."""
    decode = CODECS[codec].decoder()
    return np.concatenate([decode(packet.payload) for packet in packets])
