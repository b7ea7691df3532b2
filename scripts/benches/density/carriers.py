"""The carrier before the peer of the density bench: Bandwidth's WebSocket on every call.

usage: carriers.py CALLS FOLDER FROM UNTIL
As talkers.py, but reads ports of bots. What a bot sends counts when it comes: late is a piece that
comes after its place in the sound of its answer.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

import numpy as np

from scripts.benches.density.heard import answers, late, spurts
from scripts.benches.density.plan import ANSWER_SECONDS, CYCLE, GREETING, SPEECH, Plan, load, padded
from scripts.benches.talk.caller import FRAME, LOUD
from scripts.benches.talk.carrier import TICK, call, media, sound_of

RATE = 8000


class Call:
    """One call: its messages, made beforehand, and what came."""

    def __init__(self, number: int, calls: int, plan: Plan, packets: int) -> None:
        begin = plan.begin(number, calls)
        self.messages = media(padded(plan.said, begin * FRAME, packets * FRAME))
        mark = begin * FRAME + round(GREETING * RATE)
        self.ends = [(mark + end) // FRAME for end in plan.ends]  # packets that end a turn
        self.sent: list[float] = []
        self.came: list[tuple[float, str]] = []
        self._number = number

    async def hold(self, port: int, begin: float) -> None:
        """Say all there is to say."""
        self.sent, self.came = await call(self._number, port, self.messages, begin)

    def result(self, begin: float, until: float) -> dict[str, list[float]]:
        """Tell of the time between: how late pieces were, and of each turn how it was answered."""
        came, seconds, is_loud = [], [], []
        for at, message in self.came:
            told = json.loads(message)
            if told["eventType"] == "playAudio" and begin <= at < until:
                samples = sound_of(told)
                came.append(at)
                seconds.append(len(samples) / RATE)
                is_loud.append(bool(np.abs(samples.astype(np.int32)).max() > LOUD))
        times, lengths = np.array(came), np.array(seconds)
        loud = np.array(is_loud, bool)
        lateness = [
            late(times[part], np.cumsum(lengths[part]) - lengths[part]) for part in spurts(times)
        ]
        within = CYCLE - SPEECH
        ends = [self.sent[n] for n in self.ends if n < len(self.sent)]
        ends = [end for end in ends if begin <= end < until - within]
        found = answers(ends, times[loud], lengths[loud], within=within, answer=ANSWER_SECONDS)
        return {
            "late": np.concatenate(lateness).tolist() if lateness else [],
            "waits": found.waits,
            "turns": [found.turns],
        }


async def hold(calls: list[Call], ports: list[int], begin: float) -> None:
    """Hold all calls, spread over the tick."""
    step = TICK / len(calls)
    await asyncio.gather(
        *(
            one.hold(port, begin + number * step)
            for number, (one, port) in enumerate(zip(calls, ports, strict=True))
        )
    )


def main() -> None:
    """Make the calls, talk, and tell."""
    count, folder = int(sys.argv[1]), Path(sys.argv[2])
    begin, until = float(sys.argv[3]), float(sys.argv[4])
    plan, packets = load(folder), round(until / TICK)
    calls = [Call(number, count, plan, packets) for number in range(count)]
    print("ready", flush=True)
    ports = [int(port) for port in sys.stdin.readline().split()]
    since = time.monotonic() + 1.0
    print("talking", flush=True)
    asyncio.run(hold(calls, ports, since))
    told: dict[str, list[float]] = {}
    for one in calls:
        for name, values in one.result(since + begin, since + until).items():
            told.setdefault(name, []).extend(values)
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
