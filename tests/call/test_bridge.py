import asyncio

import pytest

from opensip.call.bridge import bridge
from opensip.call.leg import LegEnded
from opensip.errors import MediaError
from tests.fakes.legs import FakeLeg
from tests.fakes.virtual_time_loop import VirtualTimeLoop


def bridged(meanwhile):
    """Join two legs, do something to them, and tell the end, the legs and the time."""

    async def main():
        caller, target = FakeLeg(), FakeLeg()
        joined = asyncio.create_task(bridge(caller, target))
        await asyncio.sleep(1)
        await meanwhile(caller, target)
        ended = await joined
        return ended, caller, target

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


def test_each_hears_the_other_until_one_hangs_up():
    async def meanwhile(caller, target):
        assert (caller.relayed, target.relayed) == (target.sink, caller.sink)
        caller.end()

    ended, caller, target = bridged(meanwhile)
    assert ended == LegEnded("caller", "bye")
    assert caller.relayed is None
    assert (caller.closed, target.closed) == (0, 1)


def test_legs_that_join_are_left_to_it():
    async def main():
        caller, target = FakeLeg(), FakeLeg()
        caller.joins = True
        joined = asyncio.create_task(bridge(caller, target))
        await asyncio.sleep(1)
        assert caller.joined is target
        assert (caller.relayed, target.relayed) == (None, None)
        caller.end()
        await joined
        assert caller.joined is None

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(main())


@pytest.mark.parametrize(("side", "told"), [("caller", "target"), ("lost", "lost")])
def test_the_end_of_the_target_is_told_as_its_own(side, told):
    async def meanwhile(_, target):
        target.end(side, "bye")

    ended, _, target = bridged(meanwhile)
    assert (ended.side, target.closed) == (told, 1)


def test_digits_and_hold_reach_the_other_side_in_their_order():
    async def meanwhile(caller, target):
        for digit in "12#":
            caller.on_digit(digit)
        target.on_digit("9")
        caller.on_held(True)
        caller.on_held(False)
        await asyncio.sleep(1)
        target.end()

    _, caller, target = bridged(meanwhile)
    assert (caller.pressed, target.pressed) == ("9", "12#")
    assert (caller.holds, target.holds) == ([], [True, False])


def test_who_is_held_hears_a_tone_while_its_holder_sends_nothing():
    async def meanwhile(caller, target):
        target.on_held(True)
        await asyncio.sleep(5)  # of music
        assert not caller.sink.written
        target.quiet = 5.0
        await asyncio.sleep(5)
        assert caller.sink.queued()
        assert not target.sink.written
        target.quiet = 0.0  # music again
        await asyncio.sleep(1)
        assert not caller.sink.queued()
        target.quiet = 5.0
        await asyncio.sleep(1)
        assert caller.sink.queued()
        target.on_held(False)
        await asyncio.sleep(0.1)
        assert not caller.sink.queued()
        target.end()

    _, caller, _ = bridged(meanwhile)
    assert caller.holds == [True, False]


def test_the_tone_ends_with_the_bridge():
    async def meanwhile(caller, target):
        target.quiet = 5.0
        target.on_held(True)
        await asyncio.sleep(2)
        caller.end()

    _, caller, _ = bridged(meanwhile)
    assert caller.sink.flushed


def test_a_caller_who_holds_us_already_holds_the_target():
    async def main():
        caller, target = FakeLeg(), FakeLeg()
        caller.is_held = True
        asyncio.get_running_loop().call_later(1, caller.end)
        await bridge(caller, target)
        return target.holds

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(main()) == [True]


def test_a_digit_that_the_other_side_does_not_take_ends_nothing():
    async def meanwhile(caller, target):
        async def refuse(digits):
            raise MediaError("no keys")

        target.send_digits, taken = refuse, target.send_digits
        caller.on_digit("1")
        await asyncio.sleep(1)
        target.send_digits = taken
        caller.on_digit("2")
        await asyncio.sleep(1)
        caller.end()

    _, _, target = bridged(meanwhile)
    assert target.pressed == "2"
