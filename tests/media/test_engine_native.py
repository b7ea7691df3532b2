"""What is the native engine's own: its thread, which Python cannot hold up."""

import asyncio
import gc
import itertools
import os
import resource
import socket
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from opensip.audio.codecs import CODECS
from opensip.audio.tones import goertzel, tone
from opensip.media.engine import StreamConfig
from opensip.media.ports import PortPool
from opensip.rtp.packet import RtpPacket
from tests.fakes.engines import needs_native

pytestmark = needs_native


def peer():
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    made.settimeout(2)
    return made


def opened(peer, **config):
    from opensip.media.engine_native import NativeEngine

    loop = asyncio.get_running_loop()
    engine = NativeEngine(loop)
    pair = PortPool("127.0.0.1", 0, 0, clock=loop.time).take()
    return engine, engine.open(pair, StreamConfig(remote=peer.getsockname(), **config)), pair


def media_threads():
    """List the ids of the engine's threads in this process."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        try:
            name = (task / "comm").read_text().strip()
        except OSError:  # it has just ended
            continue
        if name == "opensip-media":
            found.append(int(task.name))
    return found


def may_go_first():
    """Tell whether the system lets this process have real-time threads."""
    status = Path("/proc/self/status").read_text()
    capabilities = int(status.partition("CapEff:")[2].split()[0], 16)
    return bool(capabilities >> 23 & 1) or resource.getrlimit(resource.RLIMIT_RTPRIO)[0] > 0


def test_what_is_queued_is_heard_while_python_stands_still():
    async def main(peer):
        engine, stream, _ = opened(peer)
        stream.write(np.full(24000, 5000, np.int16))
        first = await asyncio.to_thread(peer.recv, 2048)
        before = stream.played()
        time.sleep(0.3)  # noqa: ASYNC251 - the loop is what must not matter
        assert stream.played() - before >= 14 * 160
        peer.setblocking(False)
        packets = [RtpPacket.parse(data) for data in [first, *_waiting(peer)]]
        assert len(packets) >= 13
        assert {p.payload for p in packets[2:12]} == {packets[3].payload}
        left = stream.flush()
        assert left + stream.played() == 24000
        stream.close()
        engine.close()

    with peer() as one:
        asyncio.run(main(one))


@pytest.mark.parametrize(("codec", "number", "units"), [("G722", 9, 160), ("opus", 111, 960)])
def test_what_was_encoded_ahead_is_heard_while_python_stands_still(codec, number, units):
    pytest.importorskip("av", reason="the extra 'codecs' is not installed")

    async def main(peer):
        engine, stream, _ = opened(peer, codec=codec, payload_type=number)
        assert stream.write(tone(1000, 1.5, 16000)) == 0
        first = await asyncio.to_thread(peer.recv, 2048)
        before = stream.played()
        time.sleep(0.3)  # noqa: ASYNC251 - the loop is what must not matter
        assert stream.played() - before >= 14 * 320
        peer.setblocking(False)
        packets = [RtpPacket.parse(data) for data in [first, *_waiting(peer)]]
        assert len(packets) >= 14
        assert {packet.payload_type for packet in packets} == {number}
        steps = {two.timestamp - one.timestamp for one, two in itertools.pairwise(packets)}
        assert steps <= {units, units - 2**32}
        decode = CODECS[codec].decoder()
        heard = np.concatenate([decode(packet.payload) for packet in packets])
        assert goertzel(heard[1600:4000], 1000, 16000) == pytest.approx(-16, abs=1)
        assert stream.flush() + stream.played() == 24000
        stream.close()
        engine.close()

    with peer() as one:
        asyncio.run(main(one))


def _waiting(peer):
    while True:
        try:
            yield peer.recv(2048)
        except BlockingIOError:
            return


def test_arrivals_are_timed_by_the_kernel_not_by_the_tick():
    async def main(peer):
        engine, stream, pair = opened(peer, receive=((0, "PCMU"),))
        heard, times = [], []
        stream.listener = heard.append
        loop = asyncio.get_running_loop()
        await asyncio.sleep(0.1)  # the kernel begins to stamp packets some time after it is told to
        for n in range(8):  # every 27 ms: ticks would tell 20 or 40
            before = loop.time()
            peer.sendto(RtpPacket(0, n, 160 * n, 7, b"\x00" * 160).serialize(), pair.address)
            times.append((before, loop.time()))
            await asyncio.sleep(0.027)
            assert times[-1][0] - 0.001 <= stream.last_received <= times[-1][1] + 0.001
        frames = [batch.heard for batch in heard if batch.heard]
        assert times[0][0] - 0.001 <= frames[0].at <= times[0][1] + 0.001
        stream.close()
        engine.close()

    with peer() as one:
        asyncio.run(main(one))


def test_strangers_are_kept_out_by_the_kernel_once_the_peer_is_known():
    async def main(peer, stranger):
        engine, stream, pair = opened(peer)
        packet = RtpPacket(0, 1, 160, 7, b"\xff" * 160).serialize()
        peer.sendto(packet, pair.address)
        await asyncio.sleep(0.1)
        assert stream.statistics()["received"] == 1
        for _ in range(50):
            stranger.sendto(packet, pair.address)
        await asyncio.sleep(0.05)
        assert "dropped_source" not in stream.statistics()
        stream.configure(StreamConfig(remote=stranger.getsockname()))  # a re-INVITE moves it
        stranger.sendto(packet[:3] + b"\x09" + packet[4:], pair.address)
        await asyncio.sleep(0.06)
        assert stream.statistics()["received"] == 2
        assert stranger.recv(2048)
        stream.close()
        engine.close()

    with peer() as one, peer() as two:
        asyncio.run(main(one, two))


def test_a_peer_that_closed_its_port_is_counted_and_no_fault():
    async def main(peer):
        engine, stream, pair = opened(peer)
        peer.sendto(RtpPacket(0, 1, 160, 7, b"\xff" * 160).serialize(), pair.address)
        await asyncio.sleep(0.05)
        peer.close()
        await asyncio.sleep(0.1)
        assert stream.statistics()["refused"] >= 1
        assert stream.statistics()["unsent"] == 0
        stream.close()
        engine.close()

    asyncio.run(main(peer()))


def test_one_thread_serves_all_streams_and_ends_with_the_engine():
    async def main(peer):
        before = media_threads()
        engine, stream, _ = opened(peer)
        pool = PortPool("127.0.0.1", 0, 0, clock=engine.now)
        more = [engine.open(pool.take(), StreamConfig(remote=peer.getsockname())) for _ in range(9)]
        (thread,) = set(media_threads()) - set(before)
        wanted = os.SCHED_RR if may_go_first() else os.SCHED_OTHER
        assert os.sched_getscheduler(thread) == wanted
        engine.close()
        stream.close()
        await asyncio.sleep(0.02)
        assert pool.in_use == 0
        again = engine.open(pool.take(), StreamConfig(remote=peer.getsockname()))
        await asyncio.to_thread(peer.recv, 2048)
        again.close()
        del engine, stream, more, again
        return before

    with peer() as one:
        before = asyncio.run(main(one))
    gc.collect()
    assert media_threads() == before


def test_many_threads_of_python_write_and_close_beside_the_ticks():
    async def main(peer):
        engine, stream, _ = opened(peer)
        samples = np.full(37, 100, np.int16)

        def write():
            for _ in range(300):
                stream.write(samples)
                stream.queued()
                stream.statistics()

        threads = [threading.Thread(target=write) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            await asyncio.to_thread(thread.join)
        assert stream.played() + stream.queued() == 900 * 37
        stream.close()
        engine.close()

    with peer() as one:
        asyncio.run(main(one))


def test_streams_are_joined_and_closed_beside_the_ticks_and_each_has_one_turn_a_tick():
    async def main(peer):
        engine, first, pair = opened(peer)
        pool = PortPool("127.0.0.1", 0, 0, clock=asyncio.get_running_loop().time)
        pairs = [pair, *(pool.take() for _ in range(5))]
        config = StreamConfig(remote=peer.getsockname())
        streams = [first, *(engine.open(one, config) for one in pairs[1:])]
        begun = [stream.statistics()["sent"] for stream in streams]
        for turn in range(60):
            one, other = turn % 6, (turn % 6 + 1 + turn // 6 % 5) % 6  # each with each
            assert engine.connect(streams[one], streams[other])
            for number, end in enumerate(pairs):
                packet = RtpPacket(0, turn, turn * 160, number, b"\x55" * 160)
                peer.sendto(packet.serialize(), end.rtp.getsockname())
            await asyncio.sleep(0.007)
        ended = [stream.statistics()["sent"] for stream in streams]
        sent = [int(after - before) for before, after in zip(begun, ended, strict=True)]
        assert max(sent) < 1.5 * min(sent)  # they are asked for one after the other
        for stream in streams:  # some of them joined
            stream.close()
        engine.close()

    with peer() as one:
        asyncio.run(main(one))
