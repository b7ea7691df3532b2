import asyncio

import numpy as np

from opensip.call.keys import Keys
from opensip.errors import MediaError
from opensip.events import KeysPressed
from tests.fakes.legs import FakeLeg, Noted
from tests.fakes.virtual_time_loop import VirtualTimeLoop


def pressing(check):
    async def main():
        leg, noted = FakeLeg(), Noted()
        keys = Keys(leg, observer=noted, now=asyncio.get_running_loop().time)
        await check(leg, keys, noted)
        keys.close()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(main())


def test_keys_go_in_their_order_once_what_was_said_is_heard():
    async def check(leg, keys, noted):
        leg.sink.write(np.zeros(16000, np.int16))
        keys.press("1")
        keys.press("2#")
        await asyncio.sleep(1.9)
        assert leg.pressed == ""
        await asyncio.sleep(0.2)
        assert leg.pressed == "12#"
        assert noted.events == [KeysPressed(2.0, "1"), KeysPressed(2.0, "2#")]

    pressing(check)


def test_a_peer_that_takes_none_is_noted_and_the_next_are_tried():
    async def check(leg, keys, noted):
        pressed, leg.send_digits = leg.send_digits, refuse
        keys.press("1")
        await asyncio.sleep(0.1)
        leg.send_digits = pressed
        keys.press("2")
        await asyncio.sleep(0.1)
        assert [(e.digits, e.error) for e in noted.events] == [("1", "no events"), ("2", "")]
        assert leg.pressed == "2"

    pressing(check)


async def refuse(digits):
    raise MediaError("no events")


def test_a_voice_that_never_ends_does_not_hold_keys_back_for_ever():
    async def check(leg, keys, noted):
        leg.sink.write(np.zeros(8000 * 60, np.int16))
        keys.press("1")
        await asyncio.sleep(31)
        assert leg.pressed == ""
        assert noted.events[0].error == "what was said before was not heard"

    pressing(check)


def test_nothing_is_pressed_once_it_is_over():
    async def check(leg, keys, noted):
        leg.sink.write(np.zeros(8000, np.int16))
        keys.press("1")
        await asyncio.sleep(0.1)
        keys.close()
        await asyncio.sleep(5)
        assert leg.pressed == ""

    pressing(check)
