"""The subject of the media benchmarks: an engine of ours, with a job to do on every call.

usage: subject.py CALLS SUITE KEY_HEX WARM_UP_SECONDS SECONDS LOOP ENGINE echo|record|bridge
Reads the peers' ports from standard input, prints its own, runs, and prints
"cpu_seconds received sent" of the time after warming up. An echo answers what it hears with
itself; with record both sides are written to a file as well, as a session does it; a bridge joins
each two calls.
"""

import asyncio
import resource
import sys
import tempfile
from pathlib import Path

from opensip.media.engine import Batch, Engine, SrtpKeys, Stream, StreamConfig
from opensip.media.engine_choice import open_engine
from opensip.media.hearing import Hearing
from opensip.media.ports import PortPool
from opensip.media.recorder import Recorder
from opensip.media.recording_writer import WriterThread
from scripts.benches.process import memory


def cpu_seconds() -> float:
    """Tell the processor time of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def echo(batches: list[tuple[Stream, Batch]]) -> None:
    """Answer what was heard with itself."""
    for stream, batch in batches:
        if batch.heard is not None:
            stream.write(batch.heard.samples)


class Recording:
    """Records every call, and echoes."""

    def __init__(self, directory: Path, engine: Engine) -> None:
        self._directory = directory
        self._engine = engine
        self._writer = WriterThread(asyncio.get_running_loop().call_soon_threadsafe)
        self._hearings: dict[Stream, Hearing] = {}

    def begin(self, stream: Stream) -> None:
        """Record a stream from now on."""
        path = self._directory / f"{len(self._hearings)}.wav"
        recorder = Recorder(path, writer=self._writer)
        recorder.start(now=self._engine.now())
        hearing = self._hearings[stream] = Hearing(8000, lambda digit: None)
        hearing.aside = True
        hearing.record_to(recorder)
        stream.keep_said = True

    def take(self, batches: list[tuple[Stream, Batch]]) -> None:
        """Record and echo."""
        for stream, batch in batches:
            self._hearings[stream].take(batch, said_rate=8000, held=False)
        echo(batches)


def begin(job: str, streams: list[Stream], engine: Engine, directory: Path) -> None:
    """Let the streams do their job from now on."""
    if job == "bridge":
        engine.listener = lambda batches: None
        for stream in streams:
            stream.deaf = True
        for one, other in zip(streams[::2], streams[1::2], strict=True):
            if not engine.connect(one, other):
                sys.exit("subject: the engine joins no streams")
    if job == "record":
        recording = Recording(directory, engine)
        for stream in streams:
            recording.begin(stream)
        engine.listener = recording.take


def counts(streams: list[Stream]) -> tuple[int, int]:
    """Tell how many packets came and left."""
    taken = [stream.statistics() for stream in streams]
    return sum(int(t["received"]) for t in taken), sum(int(t["sent"]) for t in taken)


async def main(directory: Path) -> None:
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
    begin(sys.argv[8], streams, engine, directory)
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
    sys.stdin.read()  # till the load has ended: nobody would hear our goodbyes


def run() -> None:
    """Run on the loop that was asked for, and leave nothing behind."""
    with tempfile.TemporaryDirectory(dir=memory()) as name:
        if sys.argv[6] == "uvloop":
            import uvloop  # noqa: PLC0415 - an extra

            uvloop.run(main(Path(name)))
        else:
            asyncio.run(main(Path(name)))


if __name__ == "__main__":
    run()
