"""kill -9 of the server in the middle of a call: what was recorded can be played."""

import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

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
