"""What becomes of the keys of two streams joined: tried on each engine in virtual time."""

import asyncio
import random
from dataclasses import replace

import pytest

from tests.fakes.engines import ENGINES, each_engine, needs_native
from tests.fakes.joined import EVENT, Joined, Wire, config, event, say
from tests.fakes.parties import contains, rounded, run, voice

ENGINE_TYPES = [parameter.values[0] for parameter in ENGINES]


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
def test_keys_pressed_while_the_other_side_holds_are_not_sent_after_it(engine_type):
    async def main():
        joined = Joined(engine_type)
        await asyncio.sleep(0.2)
        remote = config(joined.human_address)
        joined.two.configure(replace(remote, sending=False))
        for digit in "1234":
            await joined.caller.send_digit(digit)
        await asyncio.sleep(0.5)
        joined.two.configure(remote)
        await asyncio.sleep(1)
        await joined.caller.send_digit("5")
        await asyncio.sleep(1)
        assert joined.digits(joined.one) == "12345"
        assert joined.digits(joined.human) == "5"
        joined.engine.close()

    run(main)


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


@each_engine
def test_a_key_after_the_clock_was_set_back_is_sent_on(engine_type):
    async def main():
        wire = Wire(engine_type)
        await say(wire, {n: n * 0.02 for n in range(10)})
        wire.send(20, event=event(5, 800, ended=True), timestamp=1 << 30)
        await asyncio.sleep(0.5)
        wire.send(21, event=event(6, 800, ended=True), timestamp=1600, marker=True)
        await asyncio.sleep(0.5)
        told = [packet for packet in wire.packets() if packet.payload_type == EVENT]
        assert [packet.payload[0] for packet in told if packet.marker] == [5, 6]
        wire.close()

    run(main)


async def relayed(engine_type, seed):
    """Send keys as no telephone should, and list the payloads and markers that come out."""
    dice, wire, number = random.Random(seed), Wire(engine_type), 0
    out, timestamp = [], 1600
    await asyncio.sleep(0.207)  # between two ticks: either engine has it on the same one
    for _ in range(30):
        timestamp += dice.choice((0, 160, 160, 1600, 8000, -160, -200000, 0x7FFFFFF0))
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


@each_engine
@pytest.mark.parametrize("before", [0.03, 0.1, 0.22])
def test_a_press_under_way_goes_to_whom_batches_told_of_it(engine_type, before):
    async def main():
        joined = Joined(engine_type)
        joined.one.prompt = True
        joined.engine.disconnect(joined.one)
        await asyncio.sleep(0.2)
        pressing = asyncio.ensure_future(joined.caller.send_digit("7"))
        await asyncio.sleep(before)
        told = joined.digits(joined.one)
        assert joined.engine.connect(joined.one, joined.two)
        await pressing
        await joined.caller.send_digit("8")
        await asyncio.sleep(0.5)
        assert joined.digits(joined.one) == "78"
        assert told + joined.digits(joined.human) == "78"
        joined.engine.close()

    run(main)
