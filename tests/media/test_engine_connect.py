"""Two streams joined: what every engine promises of it, tried on each of them in virtual time."""

import asyncio
import random
import socket

import numpy as np
import pytest

from opensip.audio.codecs import G711
from opensip.media.engine import SrtpKeys, StreamConfig
from opensip.media.engine_python import PythonEngine
from opensip.media.ports import PortPool
from opensip.rtp.packet import RtpPacket
from tests.fakes.engines import ENGINES, each_engine, needs_native
from tests.fakes.parties import contains, rounded, run, voice

KEYS = SrtpKeys("AES_CM_128_HMAC_SHA1_80", b"k" * 30, b"k" * 30)
EVENT = 101
ENGINE_TYPES = [parameter.values[0] for parameter in ENGINES]
BOTH_LAWS = ((0, "PCMU"), (8, "PCMA"), (EVENT, "telephone-event"))


def config(remote, **more):
    return StreamConfig(
        **{"remote": remote, "receive": BOTH_LAWS, "event_payload_type": EVENT, "keys": KEYS} | more
    )


class Joined:
    """Two legs in one engine, each with a peer, which is a stream of that engine too."""

    def __init__(self, engine_type, *, other=None, keys=(True, True)):
        loop = asyncio.get_running_loop()
        self.engine = engine_type(loop)
        pool = PortPool("127.0.0.1", 0, 0, clock=loop.time)
        pairs = [pool.take() for _ in range(4)]
        partners = [pairs[1], pairs[0], pairs[3], pairs[2]]
        changes = [{}, {}, other or {}, other or {}]
        self.streams = [
            self.engine.open(pair, config(partner.address, **change))
            for pair, partner, change in zip(pairs, partners, changes, strict=True)
        ]
        self.caller, self.one, self.two, self.human = self.streams
        self.batches = {stream: [] for stream in self.streams}
        for stream in self.streams:
            stream.listener = self.batches[stream].append
        assert self.engine.connect(self.one, self.two, keys=keys)

    def heard(self, stream):
        return np.concatenate(
            [np.zeros(0, np.int16)]
            + [batch.heard.samples for batch in self.batches[stream] if batch.heard]
        )

    def said(self, stream):
        return np.concatenate(
            [batch.said for batch in self.batches[stream] if batch.said is not None]
        )

    def digits(self, stream):
        return "".join(digit.digit for batch in self.batches[stream] for digit in batch.digits)


def share(samples, hertz):
    """Tell which share of the power is at `hertz`."""
    wide = samples.astype(float)
    wave = np.exp(2j * np.pi * hertz / 8000 * np.arange(len(wide)))
    return 2 * abs(np.vdot(wave, wide)) ** 2 / len(wide) / max(1.0, float(np.dot(wide, wide)))


@each_engine
def test_each_hears_the_other_sample_for_sample(engine_type):
    async def main():
        joined = Joined(engine_type)
        await asyncio.sleep(0.5)
        joined.caller.write(voice(1, 400))
        joined.human.write(voice(1, 700))
        await asyncio.sleep(1.5)
        assert contains(joined.heard(joined.human), rounded(voice(1, 400)))
        assert contains(joined.heard(joined.caller), rounded(voice(1, 700)))
        figures = joined.one.statistics()
        assert figures["playout_late"] == 0
        assert figures["playout_ms"] == 22
        joined.engine.close()

    run(main)


@each_engine
@pytest.mark.parametrize(
    "other", [{"codec": "PCMA", "payload_type": 8}, {"ptime": 60}, {"keys": None}]
)
def test_the_legs_need_not_be_alike(engine_type, other):
    async def main():
        joined = Joined(engine_type, other=other)
        await asyncio.sleep(0.5)
        joined.caller.write(voice(1, 400))
        joined.human.write(voice(1, 700))
        await asyncio.sleep(1.5)
        for stream, hertz in ((joined.human, 400), (joined.caller, 700)):
            heard = joined.heard(stream)
            start = int(np.argmax(abs(heard.astype(int)) > 1000))
            assert share(heard[start + 1000 : start + 7000], hertz) > 0.99
        joined.engine.close()

    run(main)


@each_engine
def test_keys_go_through_once_each_and_are_told(engine_type):
    async def main():
        joined = Joined(engine_type)
        await asyncio.sleep(0.2)
        for digit in "12#":
            await joined.caller.send_digit(digit)
        await joined.human.send_digit("9")
        await asyncio.sleep(1)
        assert joined.digits(joined.human) == joined.digits(joined.one) == "12#"
        assert joined.digits(joined.caller) == "9"
        joined.engine.close()

    run(main)


@each_engine
def test_keys_stay_where_they_are_not_wanted(engine_type):
    async def main():
        joined = Joined(engine_type, keys=(False, True))
        await asyncio.sleep(0.2)
        await joined.caller.send_digit("1")
        await joined.human.send_digit("9")
        await asyncio.sleep(1)
        assert joined.digits(joined.one) == "1"
        assert (joined.digits(joined.human), joined.digits(joined.caller)) == ("", "9")
        joined.engine.close()

    run(main)


@each_engine
def test_a_whisper_is_heard_by_one_and_an_announcement_by_both(engine_type):
    async def main():
        joined = Joined(engine_type)
        await asyncio.sleep(0.2)
        joined.caller.write(voice(3, 400) // 2)
        await asyncio.sleep(0.5)
        joined.two.write(voice(0.5, 1000) // 2)  # to the human alone
        await joined.two.drained()
        assert joined.two.played() == 4000
        await asyncio.sleep(0.2)
        whispered = len(joined.heard(joined.human)), len(joined.heard(joined.caller))
        for stream in (joined.one, joined.two):
            stream.write(voice(0.5, 1500) // 2)
        await asyncio.sleep(1)
        human, caller = joined.heard(joined.human), joined.heard(joined.caller)
        piece = human[whispered[0] - 4000 : whispered[0] - 2000]
        assert share(piece, 400) == pytest.approx(0.5, abs=0.1)
        assert share(piece, 1000) == pytest.approx(0.5, abs=0.1)
        assert not caller[: whispered[1]].any()
        announced = slice(whispered[0] + 1000, whispered[0] + 3000)
        assert share(human[announced], 1500) == pytest.approx(0.5, abs=0.1)
        assert share(caller[whispered[1] + 1000 : whispered[1] + 3000], 1500) > 0.98
        joined.engine.close()

    run(main)


@each_engine
def test_a_recording_has_both_sides(engine_type):
    async def main():
        joined = Joined(engine_type)
        joined.one.keep_said = True
        await asyncio.sleep(0.2)
        joined.caller.write(voice(1, 400))
        joined.human.write(voice(1, 700))
        await asyncio.sleep(1.5)
        assert contains(joined.heard(joined.one), rounded(voice(1, 400)))
        assert contains(joined.said(joined.one), rounded(voice(1, 700)))
        assert len(joined.batches[joined.one]) == pytest.approx(17, abs=2)  # each 100 ms
        joined.engine.close()

    run(main)


@each_engine
def test_apart_again_each_hears_nothing_of_the_other(engine_type):
    async def main():
        joined = Joined(engine_type)
        await asyncio.sleep(0.2)
        joined.engine.disconnect(joined.two)
        joined.engine.disconnect(joined.two)
        joined.caller.write(voice(1, 400))
        await asyncio.sleep(1.2)
        assert not joined.heard(joined.human).any()
        assert len(joined.batches[joined.one]) > 50  # each tick again, while a voice is near
        assert joined.one.statistics()["playout_played"] > 5
        assert joined.engine.connect(joined.one, joined.two)
        joined.caller.write(voice(0.5, 400))
        await asyncio.sleep(1)
        assert contains(joined.heard(joined.human), rounded(voice(0.5, 400)))
        assert joined.one.statistics()["playout_played"] > 50
        joined.engine.close()

    run(main)


@each_engine
def test_the_end_of_one_leaves_the_other_alone(engine_type):
    async def main():
        joined = Joined(engine_type)
        await asyncio.sleep(0.2)
        joined.one.close()
        assert not joined.engine.connect(joined.one, joined.two)
        joined.two.write(voice(0.5, 400))
        await asyncio.sleep(1)
        assert contains(joined.heard(joined.human), rounded(voice(0.5, 400)))
        joined.engine.close()

    run(main)


@each_engine
def test_a_codec_with_state_is_not_joined_packet_by_packet(engine_type):
    async def main():
        joined = Joined(engine_type)
        pair = PortPool("127.0.0.1", 0, 0, clock=asyncio.get_running_loop().time).take()
        wide = joined.engine.open(pair, StreamConfig(framed=True, receive=((9, "G722"),)))
        await asyncio.sleep(0.1)
        assert not joined.engine.connect(joined.one, wide)
        joined.engine.disconnect(wide)
        joined.caller.write(voice(0.5, 400))
        await asyncio.sleep(1)
        assert not joined.heard(joined.human).any()
        joined.engine.close()

    run(main)


class Wire:
    """A peer of raw packets beside a leg that is joined to another, whose peer listens."""

    def __init__(self, engine_type):
        loop = asyncio.get_running_loop()
        self.engine = engine_type(loop)
        pool = PortPool("127.0.0.1", 0, 0, clock=loop.time)
        pairs = [pool.take(), pool.take()]
        self.ears = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.mouth = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for end in (self.ears, self.mouth):
            end.bind(("127.0.0.1", 0))
            end.setblocking(False)
        self.to = pairs[0].address
        remotes = self.mouth.getsockname(), self.ears.getsockname()
        self.legs = [
            self.engine.open(pair, config(remote, keys=None))
            for pair, remote in zip(pairs, remotes, strict=True)
        ]
        assert self.engine.connect(*self.legs)

    def send(self, number, *, law="PCMU", event=b"", ssrc=7, marker=False, timestamp=None):
        payload = event or bytes([number % 100 + 1]) * 160
        kind = EVENT if event else 8 if law == "PCMA" else 0
        stamp = 160 * number if timestamp is None else timestamp
        packet = RtpPacket(kind, number & 0xFFFF, stamp, ssrc, payload, marker)
        self.mouth.sendto(packet.serialize(), self.to)

    def packets(self):
        """Give what has come out at the other end."""
        out = []
        try:
            while True:
                out.append(RtpPacket.parse(self.ears.recv(2048)))
        except BlockingIOError:
            return out

    def close(self):
        self.engine.close()
        self.ears.close()
        self.mouth.close()


async def say(wire, times, **more):
    """Send packet n of `times` at its second; list (second, packet) of what comes out."""
    loop, out = asyncio.get_running_loop(), []
    start = loop.time()
    for at, number in sorted((at, number) for number, at in times.items()):
        while loop.time() < start + at - 1e-9:
            await asyncio.sleep(min(0.001, start + at - loop.time()))
            out += [(loop.time() - start, packet) for packet in wire.packets()]
        wire.send(number, **more)
    for _ in range(200):
        await asyncio.sleep(0.001)
        out += [(loop.time() - start, packet) for packet in wire.packets()]
    return out


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


def event(number, duration, *, ended=False):
    return bytes([number, 0x8A if ended else 0x0A]) + duration.to_bytes(2, "big")


@each_engine
def test_a_key_whose_start_and_two_ends_are_lost_is_sent_on_whole(engine_type):
    async def main():
        wire = Wire(engine_type)
        await say(wire, {n: n * 0.02 for n in range(10)})
        wire.send(20, event=event(5, 800, ended=True), timestamp=1600)
        await asyncio.sleep(0.5)
        told = [packet for packet in wire.packets() if packet.payload_type == EVENT]
        ends = [packet for packet in told if packet.payload[1] > 0x7F]
        assert [packet.marker for packet in told] == [True] + [False] * (len(told) - 1)
        assert len({packet.timestamp for packet in told}) == 1
        assert len(told) == 8
        assert [packet.payload for packet in ends] == [event(5, 800, ended=True)] * 3
        wire.close()

    run(main)


async def relayed(engine_type, seed):
    """Send keys as no telephone should, and list the payloads and markers that come out."""
    dice, wire, number = random.Random(seed), Wire(engine_type), 0
    out, timestamp = [], 1600
    await asyncio.sleep(0.207)  # between two ticks: either engine has it on the same one
    for _ in range(30):
        timestamp += dice.choice((0, 160, 160, 1600, 8000, -160, 0x7FFFFFF0))
        for _ in range(dice.randint(1, 5)):
            number += 1
            rows = event(
                dice.randint(1, 3), dice.choice((160, 320, 800)), ended=dice.random() < 0.3
            )
            stamp = timestamp & 0xFFFFFFFF
            wire.send(number, event=rows, timestamp=stamp, marker=dice.random() < 0.2)
            await asyncio.sleep(dice.choice((0.0, 0.02, 0.04)))
        out += wire.packets()
    await asyncio.sleep(5)
    out += wire.packets()
    wire.close()
    return [(packet.payload, packet.marker) for packet in out if packet.payload_type == EVENT]


@needs_native
@pytest.mark.parametrize("seed", range(10))
def test_both_engines_send_the_same_keys_on(seed):
    told = [run(lambda kind=kind: relayed(kind, seed)) for kind in ENGINE_TYPES]
    assert told[0] == told[1]
    assert len(told[0]) > 20


@each_engine
def test_where_nobody_listens_digits_alone_are_told(engine_type):
    async def main():
        joined = Joined(engine_type)
        await asyncio.sleep(0.2)
        joined.one.deaf = True
        await asyncio.sleep(0.2)
        joined.batches[joined.one].clear()
        joined.caller.write(voice(1, 400))
        await asyncio.sleep(1.2)
        await joined.caller.send_digit("4")
        await asyncio.sleep(0.2)
        told = joined.batches[joined.one]
        assert joined.digits(joined.one) == "4"
        assert 2 <= len(told) <= 14  # each second, and one for each packet of the key at most
        assert not any(batch.heard for batch in told[1:])
        assert contains(joined.heard(joined.human), rounded(voice(1, 400)))
        joined.one.deaf = False
        joined.caller.write(voice(0.5, 400))
        await asyncio.sleep(0.8)
        assert contains(joined.heard(joined.one), rounded(voice(0.5, 400)))
        assert (joined.one.deaf, joined.two.deaf) == (False, False)
        joined.engine.close()

    run(main)
