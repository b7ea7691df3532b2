"""The subject of the media benchmark: an engine of ours, echoing what it hears on every call.

usage: subject.py CALLS SUITE KEY_HEX WARM_UP_SECONDS SECONDS LOOP ENGINE
Reads the peers' ports from standard input, prints its own, runs, and prints
"cpu_seconds received sent" of the time after warming up.
"""

import asyncio
import os
import resource
import sys

from opensip.media.engine import Batch, SrtpKeys, Stream, StreamConfig
from opensip.media.engine_choice import open_engine
from opensip.media.ports import PortPool


def cpu_seconds() -> float:
    """Tell the processor time of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def echo(batches: list[tuple[Stream, Batch]]) -> None:
    """Answer what was heard with itself."""
    for stream, batch in batches:
        if batch.heard is not None:
            stream.write(batch.heard.samples)


def counts(streams: list[Stream]) -> tuple[int, int]:
    """Tell how many packets came and left."""
    taken = [stream.statistics() for stream in streams]
    return sum(int(t["received"]) for t in taken), sum(int(t["sent"]) for t in taken)


async def main() -> None:
    """Open the calls, warm up, measure, and print."""
    count, suite, key = int(sys.argv[1]), sys.argv[2], bytes.fromhex(sys.argv[3])
    warm_up, seconds = float(sys.argv[4]), float(sys.argv[5])
    loop = asyncio.get_running_loop()
    engine = open_engine(sys.argv[7], loop, listener=echo)
    pool = PortPool("127.0.0.1", 0, 0, clock=loop.time)
    streams: list[Stream] = []
    ports: list[int] = []
    for _, peer in zip(range(count), sys.stdin.readline().split(), strict=True):
        pair = pool.take()
        ports.append(pair.address[1])
        remote, rtcp = ("127.0.0.1", int(peer)), ("127.0.0.1", int(peer) + 1)
        config = StreamConfig(remote=remote, rtcp=rtcp, keys=SrtpKeys(suite, key, key))
        streams.append(engine.open(pair, config))
    print(*ports, flush=True)
    await asyncio.sleep(warm_up)
    received, sent = counts(streams)
    cpu = cpu_seconds()
    await asyncio.sleep(seconds)
    cpu = cpu_seconds() - cpu
    received, sent = (
        now - then for now, then in zip(counts(streams), (received, sent), strict=True)
    )
    print(f"{cpu:.6f} {received} {sent}", flush=True)
    os._exit(0)  # the sockets of the load are gone: nobody would hear our goodbyes


if __name__ == "__main__":
    if sys.argv[6] == "uvloop":
        import uvloop

        uvloop.run(main())
    else:
        asyncio.run(main())
