"""What is the Python engine's own; what it shares with every engine is in test_engine.py."""

import asyncio

import pytest

from opensip.media.engine import StreamConfig
from opensip.media.engine_python import PythonEngine
from opensip.media.ports import PortPool
from tests.fakes.virtual_time_loop import VirtualTimeLoop


def run(main):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


def breaks(*_arguments, **_more):
    raise KeyError("a bug")


FAULTS = {
    "listener": lambda stream: setattr(stream, "listener", breaks),
    "receiver": lambda stream: setattr(stream.receiver, "tick", breaks),
    "reports": lambda stream: setattr(stream._reports, "report", breaks),
    "goodbye": lambda stream: setattr(stream._reports, "goodbye", breaks) or breaks_in(stream),
    "decoding": lambda stream: setattr(stream.receiver, "hear", breaks),
}


def breaks_in(stream):
    stream._sender.tick = breaks


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_an_error_in_one_stream_ends_that_one_alone(fault):
    async def main():
        loop = asyncio.get_running_loop()
        engine, pool = PythonEngine(loop), PortPool("127.0.0.1", 0, 0, clock=loop.time)
        pairs, faults = [pool.take(), pool.take()], []
        one, two = (
            engine.open(pair, StreamConfig(remote=other.address, rtcp=other.address))
            for pair, other in zip(pairs, pairs[::-1], strict=True)
        )
        one.listener = lambda batch: batch.fault and faults.append(batch.fault)
        await asyncio.sleep(0.1)
        fault(one)
        await asyncio.sleep(10)  # a report is due within
        assert one._closed is None
        assert faults == ([] if one.listener is breaks else ["KeyError('a bug')"])
        assert two.statistics()["sent"] == pytest.approx(500, abs=10)
        assert len(engine._streams) == 1
        engine.close()
        await asyncio.sleep(0)
        assert pool.in_use == 0

    run(main)


def test_an_engine_without_a_loop_takes_the_running_one():
    async def main():
        engine = PythonEngine()
        assert engine.now() == asyncio.get_running_loop().time()
        engine.close()

    run(main)


def test_the_tick_ends_with_the_last_stream():
    async def main():
        loop = asyncio.get_running_loop()
        engine = PythonEngine(loop)
        stream = engine.open(PortPool("127.0.0.1", 0, 0, clock=loop.time).take(), StreamConfig())
        assert engine._timer is not None
        stream.close()
        assert engine._timer is None
        await asyncio.sleep(0)

    run(main)
