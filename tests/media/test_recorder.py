import os
import signal
import subprocess
import sys
import wave

import numpy as np
import pytest
import structlog

from opensip.events import (
    RecordingStarted,
    RecordingStopped,
)
from opensip.media import recorder as recorder_module
from opensip.media.media_clock import MediaClock
from opensip.media.recorder import Recorder
from opensip.media.recording_file import WavFile
from opensip.media.recording_pause import Pauses


class Notes(list):
    note = list.append


def read(path):
    """Read a recording as a player would: (frames, 2) samples."""
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, 8000)
        data = file.readframes(file.getnframes())
        assert len(data) == 4 * file.getnframes()
    return np.frombuffer(data, "<i2").reshape(-1, 2)


def constant(seconds, value):
    return np.full(round(8000 * seconds), value, np.int16)


def test_each_voice_is_on_its_channel_in_its_time(tmp_path):
    notes = Notes()
    recorder = Recorder(tmp_path / "new" / "call.wav", observer=notes)
    recorder.start(now=50.0)
    recorder.heard(constant(0.1, 100), at=50.0)
    recorder.heard(constant(0.1, 101), at=50.11)  # 10 ms of jitter: joined
    recorder.said(constant(0.5, 200), at=50.5)
    recorder.heard(constant(0.1, 102), at=51.0)  # a gap
    recorder.close(now=51.5)
    left, right = read(recorder.path).T
    assert len(left) == 12000
    assert set(left[:800]) == {100}
    assert set(left[800:1600]) == {101}
    assert set(left[1600:8000]) == {0}
    assert set(left[8000:8800]) == {102}
    assert set(right[:4000]) == {0}
    assert set(right[4000:8000]) == {200}
    assert set(right[8000:]) == {0}
    assert [type(n) for n in notes] == [RecordingStarted, RecordingStopped]
    assert notes[1].error == ""
    assert not recorder.running


def test_it_is_whole_after_each_flush(tmp_path):
    recorder = Recorder(tmp_path / "call.wav")
    recorder.start(now=0.0)
    for n in range(1, 31):
        recorder.heard(constant(0.1, n), at=n * 0.1 - 0.1)
        recorder.flush(now=n * 0.1)
        left = read(recorder.path)[:, 0]
        assert len(left) >= 8000 * (n * 0.1 - 0.7)
        assert list(left[400::800]) == list(range(1, len(left[400::800]) + 1))
    recorder.close(now=3.0)
    assert list(read(recorder.path)[400::800, 0]) == list(range(1, 31))


def test_audio_in_a_burst_finds_its_place(tmp_path):
    recorder = Recorder(tmp_path / "call.wav")
    recorder.start(now=0.0)
    recorder.said(constant(1, 5), at=0.0)
    recorder.flush(now=0.5)
    recorder.heard(constant(0.1, 7), at=0.2)  # 0.2 to 0.25 is on disk already
    recorder.close(now=1.0)
    left = read(recorder.path)[:, 0]
    assert len(left) == 8000
    assert set(left[2000:2400]) == {7}
    assert set(left[2400:]) == {0}


def test_what_began_before_the_recording_is_cut(tmp_path):
    recorder = Recorder(tmp_path / "call.wav")
    recorder.start(now=1.0)
    recorder.heard(constant(1, 3), at=0.5)
    recorder.close(now=2.0)
    left = read(recorder.path)[:, 0]
    assert set(left[:4000]) == {3}
    assert set(left[4000:]) == {0}


def test_a_path_that_cannot_be_written_is_an_event(tmp_path):
    notes, blocker = Notes(), tmp_path / "file"
    blocker.write_text("not a directory")
    recorder = Recorder(blocker / "call.wav", observer=notes)
    recorder.start(now=0.0)
    recorder.heard(constant(0.1, 1), at=0.0)
    recorder.flush(now=5.0)
    recorder.close(now=6.0)
    (stopped,) = notes
    assert isinstance(stopped, RecordingStopped)
    assert "file" in stopped.error


def test_a_full_disk_ends_the_recording_not_the_call(tmp_path):
    if not os.access("/dev/full", os.W_OK):
        pytest.skip("no /dev/full here")
    notes = Notes()
    (tmp_path / "call.wav").symlink_to("/dev/full")
    recorder = Recorder(tmp_path / "call.wav", observer=notes)
    recorder.start(now=0.0)
    recorder.heard(constant(2, 1), at=0.0)
    recorder.flush(now=2.0)
    recorder.close(now=3.0)
    assert "No space left" in notes[-1].error
    assert len([n for n in notes if isinstance(n, RecordingStopped)]) == 1


def test_a_disk_that_fills_up_at_the_last_write_is_told_once(tmp_path):
    class Full(WavFile):
        def append(self, sound):
            raise OSError(28, "No space left on device")

    notes = Notes()
    recorder = Recorder(tmp_path / "call.wav", observer=notes, open_file=Full)
    with structlog.testing.capture_logs() as logs:
        recorder.start(now=0.0)
        recorder.heard(constant(0.1, 1), at=0.0)
        recorder.close(now=0.1)
        recorder.close(now=0.2)
    (told,) = logs
    assert (told["event"], told["path"]) == ("recording_stopped", str(recorder.path))
    assert [type(note) for note in notes] == [RecordingStarted, RecordingStopped]
    assert "No space left" in notes[-1].error


def test_a_pause_is_silent_on_both_sides_and_time_goes_on(tmp_path):
    notes = Notes()
    pauses = Pauses(notes)
    recorder = Recorder(tmp_path / "call.wav", observer=notes)
    recorder.start(now=0.0, pauses=pauses)
    for n in range(20):
        if n == 5:
            pauses.begin(now=0.55)
        if n == 11:
            pauses.end(now=1.15)
        for place in (recorder.heard, recorder.said):
            place(constant(0.1, n + 1), at=n * 0.1)
        recorder.flush(now=(n + 1) * 0.1)
    recorder.heard(constant(0.1, 99), at=0.6)  # late, and from the pause
    recorder.close(now=2.0)
    for channel in read(recorder.path).T:
        assert set(channel[4400:9200]) == {0}
        assert set(channel[:4400]) == {1, 2, 3, 4, 5, 6}
        assert set(channel[9200:]) == set(range(12, 21))
        assert 99 not in channel


@pytest.mark.parametrize(
    ("delay", "drift", "holes"),
    [(0.1, 0.0, 1), (0.1, 50e-6, 1), (0.01, 0.0, 1), (0.3, 0.0, 5), (0.0, 200e-6, 1)],
)
def test_a_path_that_becomes_longer_leaves_one_hole(tmp_path, delay, drift, holes):
    recorder, clock = Recorder(tmp_path / "call.wav"), MediaClock(8000)
    recorder.start(now=0.0)
    # 15 s of a tone without a zero; from 3 s on the path is longer. Whatever is later than the disk
    # is behind misses its place, which is known after a second.
    for n in range(750):
        now = n * 0.02 * (1 + drift) + delay * (n >= 150)
        recorder.heard(constant(0.02, 1), at=clock.time_of(160 * n, now=now))
        recorder.flush(now=now)
    recorder.close(now=15.0)
    left = read(recorder.path)[:118_000, 0]
    assert np.count_nonzero(np.diff(left) < 0) <= holes
    assert left[0] == 1


def test_a_recording_ends_while_journals_still_have_room(tmp_path, monkeypatch):
    notes, free = Notes(), [recorder_module.KEPT_FREE]
    disk = os.statvfs(tmp_path)

    def statvfs(path):
        return os.statvfs_result((1, 1, 1 << 40, 0, free[0], *tuple(disk)[5:]))

    monkeypatch.setattr(recorder_module.os, "statvfs", statvfs)
    recorder = Recorder(tmp_path / "call.wav", observer=notes)
    recorder.start(now=0.0)
    recorder.heard(constant(5, 1), at=0.0)
    recorder.flush(now=1.0)
    assert recorder.running
    free[0] -= 1
    recorder.flush(now=1.4)
    assert not recorder.running
    assert notes[-1].error == recorder_module.NO_ROOM
    assert set(read(recorder.path)[:, 0]) == {1}
    again = Recorder(tmp_path / "again.wav", observer=notes)
    again.start(now=0.0)
    assert not again.running


KILLED = """
import sys, numpy as np
from pathlib import Path
from opensip.media.media_clock import MediaClock
from opensip.media.recorder import Recorder
from opensip.media.recording_file import WavFile
from opensip.media.recording_pause import Pauses
recorder = Recorder(Path(sys.argv[1]))
recorder.start(now=0.0)
for n in range(50):
    recorder.heard(np.full(800, n + 1, np.int16), at=n / 10)
    recorder.flush(now=(n + 1) / 10)
print("five seconds", flush=True)
sys.stdin.read()
"""


def test_a_kill_loses_less_than_a_second(tmp_path):
    path = tmp_path / "call.wav"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout.readline() == b"five seconds\n"
        child.send_signal(signal.SIGKILL)
    left = read(path)[:, 0]
    assert len(left) >= 8000 * 4
    assert list(left[400::800]) == list(range(1, len(left[400::800]) + 1))
