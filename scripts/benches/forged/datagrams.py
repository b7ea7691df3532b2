"""Datagrams that a stream must count and drop: broken ones, and those of somebody else."""

import random
import struct
from collections.abc import Callable, Iterator

from opensip.rtp.packet import RtpPacket
from opensip.rtp.srtp import SrtpSession

PAYLOAD = bytes((0x80,)) * 160  # as loud as PCMU can be
UNKNOWN_TYPE = 77  # that nobody offered
TAG = 10  # bytes, of AES_CM_128_HMAC_SHA1_80

Kind = Callable[[random.Random, int], bytes]


def _header(first: int, second: int, dice: random.Random, ssrc: int) -> bytes:
    sequence, timestamp = dice.randrange(1 << 16), dice.randrange(1 << 32)
    return struct.pack(">BBHII", first, second, sequence, timestamp, ssrc)


def short(dice: random.Random, ssrc: int) -> bytes:
    """Less than a header."""
    return _header(0x80, 0, dice, ssrc)[: dice.randrange(12)]


def version(dice: random.Random, ssrc: int) -> bytes:
    """Not version 2."""
    return _header(dice.choice((0x40, 0xC0)), 0, dice, ssrc) + PAYLOAD


def padding(dice: random.Random, ssrc: int) -> bytes:
    """Padding of no bytes, or of more than there are."""
    size = dice.randrange(1, 150)
    return _header(0xA0, 0, dice, ssrc) + bytes(size) + bytes((dice.choice((0, size + 2)),))


def csrc(dice: random.Random, ssrc: int) -> bytes:
    """More sources than the packet has room for."""
    return _header(0x80 | dice.randrange(2, 16), 0, dice, ssrc) + bytes(7)


def extension(dice: random.Random, ssrc: int) -> bytes:
    """An extension longer than the packet."""
    words = dice.randrange(50, 1 << 16)
    return _header(0x90, 0, dice, ssrc) + struct.pack(">HH", 0xBEDE, words) + PAYLOAD


def payload_type(dice: random.Random, ssrc: int) -> bytes:
    """A payload type that nobody offered."""
    return _header(0x80, UNKNOWN_TYPE, dice, ssrc) + PAYLOAD


def stranger(dice: random.Random, ssrc: int) -> bytes:
    """Good plain RTP, of another source."""
    return _header(0x80, 0, dice, ssrc ^ 1 << 31) + PAYLOAD


def forged(dice: random.Random, ssrc: int) -> bytes:
    """The peer's source, and a tag that is not its."""
    return _header(0x80, 0, dice, ssrc) + PAYLOAD + dice.randbytes(TAG)


BROKEN: tuple[Kind, ...] = (short, version, padding, csrc, extension, payload_type)
FOREIGN: tuple[Kind, ...] = (stranger, forged)


def replays(suite: str, key: bytes, ssrc: int, count: int) -> list[bytes]:
    """Make again what the peer has sent in the beginning, from the sequence number 0 on."""
    session = SrtpSession(suite, key)
    packets = (RtpPacket(0, n, 160 * n, ssrc, PAYLOAD) for n in range(count))
    return [session.protect(packet.serialize()) for packet in packets]


def endless(kinds: tuple[Kind, ...], ssrc: int, seed: int = 1) -> Iterator[bytes]:
    """Make datagrams of each kind in turn."""
    dice = random.Random(seed)
    while True:
        for kind in kinds:
            yield kind(dice, ssrc)
