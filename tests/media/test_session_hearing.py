"""What a session hears: silence, hold, what is late, and a stream that fails."""

import asyncio

import numpy as np

from opensip.audio.frame import AudioFrame
from opensip.events import Fault
from tests.fakes.media_party import Party
from tests.fakes.parties import connect, run


def test_no_rtp_from_the_start():
    async def main():
        caller, callee = Party(20000), Party(30000)
        connect(caller, callee)
        timed_out = await callee.session.wait_timed_out()
        assert (timed_out.phase, timed_out.seconds, timed_out.at) == ("first", 30.0, 30.0)
        assert timed_out in callee.notes

    run(main)


def test_rtp_that_stops_and_hold_that_does_not_count():
    async def main():
        caller, callee = Party(20000), Party(30000)
        connect(caller, callee)
        waiting = asyncio.create_task(callee.session.wait_timed_out())
        await asyncio.sleep(10)
        callee.stream.last_received = 10.0
        await asyncio.sleep(5)
        caller.session.direction = "inactive"
        connect(caller, callee)
        await asyncio.sleep(600)
        assert not waiting.done()
        caller.session.direction = "sendrecv"
        connect(caller, callee)
        timed_out = await waiting
        assert (timed_out.phase, timed_out.at) == ("silence", 630.0)

    run(main)


def test_silence_that_is_excused_does_not_count():
    async def main():
        caller, callee = Party(20000), Party(30000)
        callee.session.excuse_silence(False)  # before anything was agreed on
        connect(caller, callee)
        callee.stream.last_received = 0.0
        waiting = asyncio.create_task(callee.session.wait_timed_out())
        await asyncio.sleep(10)
        callee.session.excuse_silence(True)
        connect(caller, callee)  # a session refresh meanwhile
        await asyncio.sleep(50)
        assert not waiting.done()
        callee.session.excuse_silence(False)
        timed_out = await waiting
        assert (timed_out.phase, timed_out.at) == ("silence", 75.0)

    run(main)


def test_music_on_hold_is_handed_on_as_silence_and_the_agent_is_told():
    async def main():
        caller, callee, told = Party(20000), Party(30000), []
        callee.session.on_held = told.append
        assert not callee.session.is_held
        connect(caller, callee)
        caller.session.direction = "sendonly"
        connect(caller, callee)
        music = AudioFrame(1.0, np.ones(160, np.int16), 8000, -20.0)
        callee.stream.hear(music)
        assert (callee.session.is_held, told) == (True, [True])
        silence = await callee.session.source.read()
        assert (silence.at, len(silence.samples), silence.samples.any()) == (1.0, 160, False)
        assert silence.level_dbfs < -90
        caller.session.direction = "sendrecv"
        connect(caller, callee)
        callee.stream.hear(music)
        assert (callee.session.is_held, told) == (False, [True, False])
        assert await callee.session.source.read() is music

    run(main)


def test_a_stream_that_failed_ends_what_is_heard_and_is_told():
    async def main():
        party = Party()
        party.stream.hear(at=3.0, seconds=0.0, fault="KeyError(0)")
        assert await party.session.source.read() is None
        assert await party.session.wait_broken() == "KeyError(0)"
        assert party.notes == [Fault(3.0, "media", "KeyError(0)")]

    run(main)


def test_what_comes_is_read_and_silence_where_nothing_does():
    async def main():
        party = Party()
        frame = AudioFrame(1.0, np.ones(160, np.int16), 8000, -60.0)
        party.stream.hear(frame)
        party.stream.hear(at=2.0, seconds=0.1)
        await party.session.close()
        assert await party.session.source.read() is frame
        silence = await party.session.source.read()
        assert (silence.at, len(silence.samples), silence.samples.any()) == (1.9, 800, False)
        assert await party.session.source.read() is None

    run(main)


def test_a_packet_that_is_a_tick_late_makes_time_no_longer():
    async def main():
        party = Party()
        first, late = (AudioFrame(1.0, np.ones(n, np.int16), 8000, -20.0) for n in (160, 320))
        party.stream.hear(first)
        for tick in range(1, 4):
            party.stream.hear(at=1 + 0.02 * tick, seconds=0.02)
        party.stream.hear(late)
        await party.session.close()
        assert await party.session.source.read() is first
        assert await party.session.source.read() is late
        assert await party.session.source.read() is None

    run(main)
