import errno
import io
import wave

import numpy as np
import pytest

from opensip.errors import MediaError
from opensip.events import RecordingStopped, Silent
from opensip.media.recording_key import MasterKey
from opensip.media.recordings import Recordings
from tests.fakes.parties import Notes

MASTER = MasterKey(bytes(range(32)))
SOUND = np.arange(1600, dtype=np.int16)


def record(recordings, call_id="c-1"):
    recorder = recordings.recorder(call_id, 16000, Silent())
    recorder.start(now=0.0)
    recorder.heard(SOUND, at=0.0)
    recorder.close(now=0.1)
    return recordings.find(call_id)


@pytest.mark.parametrize("masters", [(), (MASTER,)])
def test_what_was_recorded_is_read_as_a_wav_file(tmp_path, masters):
    recordings = Recordings(tmp_path, masters)
    recording = record(recordings)
    assert (recording.form, recording.sealed, recording.whole) == ("wav", bool(masters), True)
    assert recording.path.name == "c-1.wav" + ".sealed" * bool(masters)
    with wave.open(io.BytesIO(b"".join(recordings.content(recording)))) as sound:
        assert sound.getparams()[:4] == (2, 2, 16000, 1600)
        left = np.frombuffer(sound.readframes(1600), "<i2")[::2]
    assert (left == SOUND).all()
    assert recordings.names() == ["c-1"]


def test_an_erased_recording_leaves_nothing_that_a_copy_could_be_read_with(tmp_path):
    recordings = Recordings(tmp_path, [MASTER])
    recording = record(recordings)
    copy = recording.path.read_bytes()
    gone = recordings.erase("c-1")
    assert [path.name for path in gone] == ["c-1.key", "c-1.wav.sealed"]
    assert recordings.names() == []
    recording.path.write_bytes(copy)  # as a backup brings it back
    with pytest.raises(MediaError, match="erased"):
        list(recordings.content(recordings.find("c-1")))


def test_a_plain_recording_is_erased_too(tmp_path):
    recordings = Recordings(tmp_path)
    record(recordings)
    assert [path.name for path in recordings.erase("c-1")] == ["c-1.wav"]
    for ask in (recordings.erase, recordings.find):
        with pytest.raises(MediaError, match="no recording of a call 'c-1'"):
            ask("c-1")


def test_what_was_not_whole_yet_is_erased_too_and_swept_at_a_start(tmp_path):
    recordings = Recordings(tmp_path)
    record(recordings)
    record(recordings, "c-12")
    for name in ("c-1.flac.part", "c-12.opus.part"):
        (recordings.folder / name).write_bytes(b"sound")
    gone = recordings.erase("c-1")
    assert [path.name for path in gone] == ["c-1.flac.part", "c-1.wav"]
    assert [path.name for path in recordings.sweep()] == ["c-12.opus.part"]
    assert [path.name for path in recordings.folder.iterdir()] == ["c-12.wav"]
    (recordings.folder / "c-1.flac.part").write_bytes(b"sound")  # all that a crash left
    assert [path.name for path in recordings.erase("c-1")] == ["c-1.flac.part"]


def test_what_cannot_be_read_or_erased_is_told(tmp_path, monkeypatch):
    recordings = Recordings(tmp_path)
    recording = record(recordings)

    def refused(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(recording.path), "unlink", refused)
    monkeypatch.setattr(type(recording.path), "open", refused)
    with pytest.raises(MediaError, match="cannot be erased"):
        recordings.erase("c-1")
    with pytest.raises(MediaError, match="cannot be read"):
        list(recordings.content(recording))


@pytest.mark.parametrize(
    ("masters", "module"), [((), "file"), ((MASTER,), "key"), ((MASTER,), "sealed")]
)
def test_a_full_disk_at_the_beginning_leaves_no_empty_files(tmp_path, monkeypatch, masters, module):
    def full(file, offset, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(f"opensip.media.recording_{module}.write_at", full)
    recorder = Recordings(tmp_path, masters).recorder("c-1", 8000, notes := Notes())
    recorder.start(now=0.0)
    assert [stopped.error for stopped in notes.of(RecordingStopped)]
    assert not list(tmp_path.rglob("c-*"))
