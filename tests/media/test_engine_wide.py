"""Codecs besides G.711, which every engine carries: what is sent and heard, when, how much."""

import asyncio
import itertools

import numpy as np
import pytest

from opensip.audio.codecs import CODECS
from opensip.audio.codecs.codec import table_codec
from opensip.audio.codecs.pcmu import decoded_codes
from opensip.audio.tones import goertzel, tone
from opensip.rtp.payload import PayloadFormat
from tests.fakes.engines import each_engine
from tests.fakes.parties import run
from tests.fakes.wide_peer import NUMBERS, UNITS, WidePeer, decoded, samples_of

pytest.importorskip("av", reason="the extra 'codecs' is not installed")
each_codec = pytest.mark.parametrize("codec", ["G722", "opus"])
pytestmark = each_engine


def levels(samples, hertz=1000, rate=16000, seconds=0.05):
    """The level of a tone in each piece."""
    size = round(rate * seconds)
    return [
        goertzel(samples[n : n + size], hertz, rate) for n in range(0, len(samples) - size, size)
    ]


@each_codec
def test_packets_go_out_in_time_with_the_clock_of_their_codec(engine_type, codec):
    async def main():
        with WidePeer(engine_type, codec, secure=True) as peer:
            await asyncio.sleep(0.1001)
            peer.stream.write(tone(1000, 0.5, 16000))
            await asyncio.sleep(0.8)
            packets = peer.received()
            assert len(packets) == 45
            assert {p.payload_type for p in packets} == {NUMBERS[codec]}
            assert {b.sequence - a.sequence for a, b in itertools.pairwise(packets)} == {1}
            assert {b.timestamp - a.timestamp for a, b in itertools.pairwise(packets)} == {
                UNITS[codec]
            }
            marked = [n for n, packet in enumerate(packets) if packet.marker]
            assert marked == [5]
            heard = decoded(codec, packets)
            assert np.allclose(levels(heard[1920:9280]), -16, atol=2)
            assert max(levels(heard[:1280])) < -60
            assert max(levels(heard[-3200:])) < -60
            assert (peer.stream.played(), peer.stream.queued()) == (8000, 0)

    run(main)


@each_codec
@pytest.mark.parametrize("ptime", [10, 20, 40, 60])
def test_any_packet_time(engine_type, codec, ptime):
    async def main():
        with WidePeer(engine_type, codec, ptime=ptime) as peer:
            peer.stream.write(tone(1000, 1.0, 16000))
            await asyncio.sleep(1.2)
            lasts = max(20, ptime)  # these codecs keep to whole ticks
            packets = peer.received()
            assert len(packets) == pytest.approx(1200 / lasts, abs=1)
            steps = {b.timestamp - a.timestamp for a, b in itertools.pairwise(packets)}
            assert steps == {UNITS[codec] * lasts // 20}
            assert np.allclose(levels(decoded(codec, packets)[1600:14400]), -16, atol=1)

    run(main)


@each_codec
def test_what_is_heard_has_the_wide_rate_and_its_level(engine_type, codec):
    async def main():
        with WidePeer(engine_type, codec, secure=True) as peer:
            await peer.say(tone(5200, 1.0, 16000))  # no telephone carries that
            await asyncio.sleep(0.2)
            frames = [batch.heard for batch in peer.batches if batch.heard]
            assert {frame.rate for frame in frames} == {16000}
            assert len(peer.heard()) == 16000
            assert max(levels(peer.heard(), 5200)) == pytest.approx(-16, abs=1.5)
            assert max(frame.level_dbfs for frame in frames) == pytest.approx(-16, abs=1.5)
            ends = [frame.at + frame.seconds for frame in frames]
            starts = [frame.at for frame in frames]
            assert np.allclose(starts[1:], ends[:-1], atol=0.001)

    run(main)


@each_codec
def test_a_voice_is_handed_on_each_tick_and_silence_each_100_ms(engine_type, codec):
    async def main():
        with WidePeer(engine_type, codec) as peer:
            await peer.say(np.zeros(16000, np.int16))
            quiet = [batch for batch in peer.batches if batch.heard]
            assert len(quiet) == pytest.approx(10, abs=1)
            assert sum(batch.seconds for batch in peer.batches) == pytest.approx(1.0, abs=0.1)
            peer.batches.clear()
            await peer.say(tone(1000, 1.0, 16000))
            loud = [batch for batch in peer.batches if batch.heard]
            assert len(loud) >= 48
            assert sum(batch.seconds for batch in peer.batches) == pytest.approx(1.0, abs=0.1)

    run(main)


@each_codec
def test_what_was_lost_is_silence_and_what_comes_late_has_its_place(engine_type, codec):
    async def main():
        with WidePeer(engine_type, codec) as peer:
            sound = tone(1000, 1.0, 16000)
            await peer.say(sound[:4800])
            await peer.say(sound[4800:9600], lose=(5,))
            count = samples_of(codec)
            two = [peer.next(sound[9600 + n * count :][:count]) for n in range(2)]
            for packet in two[::-1]:  # the network changed their order
                peer.send(packet)
            await asyncio.sleep(0.04)
            await peer.say(sound[10240:])
            await asyncio.sleep(0.2)
            counts = peer.stream.statistics()
            assert (counts["lost"], counts["reordered"], counts["late"]) == (1, 1, 0)
            frames = [batch.heard for batch in peer.batches if batch.heard]
            holes = [
                round(two.at - one.at - one.seconds, 3)
                for one, two in itertools.pairwise(frames)
                if two.at - one.at - one.seconds > 0.001
            ]
            silence = 16000 - len(peer.heard())  # a voice is near: no hole is filled
            assert holes == [0.02]
            assert silence == count
            assert max(levels(peer.heard()[10560:])) == pytest.approx(-16, abs=1)

    run(main)


@each_codec
def test_what_cannot_be_decoded_is_counted_and_costs_no_call(engine_type, codec):
    async def main():
        with WidePeer(engine_type, codec) as peer:
            await peer.say(tone(1000, 0.2, 16000))
            for _ in range(20):
                broken = peer.next(np.zeros(samples_of(codec), np.int16))
                payload = b"\xff" * 5 if codec == "opus" else b""
                peer.send(broken._replace(payload=payload))
                await asyncio.sleep(0.02)
            await peer.say(tone(1000, 0.2, 16000))
            await asyncio.sleep(0.2)
            assert not [batch for batch in peer.batches if batch.fault]
            assert peer.stream.statistics()["received"] == 40
            assert max(levels(peer.heard()[-2560:])) == pytest.approx(-16, abs=1.5)

    run(main)


@each_codec
def test_flush_and_pause_are_at_once_and_counted_to_the_packet(engine_type, codec):
    async def main():
        with WidePeer(engine_type, codec) as peer:
            stream = peer.stream
            stream.write(tone(1000, 5.0, 16000))
            await asyncio.sleep(0.5001)
            stream.pause()
            played = stream.played()
            assert played == 25 * 320
            assert stream.queued() == 80000 - played
            await asyncio.sleep(0.2)
            assert stream.played() == played
            stream.resume()
            await asyncio.sleep(0.2)
            assert stream.played() == played + 3200
            assert stream.flush() == 80000 - played - 3200
            assert stream.queued() == 0
            await asyncio.sleep(0.2)
            assert stream.write(tone(1000, 0.107, 16000)) == played + 3200  # no whole packets
            await stream.drained()
            assert stream.played() == played + 3200 + 1712
            await asyncio.sleep(0.1)
            packets = peer.received()
            marked = [n for n, packet in enumerate(packets) if packet.marker]
            assert marked == [0, 35, 55]
            heard = decoded(codec, packets)
            assert max(levels(heard[25 * 320 + 480 : 35 * 320])) < -40  # paused
            assert max(levels(heard[45 * 320 + 480 : 55 * 320])) < -40  # flushed
            peak = np.abs(heard.astype(int)).max()
            assert (
                peak < 1.6 * np.abs(tone(1000, 0.1, 16000).astype(int)).max()
            )  # no burst anywhere

    run(main)


@each_codec
def test_writes_of_any_size_make_one_sound(engine_type, codec):
    async def main():
        with WidePeer(engine_type, codec) as peer:
            dice, sound, at = np.random.default_rng(3), tone(1000, 3.0, 16000), 0
            while at < len(sound):  # as a synthesizer streams, a little faster than it is played
                size = int(dice.integers(1, 1200))
                peer.stream.write(sound[at : at + size])
                at += size
                await asyncio.sleep(0.9 * size / 16000)
            await peer.stream.drained()
            heard = decoded(codec, peer.received())
            assert np.allclose(levels(heard[4800:40000]), -16, atol=1.5)
            assert peer.stream.played() == len(sound)

    run(main)


@each_codec
def test_what_was_said_is_told_for_a_recording(engine_type, codec):
    async def main():
        with WidePeer(engine_type, codec) as peer:
            peer.stream.keep_said = True
            peer.stream.write(tone(1000, 0.47, 16000))
            await asyncio.sleep(0.8)
            said = peer.said()
            assert len(said) == pytest.approx(12800, abs=1600)
            assert said[:7520].tobytes() == tone(1000, 0.47, 16000).tobytes()
            assert not said[7520:].any()
            starts = [(b.said_at, len(b.said)) for b in peer.batches if b.said is not None]
            for (one, count), (two, _) in itertools.pairwise(starts):
                assert two - one == pytest.approx(count / 16000, abs=0.001)

    run(main)


@pytest.mark.parametrize(("one", "two"), [("PCMU", "G722"), ("PCMA", "opus"), ("G722", "opus")])
def test_a_codec_that_changes_amid_a_prompt_makes_no_click(engine_type, one, two):
    async def main():
        with WidePeer(engine_type, one, secure=True, first=65500) as peer:
            peer.stream.keep_said = True
            names, heard = [one, two, one], []
            peer.stream.write(tone(1000, 3.2, CODECS[one].rate))
            for turn, name in enumerate(names):
                if turn:
                    peer.agree(name, more=(names[turn - 1],))
                assert peer.stream.rate == CODECS[name].rate
                await peer.say(tone(1000, 1.0, CODECS[name].rate))
                packets = peer.received()
                assert len(packets) == 50
                assert {p.payload_type for p in packets} == {NUMBERS[name]}
                assert not [p for p in packets[1:] if p.marker]
                heard.append(levels(decoded(name, packets), rate=CODECS[name].rate))
            assert [np.median(piece) for piece in heard] == pytest.approx([-16] * 3, abs=0.5)
            for piece in heard:
                assert np.allclose(piece[2:], -16, atol=1.5)  # but for a new coder's first moment
            assert peer.stream.played() == pytest.approx(3 * CODECS[one].rate, abs=320)
            await asyncio.sleep(0.3)
            counts = peer.stream.statistics()
            assert (counts["received"], counts["lost"]) == (150, 0)  # over a wrap of the sequence
            assert not [name for name in counts if name.startswith("dropped")]
            frames = [batch.heard for batch in peer.batches if batch.heard]
            assert sum(frame.seconds for frame in frames) == pytest.approx(3, abs=0.001)
            said = [batch for batch in peer.batches if batch.said is not None]
            assert all(b.said.any() for b in said if b.said_at < said[0].said_at + 3)

    run(main)


@each_codec
def test_another_source_is_heard_from_its_beginning(engine_type, codec):
    async def main():
        with WidePeer(engine_type, codec, secure=True) as peer:
            await peer.say(tone(1000, 0.4, 16000))
            peer.ssrc, peer.sequence, peer.timestamp = 8, 40000, 123456
            peer.coders.clear()
            await peer.say(tone(700, 0.4, 16000))
            await asyncio.sleep(0.2)
            heard = peer.heard()
            assert len(heard) == 12800
            assert max(levels(heard[6400:], 700)) == pytest.approx(-16, abs=1)
            assert peer.stream.statistics()["lost"] == 0

    run(main)


def test_who_is_deaf_hears_nothing_of_it_and_goes_on(engine_type):
    async def main():
        with WidePeer(engine_type, "G722") as peer:
            await peer.say(tone(1000, 0.2, 16000))
            peer.stream.deaf = True
            await asyncio.sleep(0.6)  # until no voice is near any more
            peer.batches.clear()
            await peer.say(tone(1000, 2.0, 16000))
            assert not len(peer.heard())
            assert len(peer.batches) <= 3
            peer.stream.deaf = False
            await peer.say(tone(1000, 0.4, 16000))
            await asyncio.sleep(0.2)
            assert len(peer.heard()) == 6400

    run(main)


def test_a_codec_of_a_table_that_somebody_adds(engine_type, monkeypatch):
    form = PayloadFormat("wide-table", 16000)
    codec = table_codec(form, decoded_codes(), silence=0xFF)
    monkeypatch.setitem(CODECS, "wide-table", codec)
    monkeypatch.setitem(NUMBERS, "wide-table", 99)
    monkeypatch.setitem(UNITS, "wide-table", 320)

    async def main():
        with WidePeer(engine_type, "wide-table") as peer:
            peer.stream.write(tone(1000, 0.5, 16000))
            await peer.say(tone(5200, 0.5, 16000))
            await asyncio.sleep(0.2)
            heard = peer.heard()
            assert heard.tobytes() == codec.decode(codec.encode(tone(5200, 0.5, 16000))).tobytes()
            packets = peer.received()
            assert {len(packet.payload) for packet in packets} == {320}
            assert np.allclose(levels(decoded("wide-table", packets)[800:7200]), -16, atol=0.5)

    run(main)
