"""What is heard of a bad line through our playout buffer, and through those of aiortc and aiortp.

A minute of G.711, a packet each 20 ms, comes over 15 lines (traces.py): 0, 1, 3, 5 and 10 % lost
at random, and besides with 5 % overtaken by 30 ms, or with a pause of 400 ms every 10 s, after
which all of it comes at once; 10 ms of jitter everywhere. All buffers get the same packets at the
same times, and are asked for a frame each 20 ms: what is concealed counts as a gap. Ours is the
native engine's where it was built (its decisions are those of rtp/jitter_buffer.py). aiortc's, and
aiortp's as it is without further words, give frames when packets come; they wait in a queue for
their tick, as the tracks of both have one. `aiortp_playout` is its adaptive playout. Both peers
live in an environment of their own, which is made when first needed (requirements-buffers.lock).
"""

import argparse
import hashlib
import json
import subprocess
import sys
from pathlib import Path

from opensip.audio.codecs import G711
from opensip.media.engine_choice import native_missing
from opensip.media.playback import Playback
from scripts.benches.buffers.score import Put, Take, run, score
from scripts.benches.buffers.traces import PACKETS, Trace, traces

HERE = Path(__file__).parent
LOCK = HERE.parents[2] / "requirements-buffers.lock"
HOME = Path(sys.prefix) / "buffers"
COLUMNS = ("delivered_pct", "gaps", "gap_ms", "longest_ms", "delay_ms")


def peers_python() -> Path:
    """Make the environment of the peers where it is not there yet; gives its interpreter."""
    python, stamp = HOME / "bin/python", HOME / ".locked"
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return python
    print(f"installing {LOCK.name} into {HOME}", flush=True)
    subprocess.run([sys.executable, "-m", "venv", HOME], check=True)
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([python, "-I", *install, "--require-hashes", "-r", LOCK], check=True)
    stamp.write_text(wanted)
    return python


def code_of(number: int) -> int:
    """Give the octet by which a frame is known: loud, and no two near ones alike."""
    return number % 100


def ours() -> tuple[Put, Take]:
    """Make our playout buffer."""
    if native_missing() is None:
        from opensip.media import _engine  # noqa: PLC0415 - only where it was built

        native = _engine.Playback("PCMU")
        newest = [0]

        def put(number: int, at: float) -> None:
            newest[0] = max(newest[0], number)
            native.put(number, 160 * number, bytes([code_of(number)]) * 160, at)

        def take(now: float) -> int | None:
            decision, samples = native.tick(now)
            return number_of(samples, newest[0]) if decision == "play" else None

        return put, take
    playback, latest = Playback(G711["PCMU"]), [0]

    def put_in_python(number: int, at: float) -> None:
        latest[0] = max(latest[0], number)
        playback.put(number, 160 * number, bytes([code_of(number)]) * 160, now=at)

    def take_in_python(now: float) -> int | None:
        decision, samples = playback.tick(now=now)
        return number_of(samples.tobytes(), latest[0]) if decision == "play" else None

    return put_in_python, take_in_python


def number_of(samples: bytes, newest: int) -> int:
    """Tell which frame it is by its last sample: the newest of that octet that has come."""
    last = int.from_bytes(samples[-2:], sys.byteorder, signed=True)
    return newest - (newest - CODES[last]) % 100


CODES = {int(G711["PCMU"].decode(bytes([code]))[0]): code for code in range(100)}


def main() -> None:
    """Play every trace through every buffer, and print the table."""
    argparse.ArgumentParser(
        prog="scripts/bench buffers", description="playout buffers"
    ).parse_args()
    print(f"{__doc__}", flush=True)
    lines = traces()
    told = {"sent": PACKETS, "traces": [line.packets for line in lines]}
    command = [peers_python(), "-E", HERE / "peers.py"]
    done = subprocess.run(
        command, input=json.dumps(told), capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"bench buffers: the peers failed:\n{done.stderr}")
    rows = [
        {"loss_pct": line.loss, "line": line.kind, "ours": score_ours(line), **peers}
        for line, peers in zip(lines, json.loads(done.stdout), strict=True)
    ]
    report(rows)


def score_ours(line: Trace) -> dict[str, float]:
    """Play one trace through our buffer."""
    return score(run(line.packets, *ours()), PACKETS)


def report(rows: list[dict]) -> None:
    """Print the table, and the last line."""
    names = list(rows[0])[2:]
    print(f"{'line':8} {'loss':>5}  {'buffer':15}" + "".join(f"{name:>15}" for name in COLUMNS))
    for row in rows:
        for name in names:
            told = "".join(f"{row[name][column]:>15}" for column in COLUMNS)
            print(f"{row['line']:8} {row['loss_pct']:>4}%  {name:15}{told}")
    engine = "native" if native_missing() is None else "python"
    print(json.dumps({"rows": rows, "engine": engine, "peers": ["aiortc 1.16.0", "aiortp 0.8.0"]}))


if __name__ == "__main__":
    main()
