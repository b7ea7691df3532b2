import asyncio

import pytest

from opensip.agent.keypad import Keypad
from tests.fakes.virtual_time_loop import VirtualTimeLoop


@pytest.mark.parametrize(
    ("keys", "wanted", "numbers"),
    [
        ("1234", 4, [("1234", 0.0)]),
        ("12345", 4, [("1234", 0.0), ("5", 2.0)]),
        ("12#", 4, [("12", 0.0)]),
        ("#", 4, [("#", 2.0)]),
        ("0", 0, [("0", 2.0)]),
        ("*9", 0, [("*9", 2.0)]),
    ],
)
def test_a_number_is_complete_by_length_by_hash_or_by_time(keys, wanted, numbers):
    async def main():
        loop, found = asyncio.get_running_loop(), []
        keypad = Keypad(lambda number: found.append((number, loop.time())))
        for key in keys:
            keypad.press(key, wanted)
        await asyncio.sleep(5)
        assert not keypad.waiting
        return found

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(main()) == numbers


def test_a_hash_right_after_a_number_of_known_length_says_nothing():
    async def main():
        found = []
        keypad = Keypad(found.append)
        assert not keypad.is_late_end("#")
        keypad.press("1", 2)
        assert not keypad.is_late_end("#")
        keypad.press("2", 2)
        assert keypad.is_late_end("#")
        assert not keypad.is_late_end("3")
        await asyncio.sleep(2.9)
        assert keypad.is_late_end("#")
        await asyncio.sleep(0.2)
        assert not keypad.is_late_end("#")
        for key in ("1", "2", "4", "#"):
            keypad.press(key, 2)
        assert not keypad.is_late_end("#")
        return found

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(main()) == ["12", "12", "4"]
