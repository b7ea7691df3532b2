"""What two streams joined make of jitter and loss: tried on each engine in virtual time."""

import asyncio
import random

import pytest

from opensip.audio.codecs import G711
from opensip.media.engine_python import PythonEngine
from tests.fakes.engines import each_engine
from tests.fakes.joined import Wire, say
from tests.fakes.parties import run


@each_engine
@pytest.mark.parametrize("phase", [0.001, 0.007, 0.014, 0.019])
def test_without_jitter_it_takes_22_ms_at_most(engine_type, phase):
    """In virtual time the native engine takes a packet to have come when it looks."""
    limit = 0.023 if engine_type is PythonEngine else 0.04

    async def main():
        wire = Wire(engine_type)
        await asyncio.sleep(0.2 + phase)
        times = {n: n * 0.02 for n in range(60)}
        out = await say(wire, times)
        came = {packet.payload[0] - 1: at for at, packet in reversed(out)}
        assert max(came[n] - times[n] for n in times) <= limit
        assert wire.legs[0].statistics()["playout_ms"] == 22
        wire.close()

    run(main)


@each_engine
def test_jitter_of_40_ms_and_20_loses_no_more_than_one_in_a_hundred(engine_type):
    async def main():
        wire, dice = Wire(engine_type), random.Random(4)
        await say(wire, {n: n * 0.02 + dice.uniform(0.02, 0.06) for n in range(600)})
        figures = wire.legs[0].statistics()
        assert figures["playout_late"] <= 6
        assert 40 <= figures["playout_ms"] <= 80
        wire.close()

    run(main)


@each_engine
def test_what_is_lost_is_concealed(engine_type):
    async def main():
        wire = Wire(engine_type)
        times = {n: n * 0.02 for n in range(60) if n != 30}
        out = await say(wire, times)
        payloads = [packet.payload for _, packet in out]
        place = payloads.index(bytes([30]) * 160)
        assert payloads[place + 1] not in (bytes([32]) * 160, b"\xff" * 160)
        assert payloads[place + 2][40:] == bytes([32]) * 120  # its beginning is blended
        sequences = [packet.sequence for _, packet in out]
        assert sequences == list(range(sequences[0], sequences[0] + len(out)))
        assert wire.legs[0].statistics()["playout_concealed"] <= 6
        wire.close()

    run(main)


@each_engine
def test_another_law_and_another_source_go_on(engine_type):
    async def main():
        wire = Wire(engine_type)
        await say(wire, {n: n * 0.02 for n in range(20)})
        out = await say(wire, {n: (n - 20) * 0.02 for n in range(20, 40)}, law="PCMA")
        out += await say(wire, {n: n * 0.02 for n in range(50, 70)}, ssrc=9)
        told = {packet.payload for _, packet in out}
        law = G711["PCMA"].decode(bytes([31]) * 160)
        assert G711["PCMU"].encode(law) in told
        assert bytes([66]) * 160 in told
        wire.close()

    run(main)
