"""A thousand random strings of digits through each engine, one packet in a hundred lost."""

import asyncio
import random

import pytest

from opensip.media.engine import StreamConfig
from opensip.media.ports import PortPool
from opensip.rtp.telephone_event import DIGITS
from tests.fakes.engines import each_engine
from tests.fakes.virtual_time_loop import VirtualTimeLoop

STRINGS, CALLS, LOSS = 1000, 20, 0.01
EVENTS = {"event_payload_type": 101, "receive": ((0, "PCMU"), (101, "telephone-event"))}


class Lossy(asyncio.DatagramProtocol):
    """Passes on what comes from one side to the other, less what is lost."""

    def __init__(self, source, target, dice):
        self.source, self.target, self.dice = source, target, dice
        self.passed = self.lost = 0

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        if addr != self.source:
            return
        if self.dice.random() < LOSS:
            self.lost += 1
        else:
            self.passed += 1
            self.transport.sendto(data, self.target)


async def keyed(engine, pool, seed, count):
    """Send strings by one call; returns those sent, those heard, and the line between."""
    dice, loop = random.Random(seed), asyncio.get_running_loop()
    near, far = pool.take(), pool.take()
    line = Lossy(near.address, far.address, dice)
    transport, _ = await loop.create_datagram_endpoint(lambda: line, ("127.0.0.1", 0))
    between = transport.get_extra_info("sockname")
    sending = engine.open(near, StreamConfig(remote=between, **EVENTS))
    hearing = engine.open(far, StreamConfig(remote=between, **EVENTS))
    digits, sent, heard = [], [], []
    hearing.listener = lambda batch: digits.extend(digit.digit for digit in batch.digits)
    for _ in range(count):
        sent.append("".join(dice.choices(DIGITS, k=dice.randint(1, 8))))
        for digit in sent[-1]:
            await sending.send_digit(digit)
        await asyncio.sleep(0.3)
        heard.append("".join(digits))
        digits.clear()
    transport.close()
    return sent, heard, line


async def all_keyed(engine_type, strings, calls):
    loop = asyncio.get_running_loop()
    engine, pool = engine_type(loop), PortPool("127.0.0.1", 0, 0, clock=loop.time)
    each = strings // calls
    done = await asyncio.gather(*(keyed(engine, pool, seed, each) for seed in range(calls)))
    engine.close()
    await asyncio.sleep(0.1)
    return done


def check(engine_type, strings, calls):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        done = runner.run(all_keyed(engine_type, strings, calls))
    assert sum(len(sent) for sent, _, _ in done) == strings
    for sent, heard, _ in done:
        assert heard == sent
    return tuple(sum(getattr(line, name) for *_, line in done) for name in ("lost", "passed"))


@each_engine
def test_some_strings_arrive_exact(engine_type):
    check(engine_type, 6, 3)


@pytest.mark.long
@each_engine
def test_a_thousand_strings_arrive_exact(engine_type):
    lost, passed = check(engine_type, STRINGS, CALLS)
    assert lost == pytest.approx(LOSS * passed, rel=0.1)
