"""What every engine promises of its streams, tried on each of them in virtual time."""

import asyncio
import itertools
import socket

import numpy as np
import pytest

from opensip.media.engine import NEIGHBOURS, TICK, Batch, SrtpKeys, StreamConfig, deliver
from opensip.media.ports import PortPool
from opensip.rtp.packet import RtpPacket
from opensip.rtp.srtp import SrtpSession
from tests.fakes.engines import each_engine
from tests.fakes.media_engine import FakeStream
from tests.fakes.parties import run, voice
from tests.fakes.virtual_time_loop import VirtualTimeLoop

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


@each_engine
def test_streams_hand_on_with_their_neighbours(engine_type):
    async def main():
        loop, told = asyncio.get_running_loop(), []
        engine = engine_type(loop, listener=lambda batches: told.append((loop.time(), batches)))
        pool = PortPool("127.0.0.1", 0, 0, clock=loop.time)
        for _ in range(NEIGHBOURS + 1):
            engine.open(pool.take(), StreamConfig(remote=("127.0.0.1", 9)))
        await asyncio.sleep(1)
        engine.close()
        assert {len(batches) for _, batches in told[2:]} == {NEIGHBOURS, 1}
        times = {count: [at for at, batches in told if len(batches) == count] for count in (1, 16)}
        assert min(abs(at - times[1][-1]) for at in times[NEIGHBOURS]) == pytest.approx(TICK)

    run(main)


@each_engine
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


def breaks(*_arguments, **_more):
    raise KeyError("a bug")


@each_engine
@pytest.mark.parametrize("part", ["listener", "reports"])
def test_an_error_in_one_stream_ends_that_one_alone(engine_type, part):
    async def main():
        loop = asyncio.get_running_loop()
        engine, pool = engine_type(loop), PortPool("127.0.0.1", 0, 0, clock=loop.time)
        pairs, faults = [pool.take(), pool.take()], []
        one, two = (
            engine.open(pair, StreamConfig(remote=other.address, rtcp=other.address))
            for pair, other in zip(pairs, pairs[::-1], strict=True)
        )
        one.listener = lambda batch: batch.fault and faults.append(batch.fault)
        await asyncio.sleep(0.1)
        if part == "listener":
            one.listener = breaks
        else:
            one._reports.report = one._reports.goodbye = breaks
        await asyncio.sleep(10)  # a report is due within
        assert one._closed is None
        assert faults == ([] if part == "listener" else ["KeyError('a bug')"])
        assert two.statistics()["sent"] == pytest.approx(500, abs=10)
        assert len(engine._streams) == 1
        engine.close()
        await asyncio.sleep(0)
        assert pool.in_use == 0

    run(main)


@each_engine
def test_a_listener_of_all_that_raises_does_not_stop_the_tick(engine_type):
    async def main():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: None)
        engine = engine_type(loop, listener=breaks)
        pool = PortPool("127.0.0.1", 0, 0, clock=loop.time)
        stream = engine.open(pool.take(), StreamConfig(remote=("127.0.0.1", 9)))
        await asyncio.sleep(1)
        assert stream.statistics()["sent"] == pytest.approx(50, abs=2)
        engine.close()
        await asyncio.sleep(0)

    run(main)


@each_engine
def test_a_source_that_moves_is_followed_under_srtp(engine_type):
    async def main():
        key, notes = b"k" * 30, []
        sending = SrtpSession("AES_CM_128_HMAC_SHA1_80", key)
        loop = asyncio.get_running_loop()
        engine, pair = engine_type(loop), PortPool("127.0.0.1", 0, 0, clock=loop.time).take()
        peers = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        for peer in peers:
            peer.bind(("127.0.0.1", 0))
            peer.setblocking(False)
        keys = SrtpKeys("AES_CM_128_HMAC_SHA1_80", key, key)
        stream = engine.open(pair, StreamConfig(remote=peers[0].getsockname(), keys=keys))
        stream.listener = notes.append
        for n, peer in enumerate((peers[0], peers[1], peers[1])):  # a NAT that forgot its binding
            packet = RtpPacket(0, n, 160 * n, 7, b"\xff" * 160).serialize()
            peer.sendto(sending.protect(packet), pair.address)
            await asyncio.sleep(0.3)
        moves = [batch.moved_to for batch in notes if batch.moved_to]
        assert moves == [peers[1].getsockname()]
        assert peers[1].recv(2048)
        assert stream.statistics()["received"] == 3
        stream.close()
        for peer in peers:
            peer.close()

    run(main)


@each_engine
def test_one_call_hands_on_the_batches_of_all_streams(engine_type):
    async def main():
        calls = []
        loop = asyncio.get_running_loop()
        engine = engine_type(loop, listener=calls.append)
        pool = PortPool("127.0.0.1", 0, 0, clock=loop.time)
        pairs = [pool.take() for _ in range(10)]
        keys = SrtpKeys("AES_CM_128_HMAC_SHA1_80", b"k" * 30, b"k" * 30)
        streams = []
        for one, two in (
            itertools.batched(pairs, 2)
            if hasattr(itertools, "batched")
            else zip(pairs[::2], pairs[1::2], strict=True)
        ):
            streams.append(engine.open(one, StreamConfig(remote=two.address, keys=keys)))
            streams.append(engine.open(two, StreamConfig(remote=one.address, keys=keys)))
        await asyncio.sleep(1.01)
        quiet = sum(len(batches) for batches in calls)
        assert quiet == 100  # each stream each 100 ms
        for stream in streams:
            stream.write(voice(1))
        await asyncio.sleep(0.1)
        calls.clear()
        await asyncio.sleep(0.6)
        assert all(len(batches) == 10 for batches in calls)  # each tick while a voice is near
        assert len(calls) == 30
        engine.close()

    run(main)
