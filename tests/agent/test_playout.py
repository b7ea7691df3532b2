import asyncio

import numpy as np
import pytest

from opensip.agent.playout import MOST_AHEAD, Playout
from opensip.errors import ProviderError
from tests.fakes.line import Line
from tests.fakes.virtual_time_loop import VirtualTimeLoop


def run(check):
    async def main():
        line = Line()
        playout = Playout(line)
        watching = asyncio.create_task(playout.run())
        try:
            return await check(playout, line)
        finally:
            watching.cancel()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


def now():
    return asyncio.get_running_loop().time()


def test_acts_once_all_before_has_been_played():
    async def check(playout, line):
        acted = []
        await asyncio.sleep(1)
        began = now()
        playout.then(lambda: acted.append(("first", now() - began)))
        assert playout.play(np.ones(24000, np.int16), 24000) == 0
        assert playout.end == 8000
        playout.then(lambda: acted.append(("second", now() - began)))
        await playout.drained()
        playout.then(lambda: acted.append(("third", now() - began)))
        await asyncio.sleep(0.1)
        return acted

    acted = run(check)
    assert [name for name, _ in acted] == ["first", "second", "third"]
    assert [at for _, at in acted] == pytest.approx([0, 1, 1], abs=0.03)


def test_acts_on_all_at_once_when_cut():
    async def check(playout, line):
        acted = []
        playout.play(np.ones(8000, np.int16), 8000)
        playout.then(lambda: acted.append(1))
        playout.play(np.ones(8000, np.int16), 8000)
        playout.then(lambda: acted.append(2))
        await asyncio.sleep(0.5)
        lost = playout.cut()
        return acted, lost, playout.end, playout.play(np.ones(8, np.int16), 8000)

    acted, lost, end, start = run(check)
    assert acted == [1, 2]
    assert lost == pytest.approx(12000, abs=20)
    assert start == end == 16000 - lost


def test_what_comes_after_a_cut_is_not_late():
    async def check(playout, line):
        acted = []
        playout.play(np.ones(80000, np.int16), 8000)
        playout.then(lambda: None)
        await asyncio.sleep(0.5)
        playout.cut()
        began = now()
        playout.play(np.ones(8000, np.int16), 8000)
        playout.then(lambda: acted.append(now() - began))
        await asyncio.sleep(5)
        return acted

    assert run(check) == pytest.approx([1], abs=0.05)


def test_nothing_of_what_was_cut_sounds_in_what_comes():
    async def check(playout, line):
        playout.play(np.full(24000, 20000, np.int16), 24000)
        await asyncio.sleep(0.2)
        playout.cut()
        start = playout.play(np.zeros(2400, np.int16), 24000)
        return line, start

    line, start = run(check)
    assert not np.any(line.written[start:])


def test_takes_no_more_than_anybody_listens_to():
    async def check(playout, line):
        playout.play(np.ones(int(MOST_AHEAD) * 8000 + 8000, np.int16), 8000)
        with pytest.raises(ProviderError, match="300 s of sound wait"):
            playout.play(np.ones(8, np.int16), 8000)

    run(check)
