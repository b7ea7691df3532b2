"""The subject of the pacing benchmark: calls whose audio was written ahead, and a main thread.

usage: subject.py ENGINE MODE SECONDS
ENGINE is native or python; `none` opens no call and is only busy beside the floor. MODE is busy
(the main thread computes all the time) or blocked (it stands still for a second, again and again).
Reads the peers' ports from standard input; what was queued and not heard in time is its lack.
"""

import asyncio
import os
import sys
import time

import numpy as np

from opensip.media.engine import StreamConfig
from opensip.media.engine_choice import open_engine
from opensip.media.ports import PortPool

BLOCK = 1.0  # seconds


async def occupy(mode: str, until: float) -> None:
    """Keep the main thread from everything else, but for a turn of the loop now and then."""
    while time.monotonic() < until:
        if mode == "blocked":
            time.sleep(BLOCK)  # noqa: ASYNC251 - that is what is to be borne
            await asyncio.sleep(0.1)
        else:
            sum(range(100_000))
            await asyncio.sleep(0)


async def main() -> None:
    """Open the calls, say all there is to say, and be busy."""
    name, mode, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    loop = asyncio.get_running_loop()
    pool = PortPool("127.0.0.1", 0, 0, clock=loop.time)
    ports = [int(port) for port in sys.stdin.readline().split()]
    if name != "none":
        engine = open_engine(name, loop)
        sound = np.full(round(8000 * (seconds + 1)), 1000, np.int16)
        for port in ports:
            engine.open(pool.take(), StreamConfig(remote=("127.0.0.1", port))).write(sound)
    await asyncio.sleep(0.2)
    await occupy(mode, time.monotonic() + seconds)
    os._exit(0)  # a goodbye to each would be one more packet


if __name__ == "__main__":
    asyncio.run(main())
