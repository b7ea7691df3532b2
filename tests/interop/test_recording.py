"""Recordings of real streams and calls: their time, their key, and a disk that runs full."""

import asyncio
import contextlib
import random
import shutil
import socket
import struct
import subprocess
import threading
import time
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from opensip.errors import ConfigError
from opensip.media.engine_choice import open_engine
from opensip.media.ports import PortPool
from opensip.media.recorder import Recorder
from opensip.media.session import MediaConfig, MediaSession
from tests.interop.hearing import LOUD, from_ulaw, loudness, read_wav
from tests.interop.raw_peer import RawPeer
from tests.interop.server import LOOPBACK_TRUNK, Server, opensip

pytestmark = pytest.mark.interop

SO_TIMESTAMPNS = 35  # of Linux; the module socket has no name for it
APART = 0.010  # seconds between the two tones, at the ears
BURSTS = 5
SMALL_DISK = 4 << 20


class Ear:
    """A peer that answers each packet APART seconds later: with silence, then with our tone.

    `apart` are the seconds that it took in truth, from the kernel's stamp of what came on: on a
    busy machine the ear itself is late.
    """

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(2.0)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.apart: list[float] = []
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self._run, daemon=True)

    def offer(self) -> bytes:
        lines = (
            "v=0", "o=ear 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0",
            f"m=audio {self.port} RTP/AVP 0", "a=rtpmap:0 PCMU/8000",
        )  # fmt: skip
        return "\r\n".join([*lines, ""]).encode()

    def _run(self) -> None:
        sequence = 0
        with contextlib.suppress(TimeoutError, OSError):
            while True:
                packet, stamps, _, remote = self.socket.recvmsg(2000, 64)
                came = time.monotonic()
                seconds, nanoseconds = struct.unpack("qq", stamps[0][2])
                time.sleep(APART - 0.0005)
                while time.monotonic() < came + APART:
                    pass  # for half a millisecond: a sleep is not as exact
                sequence += 1
                header = struct.pack(">BBHII", 0x80, 0, sequence, 160 * sequence, 0xEA4)
                self.socket.sendto(header + packet[12:], remote)
                self.apart.append(time.time() - seconds - nanoseconds * 1e-9)


@pytest.mark.parametrize("engine", ["native", "python"])
def test_tones_10_ms_apart_at_the_ears_are_10_ms_apart_in_the_file(
    engine: str, tmp_path: Path
) -> None:
    # Where the machine is busy for all of a round, what it sends comes late to the ears.
    rounds = (asyncio.run(milliseconds_off(engine, tmp_path / f"{n}.wav")) for n in range(3))
    assert any(off <= 1.0 for off in rounds)


async def milliseconds_off(engine: str, path: Path) -> float:
    """Record tones at both ears; tell by how much they are elsewhere in the file."""
    loop, ear = asyncio.get_running_loop(), Ear()
    try:
        running = open_engine(engine, loop)
    except ConfigError as error:
        pytest.skip(str(error))
    ports = PortPool("127.0.0.1", 21000, 21999, clock=loop.time)
    session = MediaSession(running, ports, MediaConfig("127.0.0.1", srtp="off"))
    session.answer(ear.offer())
    session.record_to(Recorder(path))
    ear.thread.start()
    await asyncio.sleep(1.0)  # silence both ways, in which clocks are learned
    for _ in range(BURSTS):
        session.sink.write(burst())
        await asyncio.sleep(0.4)
    await session.close()
    running.close()
    ear.socket.close()
    heard, said = read_wav(path)
    gaps = [(theirs - ours) / 8 for ours, theirs in zip(onsets(said), onsets(heard), strict=True)]
    print(engine, "ms apart:", gaps)
    assert len(gaps) == BURSTS
    # The earliest packets tell where those that follow belong.
    return abs(float(np.median(gaps)) - 1000 * min(ear.apart))


def burst() -> np.ndarray:
    """A tone of 100 ms that begins at its loudest."""
    return (8000 * np.cos(2 * np.pi * 1000 * np.arange(800) / 8000)).astype(np.int16)


def onsets(channel: np.ndarray) -> list[int]:
    """Find the samples at which bursts begin."""
    loud = np.flatnonzero(np.abs(channel) > 4000 / 32768)
    return [int(n) for n in loud[np.diff(loud, prepend=-9999) > 800]]


def test_without_its_key_an_encrypted_recording_shows_nothing(folder: Path) -> None:
    key = folder / "key"
    key.write_text("5a" * 32)
    sealing = f'{LOOPBACK_TRUNK}\n[recording]\nkey = "file:{key}"\n'
    server = Server(folder, trunks=sealing, first_port=33000)
    peer = RawPeer((server.host, server.port))
    try:
        peer.invite("tone")
        time.sleep(2.0)
        peer.bye()
        [record] = server.wait_for_records(1)
    finally:
        server.stop()
        peer.close()
    path = Path(record["recording"]["path"])
    assert path.name.endswith(".wav.sealed")
    assert not list(folder.glob("data/**/*.wav"))
    config, out = ("--config", str(server.config)), folder / "out.wav"
    opensip("recording", "export", record["call_id"], str(out), *config)
    with wave.open(str(out)) as sound:
        data = sound.readframes(sound.getnframes())
    said = np.frombuffer(data, "<i2")[1::2] / 32768
    assert len(said) > 8000
    assert np.mean(loudness(said) > LOUD) > 0.8
    raw = path.read_bytes()
    known = {data[n : n + 8] for n in range(0, len(data) - 8, 4)} - {bytes(8)}
    assert not any(raw[n : n + 8] in known for n in range(len(raw) - 8))
    copy = shutil.copy(path, folder / "copy")
    opensip("recording", "erase", record["call_id"], "--yes", *config)
    shutil.copy(copy, path)
    assert "erased" in opensip("recording", "export", record["call_id"], *config).stderr


@contextlib.contextmanager
def small_disk(path: Path) -> Iterator[None]:
    """Mount a disk of SMALL_DISK bytes at `path`."""
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", str(path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a disk")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", path], check=True)


@pytest.mark.parametrize("left", [0, 40_000], ids=["full", "nearly full"])
def test_a_disk_that_is_full_at_a_random_moment_harms_no_call(folder: Path, left: int) -> None:
    with small_disk(folder / "data"):
        server = Server(folder, first_port=34000)
        peer = RawPeer((server.host, server.port))
        try:
            peer.invite("tone")
            time.sleep(random.uniform(0.5, 3.0))
            fill(folder / "data", left)
            time.sleep(4.5)
            peer.bye()
            if left:
                [record] = server.wait_for_records(1)
                assert "disk is full" in record["recording"]["error"]
                [journal] = folder.glob("data/journals/*.jsonl")
                stopped = [line for line in journal.read_text().splitlines() if "ing_stop" in line]
                assert len(stopped) == 1
                assert "disk is full" in stopped[0]
        finally:
            server.stop()
            peer.close()
        [path] = folder.glob("data/recordings/*.wav")
        with wave.open(str(path)) as sound:
            assert sound.getnframes() > 0
    packets = [packet[12:] for _, packet in peer.rtp.heard]
    said = from_ulaw(b"".join(packets[10:]))
    assert len(said) > 8000 * 4.5
    assert np.mean(loudness(said) > LOUD) > 0.98  # as if nothing had been


def fill(folder: Path, left: int) -> None:
    """Take all room of a disk but `left` bytes."""
    with (folder / "other").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    with (folder / "other").open("r+b") as file:
        file.truncate(max(0, (folder / "other").stat().st_size - left))
