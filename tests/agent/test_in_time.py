import asyncio

import numpy as np
import pytest

from opensip.agent.in_time import in_time
from tests.fakes.talk import run


def test_each_piece_has_its_own_time_and_who_takes_it_has_any():
    closed = []

    async def pieces(waits):
        try:
            for seconds in waits:
                await asyncio.sleep(seconds)
                yield np.ones(8, np.int16)
        finally:
            closed.append(waits)

    async def main():
        limits = iter((2.0, 0.5, 0.5))
        taken = []

        async def take():
            async for piece in in_time(pieces((1.9, 0.4, 0.6)), lambda: next(limits)):
                taken.append(piece)
                await asyncio.sleep(10)

        with pytest.raises(TimeoutError):
            await take()
        return taken, asyncio.get_running_loop().time()

    taken, at = run(main())
    assert len(taken) == 2
    assert at == pytest.approx(1.9 + 10 + 0.4 + 10 + 0.5)
    assert closed == [(1.9, 0.4, 0.6)]
