"""The same datagrams at the same times: both engines hear the same and count the same."""

import asyncio
import random
import socket

import numpy as np
import pytest

from opensip.audio.codecs import CODECS
from opensip.media.engine import SrtpKeys, StreamConfig
from opensip.media.engine_python import PythonEngine
from opensip.media.ports import PortPool
from opensip.rtp.packet import Extension, RtpPacket
from opensip.rtp.srtp import SrtpSession
from opensip.rtp.telephone_event import TelephoneEventSender
from tests.fakes.engines import needs_native
from tests.fakes.virtual_time_loop import VirtualTimeLoop

FORMATS = ((0, "PCMU"), (8, "PCMA"), (101, "telephone-event"))
WIDE_FORMATS = ((9, "G722"), (111, "opus"), (0, "PCMU"))
KEYS = SrtpKeys("AES_CM_128_HMAC_SHA1_80", b"k" * 30, b"k" * 30)
pytestmark = needs_native


def trace(seed, *, loss=0.05, late=0.05, odd=0.1, first=65500):
    """Make (tick, packet) rows: voice with losses, reorder, repeats, jumps, digits and garbage."""
    dice, rows, ssrc, number = random.Random(seed), [], 7, first
    events = [*TelephoneEventSender("5").packets()] if dice.random() < 0.5 else []
    for tick in range(90):
        number += 1
        if dice.random() < odd / 5:
            ssrc, number = ssrc + 1, dice.randrange(65536)
        if dice.random() < odd / 5:
            number += dice.choice((200, 4000, 30000, 60000))
        payload_type = dice.choice((0, 0, 0, 8, 13, 96)) if dice.random() < odd else 0
        payload, marker, timestamp = bytes(dice.choices(range(256), k=160)), False, 160 * number
        if events and tick > 30:
            out = events.pop(0)
            payload, marker, payload_type, timestamp = out.payload, out.marker, 101, 777
        packet = RtpPacket(
            payload_type, number & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc, payload, marker
        )
        if dice.random() < odd:
            packet = packet._replace(csrcs=(1,), extension=Extension(5, bytes(4)))
        at = tick + (dice.randrange(1, 5) if dice.random() < late else 0)
        rows += [(at, packet.serialize())] * (
            0 if dice.random() < loss else 2 if dice.random() < loss else 1
        )
        if dice.random() < odd / 3:
            rows.append((tick, dice.randbytes(dice.randrange(60))))
    return sorted(rows, key=lambda row: row[0])


def wide_trace(seed, name, *, loss=0.05, late=0.05):
    """Make rows of a codec with state, voice and silence, amid losses, reorder and G.711."""
    dice, codec, rows, ssrc = random.Random(seed), CODECS[name], [], 7
    encode, units = codec.encoder(320, ""), codec.format.clock_rate // 50
    number, timestamp = dice.randrange(65000, 65536), dice.randrange(1 << 32)
    for tick in range(90):
        number, timestamp = number + 1, timestamp + units
        if dice.random() < 0.02:
            ssrc, number = ssrc + 1, dice.randrange(65536)
        loud = 6000 if tick // 30 % 2 else 20
        sound = np.random.default_rng(tick).integers(-loud, loud, 320).astype(np.int16)
        kind, payload = {"G722": 9, "opus": 111}[name], encode(sound)
        if dice.random() < 0.02:
            payload = dice.randbytes(dice.randrange(1, 9))
        if seed % 3 == 0 and 40 <= tick < 60:  # the peer speaks G.711 for a while
            kind, payload = 0, dice.randbytes(160)
        packet = RtpPacket(kind, number & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc, payload)
        at = tick + (dice.randrange(1, 5) if dice.random() < late else 0)
        if dice.random() >= loss:
            rows.append((at, packet.serialize()))
    return sorted(rows, key=lambda row: row[0])


def sealed(rows):
    """Protect what can be: a jump back in the sequence is refused by the sender's own context."""
    context = SrtpSession(KEYS.suite, KEYS.transmit)
    for tick, data in rows:
        try:
            yield tick, context.protect(data)
        except Exception:
            yield tick, data


def hear(engine_type, rows, config):
    async def main():
        loop, batches = asyncio.get_running_loop(), []
        engine, pair = engine_type(loop), PortPool("127.0.0.1", 0, 0, clock=loop.time).take()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind(("127.0.0.1", 0))
            stream = engine.open(pair, StreamConfig(**config, remote=peer.getsockname()))
            stream.listener = batches.append
            await asyncio.sleep(0.019)  # a millisecond before each tick
            tick = 0
            for due, data in rows:
                await asyncio.sleep(0.02 * (due - tick))
                tick = due
                peer.sendto(data, pair.address)
            await asyncio.sleep(0.3)
            counts = dict(stream.statistics())
            engine.close()
            await asyncio.sleep(0)
        frames = [batch.heard.samples for batch in batches if batch.heard]
        digits = [digit for batch in batches for digit in batch.digits]
        return np.concatenate(frames), digits, counts

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


def compare(rows, **config):
    from opensip.media.engine_native import NativeEngine

    rows = list(rows)
    python = hear(PythonEngine, rows, config)
    native = hear(lambda loop: NativeEngine(loop, threaded=False), rows, config)
    assert native[2] == python[2]
    assert native[1] == python[1]
    assert native[0].tobytes() == python[0].tobytes()
    return python


@pytest.mark.parametrize("seed", range(12))
def test_plain_rtp(seed):
    heard, _, counts = compare(trace(seed), receive=FORMATS, symmetric=False)
    assert len(heard) > 5000
    assert counts["received"] > 40


@pytest.mark.parametrize("seed", range(12))
def test_srtp(seed):
    heard, *_ = compare(sealed(trace(seed, odd=0.03)), receive=FORMATS, keys=KEYS)
    assert len(heard) > 5000


def test_a_digit_amid_losses():
    _, digits, _ = compare(trace(1, odd=0.0, loss=0.2), receive=FORMATS)
    assert [digit.digit for digit in digits] in ([], ["5"])


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", ["G722", "opus"])
def test_codecs_with_state(name, seed):
    pytest.importorskip("av", reason="the extra 'codecs' is not installed")
    loss, late = (0.0, 0.0) if seed % 3 == 0 else (0.05, 0.05)
    rows = wide_trace(seed, name, loss=loss, late=late)
    heard, _, counts = compare(sealed(rows), receive=WIDE_FORMATS, keys=KEYS)
    assert len(heard) > 10000
    assert counts["received"] > 40


@pytest.mark.long
def test_a_thousand_traces():
    for seed in range(1000):
        compare(trace(seed), receive=FORMATS, symmetric=False)
        compare(sealed(trace(seed, odd=0.03)), receive=FORMATS, keys=KEYS)
        rows = wide_trace(3 * seed + 1, "opus" if seed % 2 else "G722")
        compare(rows, receive=WIDE_FORMATS, symmetric=False)
