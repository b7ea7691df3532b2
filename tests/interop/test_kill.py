"""kill -9 of the server in the middle of a call: what was recorded can be played."""

import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from opensip.media.recording_convert import samples
from opensip.media.recording_key import MasterKey
from opensip.media.recordings import Recordings
from tests.interop.hearing import LOUD, Samples, loudness, read_wav, share_of
from tests.interop.raw_peer import RawPeer
from tests.interop.server import Server

pytestmark = pytest.mark.interop

LOST = 1.0  # seconds before the kill that may be missing
TONE = 1004.0  # Hz: what the tone agent plays


@pytest.mark.parametrize(
    ("calls", "seconds"),
    [
        pytest.param(1, 4.0),
        pytest.param(20, 60.0, marks=[pytest.mark.long]),
    ],
)
def test_a_recording_plays_to_within_a_second_of_the_kill(
    folder: Path, calls: int, seconds: float
) -> None:
    server = Server(folder, first_port=32000)
    peers = [RawPeer((server.host, server.port)) for _ in range(calls)]
    try:
        answered = [answer(peer) for peer in peers]
        time.sleep(seconds)
        killed = time.monotonic()
        server.kill()
    finally:
        server.kill()
        for peer in peers:
            peer.close()
    recordings = sorted(folder.glob("data/recordings/*.wav"))
    assert len(recordings) == calls
    for path in recordings:
        check(path, least=killed - max(answered) - LOST, most=killed - min(answered) + LOST)


RECORDS = """
import sys, time
import numpy as np
from pathlib import Path
from opensip.events import Silent
from opensip.media.recording_key import MasterKey
from opensip.media.recording_writer import WriterThread
from opensip.media.recordings import Recordings
masters = [MasterKey(bytes(32))] * int(sys.argv[2])
writer = WriterThread(lambda news: news())
recorder = Recordings(Path(sys.argv[1]), masters, writer).recorder("c-1", 8000, Silent())
began = time.monotonic()
recorder.start(now=began)
print(began, flush=True)
for n in range(1, 1000):
    time.sleep(max(0.0, began + n / 10 - time.monotonic()))
    for place in (recorder.heard, recorder.said):
        place(np.full(800, n, np.int16), at=began + (n - 1) / 10)
    recorder.flush(now=began + n / 10)
"""
AT_ONCE = 10


@pytest.mark.parametrize("kills", [10, pytest.param(200, marks=[pytest.mark.long])])
def test_every_file_opens_whenever_the_kill_comes(folder: Path, kills: int) -> None:
    """Half of them are encrypted; all hold all but the last second."""
    lost: list[float] = []
    for first in range(0, kills, AT_ONCE):
        numbers = range(first, first + AT_ONCE)
        with_ends = [(number, *recording(folder / str(number), number % 2)) for number in numbers]
        dying = sorted((random.uniform(0.3, 3.0), *one) for one in with_ends)
        start = time.monotonic()
        for after, number, child, began in dying:
            time.sleep(max(0.0, start + after - time.monotonic()))
            child.kill()
            killed = time.monotonic()
            child.communicate()
            lost.append(killed - began - seconds_of(folder / str(number), number % 2))
    print(f"{kills} kills, at most {max(lost):.2f} s lost")
    assert len(lost) == kills
    assert max(lost) <= LOST


def recording(data: Path, sealed: int) -> tuple["subprocess.Popen[str]", float]:
    """Begin a process that records, and say when its recording begins."""
    command = [sys.executable, "-c", RECORDS, str(data), str(sealed)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    return child, float(child.stdout.readline())


def seconds_of(data: Path, sealed: int) -> float:
    """Read what a process recorded: each tenth of a second is the next number, on both sides."""
    recordings = Recordings(data, [MasterKey(bytes(32))] * sealed)
    rate, sound = samples(recordings, recordings.find("c-1"))
    both = np.frombuffer(b"".join(sound), "<i2").reshape(-1, 2)
    assert rate == 8000
    known = np.repeat(np.arange(1, len(both) // 800 + 2), 800)[: len(both)]
    assert (both == known[:, None]).all()
    return len(both) / 8000


def answer(peer: RawPeer) -> float:
    """Call the tone agent, and say when it answered."""
    peer.invite("tone")
    return time.monotonic()


def check(path: Path, *, least: float, most: float) -> None:
    """Play it, as Python and as SoX do; it is whole, and tone to its end."""
    _, said = read_wav(path)
    assert least <= len(said) / 8000 <= most
    assert is_tone(said[-4000:])
    assert np.mean(loudness(said) > LOUD) > 0.9
    if shutil.which("soxi"):
        duration = subprocess.run(["soxi", "-D", path], check=True, capture_output=True, text=True)
        assert float(duration.stdout) == pytest.approx(len(said) / 8000, abs=0.001)
        played = subprocess.run(
            ["sox", path, "-n", "stat"], check=True, capture_output=True, text=True
        )
        assert "WARN" not in played.stderr


def is_tone(samples: Samples) -> bool:
    """Tell whether there is the tone, and nothing else."""
    return bool(np.all(loudness(samples) > LOUD)) and share_of(samples, TONE) > 0.9
