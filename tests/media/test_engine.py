"""What every engine promises, tried on each of them."""

import asyncio

import numpy as np
import pytest

from opensip.media.engine import Batch, SrtpKeys, StreamConfig, deliver
from opensip.media.engine_python import PythonEngine
from opensip.media.ports import PortPool
from tests.fakes.media_engine import FakeStream
from tests.fakes.virtual_time_loop import VirtualTimeLoop

ENGINES = [PythonEngine]
KEYS = SrtpKeys("AEAD_AES_256_GCM", b"k" * 44, b"k" * 44)


def test_each_batch_goes_to_the_listener_of_its_stream():
    one, two, taken = FakeStream(StreamConfig()), FakeStream(StreamConfig()), []
    one.listener = lambda batch: taken.append(("one", batch.at))
    two.listener = lambda batch: taken.append(("two", batch.at))
    deliver([(two, Batch(1.0, 0.1)), (one, Batch(2.0, 0.1))])
    assert taken == [("two", 1.0), ("one", 2.0)]


def test_a_listener_that_raises_costs_the_others_nothing():
    one, two, taken = FakeStream(StreamConfig()), FakeStream(StreamConfig()), []

    def broken(batch):
        taken.append(batch)
        raise KeyError(len(taken))

    one.listener, two.listener = broken, taken.append
    deliver([(one, Batch(1.0, 0.1)), (two, Batch(2.0, 0.1))])
    assert [(batch.at, batch.fault) for batch in taken] == [
        (1.0, ""),
        (1.0, "KeyError(1)"),
        (2.0, ""),
    ]
    assert (one.closed, two.closed) == (True, False)


def test_keys_stay_out_of_logs():
    assert "k" * 44 not in repr(StreamConfig(keys=KEYS))
    assert "AEAD_AES_256_GCM" in repr(KEYS)


@pytest.mark.parametrize("engine_type", ENGINES)
def test_two_streams_hear_each_other(engine_type):
    async def main():
        loop = asyncio.get_running_loop()
        engine, pool = engine_type(loop), PortPool("127.0.0.1", 0, 0, clock=loop.time)
        pairs, heard = [pool.take(), pool.take()], ([], [])
        streams = []
        for pair, other, batches in zip(pairs, pairs[::-1], heard, strict=True):
            streams.append(engine.open(pair, StreamConfig(remote=other.address, keys=KEYS)))
            streams[-1].listener = batches.append
        position = streams[0].write(np.full(330, 5000, np.int16))
        await streams[0].drained()
        await asyncio.sleep(0.1)
        assert streams[0].played() - position == 330
        loud = [frame.samples for b in heard[1] if (frame := b.heard) and frame.level_dbfs > -30]
        samples = np.concatenate(loud)
        assert (samples > 4000).sum() == 330
        ends = [b.at for b in heard[0]]
        assert sum(b.seconds for b in heard[0]) == pytest.approx(ends[-1], abs=0.021)
        engine.close()
        await asyncio.sleep(0)
        assert pool.in_use == 0

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(main())


def test_an_engine_without_a_loop_takes_the_running_one():
    async def main():
        engine = PythonEngine()
        assert engine.now() == asyncio.get_running_loop().time()
        engine.close()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(main())
