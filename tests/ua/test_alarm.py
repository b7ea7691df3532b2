import asyncio

from opensip.ua.alarm import Alarm
from tests.fakes.sip_link import run


def test_alarm_rings_once_at_the_time_last_set():
    async def main():
        rung = []
        alarm = Alarm(rung.append)
        alarm.set(5.0)
        alarm.set(5.0)
        alarm.set(2.0)
        await asyncio.sleep(9)
        assert rung == [2.0]
        alarm.set(12.0)
        alarm.set(None)
        await asyncio.sleep(9)
        assert rung == [2.0]

    run(main)


def test_no_later_keeps_the_earlier_time():
    async def main():
        rung = []
        alarm = Alarm(rung.append)
        alarm.set_no_later(3.0)
        alarm.set_no_later(7.0)
        alarm.set_no_later(None)
        await asyncio.sleep(4)
        assert rung == [3.0]
        alarm.set_no_later(7.0)
        alarm.set_no_later(6.0)
        await asyncio.sleep(9)
        assert rung == [3.0, 6.0]

    run(main)
