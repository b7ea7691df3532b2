"""What the three detectors of voice hear, how soon, and what they cost.

Accuracy: 48 sentences of three flite voices with pauses, through mu-law at 8 kHz, clean and with
pink noise and babble of eight voices at 15 dB; a minute each of noise, babble, coughs and music
alone. A voice begins with two windows in a row (20 ms, or 32 ms of silero), as for turn-taking;
onset: from its first loud 10 ms (within 35 dB of its loudest) to the end of the second window;
end: from its last such 10 ms to the end of the last window that was called a voice. A false start
is a beginning elsewhere; a miss a sentence without any voice; a cut 350 ms called silent inside a
sentence without as long a pause of its own.
Cost: N calls in real time, each 3 s of speech and 4 s of silence by turns, not in step; processor
time of the whole process less that of the same without a detector, for a second of a call.
`lag` is from the last sample's arrival to the decision.
"""

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Callable

import numpy as np

from opensip.agent.voice_activity import DETECTORS, Voicing, energy, make, missing, webrtc
from opensip.agent.voice_activity import silero as silero_detector
from opensip.agent.voice_activity.silero_model import loaded
from opensip.audio.frame import AudioFrame
from opensip.audio.level import FULL_SCALE, dbfs
from scripts.benches.voice_activity.sounds import RATE, Scene, scenes

FRAME = 160
APART = 0.3  # seconds without voice after which the next is a new beginning
CUT = 0.35
NEAR = 0.15  # seconds around a sentence that still belong to it


class AtOnce:
    """The model of silero, asked at once: for accuracy, time does not matter."""

    def __init__(self) -> None:
        self._network = loaded()

    def ask(self, memory, samples, answered) -> None:
        """Run the network on one window."""
        heard = samples.astype(np.float32) / FULL_SCALE
        windows = np.concatenate([memory.context, heard])[None]
        found, states = self._network(windows, memory.state[:, None])
        memory.state, memory.context = states[:, 0], windows[0, -len(memory.context) :]
        answered(float(found[0, 0]))


def frames(samples: np.ndarray) -> list[AudioFrame]:
    """Cut samples as a call brings them."""
    parts = (samples[at : at + FRAME] for at in range(0, len(samples) - FRAME, FRAME))
    return [AudioFrame(n * FRAME / RATE, part, RATE, dbfs(part)) for n, part in enumerate(parts)]


def decisions(name: str, scene: Scene) -> list[Voicing]:
    """Let a detector hear a scene."""
    decided: list[Voicing] = []
    made: dict[str, Callable] = {
        "silero": lambda: silero_detector.Silero(RATE, decided.append, AtOnce()),
        "webrtc": lambda: webrtc.make(RATE, decided.append),
        "energy": lambda: energy.make(RATE, decided.append),
    }
    detector = made[name]()
    for frame in frames(scene.samples):
        detector.hear(frame)
    return decided


def beginnings(decided: list[Voicing]) -> list[float]:
    """Tell when voices were noticed: at the end of the second window in a row."""
    found, last, row = [], -1.0, 0
    for one in decided:
        row = row + 1 if one.voiced else 0
        if row == 2 and one.at - one.seconds - last >= APART:
            found.append(one.at + one.seconds)
        if row >= 2:
            last = one.at + one.seconds
    return found


def judged(decided: list[Voicing], scene: Scene, truth: list[Voicing]) -> dict[str, float]:
    """Weigh decisions against what was said."""
    noticed, onsets, ends, cuts, missed = beginnings(decided), [], [], 0, 0
    for start, end in scene.spans:
        voiced = [d for d in decided if d.voiced and start - NEAR <= d.at <= end + 2 * NEAR]
        if not voiced:
            missed += 1
            continue
        mine = [at for at in noticed if start - NEAR <= at <= end + NEAR]
        onsets += [(at - start) * 1000 for at in mine[:1]]
        ends.append((voiced[-1].at + voiced[-1].seconds - end) * 1000)
        own = longest_silence(truth, start, end)
        cuts += longest_silence(decided, voiced[0].at, end) >= CUT > own
    false = [
        at for at in noticed if not any(a - NEAR <= at <= b + 2 * NEAR for a, b in scene.spans)
    ]
    silent = len(scene.samples) / RATE - sum(b - a for a, b in scene.spans)
    row = {"false_per_min": round(len(false) * 60 / silent, 1)}
    if scene.spans:
        row |= {"onset_p50": share(onsets, 50), "onset_p95": share(onsets, 95),
                "end_p50": share(ends, 50), "end_p95": share(ends, 95),
                "missed": missed, "cuts": cuts}  # fmt: skip
    return row


def longest_silence(decided: list[Voicing], start: float, end: float) -> float:
    """Tell the longest stretch without voice between two times."""
    longest, since = 0.0, start
    for one in decided:
        if start <= one.at < end and one.voiced:
            longest, since = max(longest, one.at - since), one.at + one.seconds
    return longest


def share(values: list[float], percent: int) -> float:
    """Tell a percentile, in whole ms; -1 of nothing."""
    return round(float(np.percentile(values, percent))) if values else -1


async def cost(name: str, calls: int, seconds: float, scene: Scene) -> tuple[float, list[float]]:
    """Run calls in real time; returns processor seconds and the lags of decisions."""
    loop, lags, fed = asyncio.get_running_loop(), [], [0.0]

    def decided(one: Voicing) -> None:
        if one.voiced:
            lags.append(loop.time() - fed[0] - (one.at + one.seconds))

    detectors = [make(name, RATE, decided) for _ in range(calls)] if name else []
    heard, step = frames(scene.samples), 7 * RATE // FRAME
    await asyncio.sleep(0.5)
    begun, fed[0] = time.process_time(), loop.time() - 0.02
    for tick in range(int(seconds * RATE / FRAME)):
        for number, detector in enumerate(detectors):
            part = heard[(tick + number * 53) % step]
            detector.hear(part._replace(at=tick * FRAME / RATE))
        await asyncio.sleep(max(0.0, fed[0] + 0.02 + (tick + 1) * 0.02 - loop.time()))
    return time.process_time() - begun, lags


def by_turns(scene: Scene) -> Scene:
    """Take three seconds of speech and four of silence."""
    start = int(scene.spans[8][0] * RATE)
    silence = np.random.default_rng(1).normal(0, 10, 4 * RATE).astype(np.int16)
    return Scene(np.concatenate([scene.samples[start : start + 3 * RATE], silence, silence]), [])


def main() -> None:
    """Print a table of each, and the last line of JSON."""
    parser = argparse.ArgumentParser(prog="scripts/bench voice_activity", description="voice")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=7.0, help="of each measurement of cost")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(__doc__)
    keys: dict[str, float] = {}
    names = [name for name in DETECTORS if not missing(name)]
    heard = scenes(options.seed)
    for name in names:
        for kind, scene in heard.items():
            truth = decisions("energy", heard["clean"]) if scene.spans else []
            row = judged(decisions(name, scene), scene, truth)
            print(f"{name:7} {kind:13} " + "  ".join(f"{k} {v:g}" for k, v in row.items()))
            keys |= {f"{name}_{kind.replace(' ', '_')}_{key}": value for key, value in row.items()}
    turns = by_turns(heard["clean"])
    for calls in (1, 10, 50):
        taken: dict[str, list[float]] = {}
        for _ in range(options.rounds):
            floor, _ = asyncio.run(cost("", calls, options.seconds, turns))
            for name in names:
                spent, lags = asyncio.run(cost(name, calls, options.seconds, turns))
                each = (spent - floor) * 1000 / calls / options.seconds
                taken.setdefault(name, []).append(each)
                taken.setdefault(f"{name} lag", []).append(share([1000 * x for x in lags], 95))
        for name in names:
            spent, lag = statistics.median(taken[name]), statistics.median(taken[f"{name} lag"])
            keys |= {f"{name}_ms_per_call_s_{calls}": round(spent, 3),
                     f"{name}_lag_p95_ms_{calls}": lag}  # fmt: skip
            each = f"{spent:.3f} ms for a second of a call, lag p95 {lag:g} ms"
            print(f"{name:7} N={calls:2}: {each}", flush=True)
    print(json.dumps(keys))


if __name__ == "__main__":
    main()
