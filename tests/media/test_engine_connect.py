"""Two streams joined hear each other: tried on each engine in virtual time."""

import asyncio

import numpy as np
import pytest

from opensip.media.engine import StreamConfig
from opensip.media.ports import PortPool
from tests.fakes.engines import each_engine
from tests.fakes.joined import Joined
from tests.fakes.parties import contains, rounded, run, share, voice


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
        wide = joined.engine.open(pair, StreamConfig(receive=((9, "G722"),)))
        await asyncio.sleep(0.1)
        assert not joined.engine.connect(joined.one, wide)
        joined.engine.disconnect(wide)
        joined.caller.write(voice(0.5, 400))
        await asyncio.sleep(1)
        assert not joined.heard(joined.human).any()
        joined.engine.close()

    run(main)
