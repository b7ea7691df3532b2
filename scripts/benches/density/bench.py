"""What a whole agent call costs: SIP, SRTP both ways, voice activity, turn-taking, providers.

Our side is `opensip serve` with an agent of a model (subject.py), its calls set up over SIP with
SDES, on one core. On the other the callers (talkers.py) speak for 3 s and are answered for 4 s by
turns, each call at another place of its cycle of 7.6 s, so that the load is even. Providers are the
bench's, with exact delays (150 ms to the first token, 100 ms to the first sound, words 100 ms after
they end, ends of turns told): in the server's process, or behind TLS WebSockets on the callers'
core, a line for each call and stage, 100 ms of audio a message up and down, by aiohttp; beside it
by bare TLS sockets with messages framed by hand, the least that it can cost. Nothing is recorded.
CPU is that of the server, its children and threads, from the second cycle on; memory what it has
grown by (RssAnon) from before the first call to the end. Late is a packet by what it came, on the
kernel's clock, after its place in the row. A conversation holds when 98 of 100 turns are answered
with all their sound before the caller speaks on.

Pipecat (../talk/pipecat_bot.py, in the environment that scripts/setup --all makes) holds the same
conversation behind its Bandwidth serializer, on a WebSocket without TLS (carriers.py), with Silero
at 8 kHz and the same fakes in its process, on the same core. Turns are ended by its strategy for
recognizers that tell ends of turns, and by its SpeechTimeout without more than the 0.2 s of its
voice activity. Its best is the cheapest of the runs in which the conversation holds: what answers
too late needs less.
"""

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scripts.benches.density.plan import ANSWER, CYCLE, made
from scripts.benches.media.callers import Callers
from scripts.benches.process import (
    HOST,
    ROOT,
    cpu_seconds_of_all,
    free_port,
    memory,
    pinned,
    resident,
    serving,
    start,
    tell,
)
from scripts.benches.server import NUMBER, configure
from scripts.benches.talk.caller import KEY, SUITE

HERE = Path(__file__).parent
PLACED = 40.0  # calls a second
SHY = 0.5  # seconds before the callers stop, when the last look is taken
HOLDS = 98.0  # of 100 turns answered
AGENT = """\
kind = "model"
persona = "You are a bench."
greeting = "Hello."
fillers = []
idle_seconds = 60.0
voice_activity = "{detector}"
recognizer = ["bench"]
dialogue = ["bench"]
synthesizer = ["bench"]
"""


@dataclass(frozen=True)
class Part:
    """One thing to be measured: how many calls, which detector, where the providers are."""

    key: str
    calls: int
    detector: str = "webrtc"
    providers: str = "local"


PARTS = (
    Part("ms_per_call_s_10", 10),
    Part("ms_per_call_s", 50),
    Part("silero_ms_per_call_s", 50, detector="silero"),
    Part("ws_ms_per_call_s", 50, providers="aiohttp"),
    Part("bare_ws_ms_per_call_s", 50, providers="bare"),
)
MAIN = "ms_per_call_s"
PIPECAT = Path(sys.prefix) / "pipecat/bin/python"  # made by scripts/setup --all
PEERS = (  # key, calls, what ends a turn (talk/pipecat_bot.py), after how many seconds of silence
    ("pipecat_ms_per_call_s_10", 10, "service", 0.0),
    ("pipecat_silence_ms_per_call_s_10", 10, "silence", 0.2),
    ("pipecat_ms_per_call_s_30", 30, "service", 0.0),
    ("pipecat_silence_ms_per_call_s_30", 30, "silence", 0.2),
)
BEST = "pipecat_ms_per_call_s"


@dataclass(frozen=True)
class Run:
    """What one run found. Times in ms, memory in MiB."""

    cost: float  # ms of CPU for a second of a call
    mb_per_call: float
    late_p99: float
    answered: float  # of 100
    wait_p50: float  # from the end of a turn to the answer

    @property
    def holds(self) -> bool:
        """Tell whether the conversation was held."""
        return self.answered >= HOLDS


def run(part: Part, cycles: int, folder: Path) -> Run:
    """Hold the calls of a part at once."""
    port, calls, providers = free_port(), part.calls, part.providers
    agent = folder / "bench.toml"
    agent.write_text(AGENT.format(detector=part.detector))
    config = configure(folder, {"UDP": port}, srtp="required", agent=agent)
    begin, until = CYCLE, CYCLE * (cycles + 1)
    made(cycles + 1).save(folder)
    subject = [*pinned(0), sys.executable, str(HERE / "subject.py"), str(config), str(folder)]
    words = [HERE / "talkers.py", calls, folder, begin, until]
    talkers = [*pinned(1), sys.executable, *map(str, words)]
    with (
        fakes(providers, folder) as far,
        serving([*subject, providers, *far], folder / "server.log", '"server_started"') as pid,
        start(talkers) as talking,
    ):
        return asyncio.run(_held(calls, cycles, pid, port, talking))


@contextlib.contextmanager
def fakes(providers: str, folder: Path) -> Iterator[list[str]]:
    """Run the far fakes where they are wanted; gives their port."""
    if providers == "local":
        yield []
        return
    certificates = [ROOT / "scripts/certs", "--dir", folder]
    subprocess.run(certificates, check=True, capture_output=True)
    with start([*pinned(1), sys.executable, str(HERE / "far_fakes.py"), str(folder)]) as process:
        yield [tell(process, "").strip()]
        process.stdin.close()


async def _held(
    calls: int, cycles: int, pid: int, port: int, talking: "subprocess.Popen[str]"
) -> Run:
    callers = Callers(f"sip:{NUMBER}@{HOST}", port, SUITE, KEY.hex())
    await callers.open()
    ours = [int(word) for word in (await asyncio.to_thread(tell, talking, "")).split()]
    at_rest, theirs = resident(pid), []
    for number, rtp in enumerate(ours):
        theirs.append(await callers.call(number, rtp))
        await asyncio.sleep(1 / PLACED)
    places = " ".join(
        f"{there}:{key.hex()}" for there, key in zip(theirs, callers.keys, strict=True)
    )
    found = await asyncio.to_thread(
        _watched, calls, cycles, pid, talking, places=places, at_rest=at_rest
    )
    await callers.hang_up()
    callers.close()
    return found


def run_pipecat(calls: int, stop: str, silence: float, cycles: int, folder: Path) -> Run:
    """Hold so many calls of the peer at once."""
    plan = made(cycles + 1)
    plan.save(folder)
    asked = {"calls": [{"told": plan.written()}] * calls, "answer": ANSWER, "stop": stop}
    (folder / "bot.json").write_text(json.dumps({**asked, "silence": silence}))
    quiet = ["env", "LOGURU_LEVEL=CRITICAL"]  # it tells of each word and decision
    script = HERE.parent / "talk/pipecat_bot.py"
    bot = [*pinned(0), *quiet, str(PIPECAT), str(script), str(folder / "bot.json")]
    words = [HERE / "carriers.py", calls, folder, CYCLE, CYCLE * (cycles + 1)]
    carriers = [*pinned(1), sys.executable, *map(str, words)]
    with start([*bot, str(folder / "events.json")]) as serving_bot, start(carriers) as talking:
        ports = tell(serving_bot, "").strip()
        at_rest = resident(serving_bot.pid)
        tell(talking, "")
        found = _watched(calls, cycles, serving_bot.pid, talking, places=ports, at_rest=at_rest)
        serving_bot.terminate()  # it has nothing more to tell
    return found


def _watched(
    calls: int,
    cycles: int,
    pid: int,
    talking: "subprocess.Popen[str]",
    *,
    places: str,
    at_rest: int,
) -> Run:
    """Let the callers talk to `places`, look at the subject from the second cycle on, and tell."""
    tell(talking, places + "\n")
    time.sleep(CYCLE)
    cpu, seconds = cpu_seconds_of_all(pid), CYCLE * cycles - SHY
    time.sleep(seconds)
    cpu, in_calls = cpu_seconds_of_all(pid) - cpu, resident(pid)
    heard = json.loads(tell(talking, ""))
    return Run(
        cost=1000 * cpu / seconds / calls,
        mb_per_call=(in_calls - at_rest) / 1024 / calls,
        late_p99=1000 * float(np.percentile(heard["late"] or [-0.001], 99)),
        answered=100 * len(heard["waits"]) / max(sum(heard["turns"]), 1),
        wait_p50=1000 * float(np.median(heard["waits"] or [-0.001])),
    )


def measure(key: str, cycles: int, folder: Path) -> Run:
    """Measure one part, ours or of the peer."""
    for part in PARTS:
        if part.key == key:
            return run(part, cycles, folder)
    calls, stop, silence = next(peer[1:] for peer in PEERS if peer[0] == key)
    return run_pipecat(calls, stop, silence, cycles, folder)


def report(taken: dict[str, list[Run]]) -> dict[str, object]:
    """Give the figures: medians over the rounds."""
    figures: dict[str, object] = {
        key: round(statistics.median(run.cost for run in runs), 2) for key, runs in taken.items()
    }
    ours = {key: runs for key, runs in taken.items() if not key.startswith("pipecat")}
    if main := taken.get(MAIN):
        figures |= {
            "mb_per_call": round(statistics.median(run.mb_per_call for run in main), 2),
            "late_p99_ms": round(statistics.median(run.late_p99 for run in main), 2),
            "wait_p50_ms": round(statistics.median(run.wait_p50 for run in main), 1),
        }
    if ours:
        figures["answered_pct"] = least_answered(ours)
    return figures | _best(taken) | {"load_average": round(os.getloadavg()[0], 1)}


def _best(taken: dict[str, list[Run]]) -> dict[str, object]:
    """Give the peer's cheapest runs that held the conversation, and how much dearer they are."""
    peers = {key: runs for key, runs in taken.items() if key.startswith("pipecat")}
    held = [runs for runs in peers.values() if all(run.holds for run in runs)]
    if not held:
        return {"pipecat_answered_pct": least_answered(peers)} if peers else {}
    best = min(held, key=lambda runs: statistics.median(run.cost for run in runs))
    cost = statistics.median(run.cost for run in best)
    told: dict[str, object] = {
        BEST: round(cost, 2),
        "pipecat_mb_per_call": round(statistics.median(run.mb_per_call for run in best), 2),
        "pipecat_late_p99_ms": round(statistics.median(run.late_p99 for run in best), 2),
        "pipecat_wait_p50_ms": round(statistics.median(run.wait_p50 for run in best), 1),
        "pipecat_answered_pct": least_answered(peers),
    }
    if main := taken.get(MAIN):
        told["times_ours"] = round(cost / statistics.median(run.cost for run in main), 1)
    return told


def least_answered(taken: dict[str, list[Run]]) -> float:
    """Tell how many of 100 turns were answered in the worst run."""
    return round(min(run.answered for runs in taken.values() for run in runs), 1)


def main() -> None:
    """Measure the parts that are asked for, and print the figures."""
    known = [*(part.key for part in PARTS), *(key for key, *_ in PEERS)]
    parser = argparse.ArgumentParser(prog="scripts/bench density", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--cycles", type=int, default=2, help="of 7.6 s that are measured")
    parser.add_argument("--parts", nargs="+", choices=known, default=known, help="these alone")
    options = parser.parse_args()
    print(f"{__doc__}\n{options.rounds} rounds of {options.cycles} cycles.", flush=True)
    wanted = [key for key in options.parts if PIPECAT.exists() or not key.startswith("pipecat")]
    if len(wanted) < len(options.parts):
        print(f"no {PIPECAT}: pipecat is left out; scripts/setup --all installs it", flush=True)
    taken: dict[str, list[Run]] = {}
    for number in range(1, options.rounds + 1):
        for key in wanted:
            with tempfile.TemporaryDirectory(dir=memory()) as name:
                found = measure(key, options.cycles, Path(name))
            taken.setdefault(key, []).append(found)
            print(
                f"round {number}: {key:32} {found.cost:6.2f}, {found.mb_per_call:.2f} MB a call, "
                f"p99 {found.late_p99:.2f} ms late, {found.answered:.1f} % answered after "
                f"{found.wait_p50:.0f} ms{'' if found.holds else ': NOT HELD'}",
                flush=True,
            )
    print(json.dumps(report(taken)))


if __name__ == "__main__":
    main()
