"""What every engine promises, tried on each of them in virtual time over loopback sockets."""

import asyncio
import itertools
import socket

import numpy as np
import pytest

from opensip.audio.codecs import CODECS, G711
from opensip.audio.tones import goertzel, tone
from opensip.events import Dtmf, Held
from opensip.media.engine import Batch, SrtpKeys, StreamConfig, deliver
from opensip.media.ports import PortPool
from opensip.media.session import MediaConfig, MediaSession
from opensip.rtp.packet import RtpPacket
from opensip.rtp.payload import TELEPHONE_EVENT
from opensip.rtp.srtp import SUITES, SrtpSession
from tests.fakes.engines import each_engine
from tests.fakes.media_engine import FakeStream
from tests.fakes.virtual_time_loop import VirtualTimeLoop

KEYS = SrtpKeys("AEAD_AES_256_GCM", b"k" * 44, b"k" * 44)
CATCH_UP = 10  # ticks


class Notes(list):
    note = list.append


def run(main):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


def voice(seconds, hz=400):
    return (8000 * np.sin(2 * np.pi * hz * np.arange(round(8000 * seconds)) / 8000)).astype(
        np.int16
    )


def rounded(samples):
    """What is left of samples after G.711."""
    return G711["PCMU"].decode(G711["PCMU"].encode(samples))


class Party:
    def __init__(self, engine_type, **config):
        loop = asyncio.get_running_loop()
        self.engine, self.notes = engine_type(loop), Notes()
        pool = PortPool("127.0.0.1", 0, 0, clock=loop.time)
        config = MediaConfig("127.0.0.1", **{"srtp": "required", **config})
        self.session = MediaSession(self.engine, pool, config, observer=self.notes)

    @property
    def counts(self):
        return self.session.statistics()

    def heard(self):
        """Take all samples heard so far."""
        frames = list(self.session._hearing.source._frames)
        self.session._hearing.source._frames.clear()
        return np.concatenate([frame.samples for frame in frames] or [np.zeros(0, np.int16)])


def connect(caller, callee, change=lambda offer: offer):
    answer = callee.session.answer(change(caller.session.offer()))
    caller.session.accept(answer)


def only(suite):
    """Change an offer so that it has one suite."""

    def change(offer):
        lines = offer.split(b"\r\n")
        kept = (
            line
            for line in lines
            if not line.startswith(b"a=crypto") or suite.encode() + b" " in line
        )
        return b"\r\n".join(kept)

    return change


async def until(ready, seconds=3.0):
    """Let virtual time pass until something has happened."""
    for _ in range(round(seconds / 0.02)):
        if ready():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not happen")


def contains(heard, said):
    """Tell whether `said` is in `heard`, sample for sample."""
    whole, part = heard.tobytes(), said.tobytes()
    return part in whole


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


@each_engine
@pytest.mark.parametrize("suite", [*SUITES, ""])
def test_audio_goes_both_ways_to_the_sample(engine_type, suite):
    async def main():
        caller = Party(engine_type, srtp="required" if suite else "off")
        callee = Party(engine_type, srtp="required" if suite else "off")
        connect(caller, callee, only(suite) if suite else lambda offer: offer)
        assert callee.session.negotiated.suite == suite
        up, down = voice(0.25), voice(0.3, 700)
        assert caller.session.sink.write(up) == 0
        callee.session.sink.write(down)
        await caller.session.sink.drained()
        await callee.session.sink.drained()
        assert caller.session.sink.played() == len(up)
        await asyncio.sleep(0.2)
        assert contains(callee.heard(), rounded(up))
        assert contains(caller.heard(), rounded(down))
        for party in (caller, callee):
            assert not [name for name in party.counts if name.startswith("dropped")]
            await party.session.close()

    run(main)


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
def test_reports_go_both_ways_and_are_read(engine_type):
    async def main():
        caller, callee = Party(engine_type), Party(engine_type)
        connect(caller, callee)
        await asyncio.sleep(20)
        counts = caller.counts
        assert 2 <= counts["rtcp_sent"] <= 8
        assert 2 <= counts["rtcp_received"] <= 8
        assert counts["peer_lost"] == 0
        assert 0 <= counts["round_trip_ms"] < 50
        assert abs(counts["sent"] - 1000) <= 2
        assert abs(counts["received"] - 1000) <= 2
        assert counts["lost"] == 0
        await caller.session.close()
        await asyncio.sleep(0.1)
        assert callee.counts["rtcp_received"] == counts["rtcp_sent"] + 1  # the goodbye
        await callee.session.close()

    run(main)


@each_engine
def test_digits_both_ways_once_each(engine_type):
    async def main():
        caller, callee = Party(engine_type), Party(engine_type)
        connect(caller, callee)
        caller.session.sink.write(voice(5))
        await asyncio.gather(
            caller.session.send_digits("12*#D"), callee.session.send_digits("7788")
        )
        await asyncio.sleep(0.2)
        assert "".join(n.digit for n in callee.notes if isinstance(n, Dtmf)) == "12*#D"
        assert "".join(n.digit for n in caller.notes if isinstance(n, Dtmf)) == "7788"
        await caller.session.close()
        await callee.session.close()

    run(main)


@each_engine
def test_hold_silences_one_way_and_resume_brings_it_back(engine_type):
    async def main():
        caller, callee = Party(engine_type), Party(engine_type)
        connect(caller, callee)
        await asyncio.sleep(0.2)
        caller.session.direction = "sendonly"
        connect(caller, callee)
        await asyncio.sleep(0.1)
        received = caller.counts["received"]
        callee.session.sink.write(voice(0.1))
        await asyncio.sleep(1)
        assert caller.counts["received"] == received
        assert callee.session.sink.queued() == 800
        caller.session.direction = "sendrecv"
        connect(caller, callee)
        caller.heard()
        await callee.session.sink.drained()
        await asyncio.sleep(0.1)
        assert contains(caller.heard(), rounded(voice(0.1)))
        assert [n.on for n in callee.notes if isinstance(n, Held)] == [True, False]
        assert caller.counts["lost"] == 0
        assert "dropped_forged" not in callee.counts  # the contexts lived on
        await caller.session.close()
        await callee.session.close()

    run(main)


@each_engine
def test_pause_flush_and_resume_are_at_once(engine_type):
    async def main():
        caller, callee = Party(engine_type), Party(engine_type)
        connect(caller, callee)
        sink = caller.session.sink
        sink.write(voice(2))
        await asyncio.sleep(0.5)
        sink.pause()
        played = sink.played()
        await asyncio.sleep(0.5)
        assert sink.played() == played
        assert played % 160 == 0
        assert sink.played() + sink.queued() == 16000
        sink.resume()
        await asyncio.sleep(0.1)
        assert 640 <= sink.played() - played <= 960
        waiting = asyncio.create_task(sink.drained())
        await asyncio.sleep(0)
        assert sink.flush() == 16000 - sink.played()
        await waiting
        assert sink.queued() == 0
        assert sink.write(voice(1)) == sink.played()
        await caller.session.close()
        await callee.session.close()

    run(main)


@each_engine
def test_a_closed_stream_lets_go_of_those_who_wait(engine_type):
    async def main():
        caller, callee = Party(engine_type), Party(engine_type)
        connect(caller, callee)
        caller.session.sink.write(voice(60))
        waiting = [
            asyncio.create_task(caller.session.sink.drained()),
            asyncio.create_task(caller.session.send_digits("1")),
        ]
        await asyncio.sleep(0.1)
        await caller.session.close()
        await asyncio.gather(*waiting)
        await callee.session.close()

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
            await asyncio.sleep(0.1)
        moves = [batch.moved_to for batch in notes if batch.moved_to]
        assert moves == [peers[1].getsockname()]
        assert peers[1].recv(2048)
        assert stream.statistics()["received"] == 3
        stream.close()
        for peer in peers:
            peer.close()

    run(main)


@each_engine
def test_forged_packets_change_nothing(engine_type):
    async def main():
        caller, callee = Party(engine_type), Party(engine_type)
        connect(caller, callee)
        await asyncio.sleep(0.1)
        target = callee.session.address
        attacker = PortPool("127.0.0.1", 0, 0, clock=lambda: 0.0).take()
        plain = bytes.fromhex("80 00 00 01 00 00 00 a0 12 34 56 78") + b"\x11" * 160
        for n in range(400):
            attacker.rtp.sendto(plain[: n % 173], target)
            attacker.rtcp.sendto(b"\x80\xc8\x00\x06" + bytes(n % 40), (target[0], target[1] + 1))
            if n % 20 == 19:
                await asyncio.sleep(0.02)
        callee.heard()
        caller.session.sink.write(voice(0.2))
        await caller.session.sink.drained()
        await asyncio.sleep(0.1)
        assert contains(callee.heard(), rounded(voice(0.2)))
        dropped = {k: v for k, v in callee.counts.items() if k.startswith("dropped")}
        assert sum(dropped.values()) == 800
        with pytest.raises(BlockingIOError):
            attacker.rtp.recv(2048)
        attacker.close()
        await caller.session.close()
        await callee.session.close()

    run(main)


@each_engine
def test_a_late_tick_is_made_up_for_and_a_stall_is_not(engine_type):
    async def main():
        loop = asyncio.get_running_loop()
        caller, callee = Party(engine_type), Party(engine_type)
        connect(caller, callee)
        await asyncio.sleep(1.001)
        sent = caller.counts["sent"]
        loop._clock.now += 0.06  # something held the loop up
        await asyncio.sleep(0.941)
        assert caller.counts["sent"] - sent == 50
        assert caller.engine.late_ticks == 2
        loop._clock.now += 2.0
        sent = caller.counts["sent"]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert caller.counts["sent"] - sent <= CATCH_UP + 1
        assert caller.engine.skipped_ticks == pytest.approx(100 - CATCH_UP, abs=2)
        assert callee.counts["jitter_ms"] < 50
        await caller.session.close()
        await callee.session.close()

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


def wide_voice(seconds, hz=5200):
    """A tone that no telephone carries."""
    return tone(hz, seconds, 16000)


@each_engine
@pytest.mark.parametrize("srtp", ["required", "off"])
@pytest.mark.parametrize("codec", ["G722", "opus"])
def test_wideband_goes_both_ways_with_digits_and_reports(engine_type, codec, srtp):
    pytest.importorskip("av", reason="the extra 'codecs' is not installed")

    async def main():
        caller, callee = (Party(engine_type, codecs=(codec, "PCMU"), srtp=srtp) for _ in range(2))
        connect(caller, callee)
        assert caller.session.negotiated.codec.encoding_name == codec
        assert caller.session.rate == caller.session.sink.rate == 16000
        said = wide_voice(1.0)
        assert caller.session.sink.write(said) == 0
        callee.session.sink.write(wide_voice(1.0, 700))
        await caller.session.sink.drained()
        assert caller.session.sink.played() == 16000
        await caller.session.send_digits("4*")
        await asyncio.sleep(6)
        for party, hz in ((callee, 5200), (caller, 700)):
            heard = party.heard()
            loudest = max(goertzel(piece, hz, 16000) for piece in np.array_split(heard[:16000], 5))
            assert loudest == pytest.approx(-16, abs=2)
        assert [note.digit for note in callee.notes if isinstance(note, Dtmf)] == ["4", "*"]
        for party in (caller, callee):
            counts = party.counts
            assert (counts["lost"], counts["peer_lost"]) == (0, 0)
            assert counts["jitter_ms"] < 1
            assert not [name for name in counts if name.startswith("dropped")]
            await party.session.close()

    run(main)


@each_engine
def test_a_call_moves_from_narrow_to_wide_and_back(engine_type):
    pytest.importorskip("av", reason="the extra 'codecs' is not installed")

    async def main():
        both = [Party(engine_type, codecs=("PCMU", "G722"), srtp="off") for _ in range(2)]
        caller, callee = both
        connect(caller, callee)
        for party in both:
            party.session.sink.write(tone(1000, 3.0, 16000))
        for codec, other in (("PCMU", "G722"), ("G722", "PCMU"), ("PCMU", "G722")):
            assert caller.session.negotiated.codec.encoding_name == codec
            await asyncio.sleep(1)
            for party in both:
                played = party.session.sink.played()
                assert played % 16000 <= 700 or played % 16000 >= 15300
                pieces = np.array_split(party.heard()[-8000:], 5)
                powers = [goertzel(piece, 1000, 16000) for piece in pieces[:-1]]
                assert powers == pytest.approx([-16] * 4, abs=1)
            for party in both:
                party.session._formats = (CODECS[other].format, TELEPHONE_EVENT)
            connect(caller, callee)
        for party in both:
            await party.session.close()

    run(main)
