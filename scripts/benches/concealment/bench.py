"""What the concealment of lost packets is worth: PESQ with it less PESQ with silence in its place.

20 clips of speech (flite's four voices, five sentences each), each through G.711 and the playout
buffer of an engine over a line that loses 3 % of the packets, with several seeds. The judge is the
package pesq, in the environment of the peers of `scripts/bench buffers`, which is made when first
needed. Promised is a gain of 0.2 in the mean, and that no clip is worse than silence.
"""

import argparse
import json
import random
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from opensip.audio.codecs import G711
from opensip.audio.frame import Samples
from opensip.media.engine_choice import native_missing
from opensip.media.playback import Playback
from scripts.benches.buffers.bench import peers_python
from scripts.benches.talk.clips import ENDS, MIDDLES, OPENINGS, VOICES, word

JUDGE = Path(__file__).with_name("judge.py")
FRAME = 160
LOSS = 0.03
FIRST = 5  # packets that are never lost: a buffer begins with the first that comes
SENTENCES = 5
Heard = Callable[[list[bytes | None]], Samples]


def clips() -> list[Samples]:
    """Speak the sentences, as they are after G.711."""
    said = []
    for voice in VOICES:
        for n in range(SENTENCES):
            whole = word(voice, f"{OPENINGS[n]} {MIDDLES[n]} {ENDS[n]}, and {MIDDLES[n - 1]}")
            framed = whole[: len(whole) // FRAME * FRAME]
            said.append(G711["PCMU"].decode(G711["PCMU"].encode(framed)))
    return said


def in_python(payloads: list[bytes | None]) -> Samples:
    """Hear packets through the Python engine's playout buffer; None was lost."""
    playback = Playback(G711["PCMU"])

    def put(number: int, payload: bytes, at: float) -> None:
        playback.put(number, FRAME * number, payload, now=at)

    return heard(payloads, put, lambda at: playback.tick(now=at))


def in_native(payloads: list[bytes | None]) -> Samples:
    """Hear them through the native engine's."""
    from opensip.media import _engine  # noqa: PLC0415 - only where it was built

    playback = _engine.Playback("PCMU")

    def put(number: int, payload: bytes, at: float) -> None:
        playback.put(number, FRAME * number, payload, at)

    def tick(at: float) -> tuple[str, Samples]:
        decision, samples = playback.tick(at)
        return decision, np.frombuffer(samples, np.int16)

    return heard(payloads, put, tick)


def heard(
    payloads: list[bytes | None],
    put: Callable[[int, bytes, float], None],
    tick: Callable[[float], tuple[str, Samples]],
) -> Samples:
    """Play packets that come each 20 ms, or not, from the first on that is played."""
    played: list[Samples] = []
    number = 0
    while len(played) < len(payloads):
        at = 0.02 * number
        if number < len(payloads) and (payload := payloads[number]) is not None:
            put(number, payload, at)
        decision, samples = tick(at + 0.01)
        if played or decision == "play":
            played.append(samples)
        number += 1
    return np.concatenate(played)


def lossy(clip: Samples, seed: int) -> tuple[list[bytes | None], Samples]:
    """Lose packets of a clip; gives them, and what is heard with silence in their place."""
    dice, frames = random.Random(seed), clip.reshape(-1, FRAME)
    lost = [n >= FIRST and dice.random() < LOSS for n in range(len(frames))]
    encode = G711["PCMU"].encode
    payloads = [None if gone else encode(f) for gone, f in zip(lost, frames, strict=True)]
    silent = frames.copy()
    silent[lost] = 0
    return payloads, silent.reshape(-1)


def judged(pairs: list[tuple[Samples, Samples]]) -> list[float]:
    """Have each second of a pair compared with its first."""
    with tempfile.TemporaryDirectory() as folder:
        lines = []
        for n, pair in enumerate(pairs):
            paths = [Path(folder) / f"{n}{part}.npy" for part in "ab"]
            for path, samples in zip(paths, pair, strict=True):
                np.save(path, samples)
            lines.append(" ".join(map(str, paths)))
        command = [str(peers_python()), "-I", str(JUDGE)]
        done = subprocess.run(
            command, input="\n".join(lines), text=True, stdout=subprocess.PIPE, check=True
        )
    return [float(score) for score in done.stdout.split()]


def main() -> None:
    """Print a line for each engine, and the last line of JSON."""
    parser = argparse.ArgumentParser(prog="scripts/bench concealment", description="lost packets")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    print(__doc__)
    engines: dict[str, Heard] = {"python": in_python}
    if native_missing() is None:
        engines["native"] = in_native
    cases = [
        (clip, *lossy(clip, 1000 * seed + n))
        for n, clip in enumerate(clips())
        for seed in range(1, options.seeds + 1)
    ]
    cases = [case for case in cases if None in case[1]]
    silence = np.array(judged([(clip, silent) for clip, _, silent in cases]))
    keys: dict[str, float] = {"cases": len(cases), "silence_mean": round(silence.mean(), 3)}
    for name, hear in engines.items():
        concealed = np.array(judged([(clip, hear(payloads)) for clip, payloads, _ in cases]))
        gain = concealed - silence
        worse = int((gain < 0).sum())
        print(f"{name:7} mean gain {gain.mean():.3f}, least {gain.min():.3f}, worse in {worse}")
        keys |= {f"{name}_gain_mean": round(float(gain.mean()), 3),
                 f"{name}_gain_least": round(float(gain.min()), 3),
                 f"{name}_worse": worse}  # fmt: skip
    print(json.dumps(keys))


if __name__ == "__main__":
    main()
