import wave

import numpy as np
import pytest

from opensip.errors import MediaError, MissingExtra
from opensip.events import Silent
from opensip.media import recording_convert
from opensip.media.recording_convert import check_form, converted, pack, samples
from opensip.media.recording_key import MasterKey
from opensip.media.recordings import Recordings

MASTER = MasterKey(bytes(range(32)))
SOUND = (8000 * np.sin(np.arange(16000) / 8)).astype(np.int16)


@pytest.fixture(params=[(), (MASTER,)], ids=["plain", "sealed"])
def recordings(request, tmp_path):
    """A data directory with the recording of c-1: a second at 16 kHz."""
    made = Recordings(tmp_path, request.param)
    recorder = made.recorder("c-1", 16000, Silent())
    recorder.start(now=0.0)
    recorder.heard(SOUND, at=0.0)
    recorder.said(SOUND[::-1], at=0.0)
    recorder.close(now=1.0)
    return made


def heard(recordings):
    rate, sound = samples(recordings, recordings.find("c-1"))
    return rate, np.frombuffer(b"".join(sound), "<i2").reshape(-1, 2)[:, 0]


def test_what_it_is_already_is_left_as_it_is(recordings):
    path = recordings.find("c-1").path
    assert pack(recordings, "c-1", "wav", going_on=lambda: True) == path
    rate, left = heard(recordings)
    assert (rate, left.tolist()) == (16000, SOUND.tolist())
    whole = b"".join(converted(recordings, recordings.find("c-1"), "wav"))
    assert len(whole) == 44 + 4 * 16000


def test_flac_keeps_every_sample_and_stays_as_secret(recordings):
    pytest.importorskip("av", reason="the extra 'codecs' is not installed")
    before = recordings.find("c-1")
    path = pack(recordings, "c-1", "flac", going_on=lambda: True)
    after = recordings.find("c-1")
    assert (after.path, after.form, after.sealed) == (path, "flac", before.sealed)
    assert after.whole
    assert path.read_bytes().startswith(b"OSIPREC" if before.sealed else b"fLaC")
    assert path.stat().st_mode & 0o777 == 0o600
    assert not before.path.exists()
    rate, left = heard(recordings)
    assert (rate, left.tolist()) == (16000, SOUND.tolist())
    again = b"".join(converted(recordings, after, "flac"))
    assert again.startswith(b"fLaC")


def test_opus_keeps_the_time_and_gives_wav_again(recordings, tmp_path):
    pytest.importorskip("av", reason="the extra 'codecs' is not installed")
    pack(recordings, "c-1", "opus", going_on=lambda: True)
    packed = recordings.find("c-1")
    (tmp_path / "x.wav").write_bytes(b"".join(converted(recordings, packed, "wav")))
    with wave.open(str(tmp_path / "x.wav")) as sound:
        assert sound.getparams()[:3] == (2, 2, 16000)
        left = np.frombuffer(sound.readframes(48000), "<i2")[::2].astype(float)
    assert len(left) == 16000
    best = max(range(-24, 25), key=lambda n: np.dot(np.roll(left, -n), SOUND.astype(float)))
    assert abs(best) <= 16  # a millisecond


def test_no_time_left_leaves_the_recording(recordings):
    pytest.importorskip("av", reason="the extra 'codecs' is not installed")
    with pytest.raises(MediaError, match="no time left"):
        pack(recordings, "c-1", "flac", going_on=lambda: False)
    assert [path.name for path in recordings.folder.iterdir()] == [recordings.find("c-1").path.name]
    assert heard(recordings)[1].tolist() == SOUND.tolist()


def test_without_the_extra_the_remedy_is_told(recordings, monkeypatch):
    monkeypatch.setattr(recording_convert, "find_spec", lambda name: None)
    check_form("wav")
    for what in (
        lambda: check_form("flac"),
        lambda: pack(recordings, "c-1", "flac", going_on=bool),
    ):
        with pytest.raises(MissingExtra, match=r"opensip-agent\[codecs\]"):
            what()
    assert heard(recordings)[1].tolist() == SOUND.tolist()


def test_a_wav_file_that_is_cut_short_is_told(tmp_path):
    recordings = Recordings(tmp_path)
    recordings.folder.mkdir()
    (recordings.folder / "c-1.wav").write_bytes(b"RIFF")
    with pytest.raises(MediaError, match="cut short"):
        samples(recordings, recordings.find("c-1"))


@pytest.mark.parametrize("damaged", [b"", b"RIFF" + bytes(20), bytes(range(200)), b"RIFF" * 99])
@pytest.mark.parametrize("form", ["wav", "flac"])
def test_what_is_no_wav_file_is_not_given_out_as_one(tmp_path, damaged, form):
    recordings = Recordings(tmp_path)
    recordings.folder.mkdir()
    recordings.path("c-1", "wav", sealed=False).write_bytes(damaged)
    with pytest.raises(MediaError, match="no WAV file"):
        list(converted(recordings, recordings.find("c-1"), form))
