"""A process that answers SIP, with many calls under the load at once."""

import asyncio
from dataclasses import dataclass

from scripts.benches.media.callers import Callers
from scripts.benches.media.parts import KEY, SUITE, WARM_UP, load_of, stop
from scripts.benches.process import HOST, cpu_seconds, resident, start, tell
from scripts.benches.server import NUMBER

RATE = 40.0  # calls a second that are placed


@dataclass(frozen=True, slots=True)
class Done:
    """What a run found. `cpu` is in seconds, memory in KiB, `heard` what the load counted."""

    cpu: float
    at_rest: int
    in_calls: int
    heard: dict


def under_load(pid: int, port: int, *, calls: int, seconds: float, load_program: str) -> Done:
    """Place the calls, let the load speak on them, and hang up."""
    return asyncio.run(_under_load(pid, port, calls, seconds, load_program))


async def _under_load(pid: int, port: int, calls: int, seconds: float, load_program: str) -> Done:
    callers = Callers(f"sip:{NUMBER}@{HOST}", port, SUITE, KEY)
    await callers.open()
    at_rest = resident(pid)
    with start(load_of(load_program, calls, "count")) as load:
        ours = [int(word) for word in tell(load, "").split()]
        theirs = []
        for number, rtp in enumerate(ours):
            theirs.append(await callers.call(number, rtp))
            await asyncio.sleep(1 / RATE)
        load.stdin.write(" ".join(map(str, theirs)) + "\n")
        load.stdin.flush()
        await asyncio.sleep(WARM_UP)
        cpu = cpu_seconds(pid)
        await asyncio.sleep(seconds)
        cpu = cpu_seconds(pid) - cpu
        in_calls = resident(pid)
        heard = await asyncio.to_thread(stop, load)
    await callers.hang_up()
    callers.close()
    return Done(cpu, at_rest, in_calls, heard)
