import numpy as np
import pytest

from opensip.audio.tones import tone
from opensip.errors import RemoteProtocolError
from opensip.media.heard import LONGEST_FILL, Heard


def power(samples):
    wide = samples.astype(float)
    return float(wide @ wide)


def test_a_frame_tells_when_it_began_and_how_loud_it_is():
    heard, sound = Heard(8000), np.full(160, 8192, np.int16)
    assert not heard
    assert heard.take() is None
    heard.at = 5.0
    assert heard.add(sound, power(sound))
    assert not heard.add(np.zeros(160, np.int16), 0.0)
    frame = heard.take()
    assert (frame.at, frame.rate, len(frame.samples)) == (5.0, 8000, 320)
    assert frame.level_dbfs == pytest.approx(-12.04 - 3.01, abs=0.01)
    assert heard.take() is None


def test_what_is_given_away_is_no_window_on_something_larger():
    heard, whole = Heard(8000), np.zeros(1600, np.int16)
    heard.add(whole[:160], 0.0)
    assert heard.take().samples.base is None


def test_another_rate_keeps_time_and_level():
    heard, sound = Heard(8000), tone(400, 0.1, 8000)
    heard.add(sound, power(sound))
    heard.change_rate(16000)
    frame = heard.take()
    assert (frame.rate, len(frame.samples)) == (16000, 1600)
    assert frame.level_dbfs == pytest.approx(-16, abs=0.5)


@pytest.mark.parametrize(
    ("missing", "filled"),
    [(0, 0), (160, 320), (int(LONGEST_FILL * 8000), 8000), (int(LONGEST_FILL * 8000) + 1, 0)],
)
def test_silence_stands_for_what_is_missing_unless_it_is_long(missing, filled):
    heard = Heard(16000)
    units, voice = heard.add_frame(
        lambda payload: np.full(320, 9000, np.int16), b"x", missing=missing, clock_rate=8000
    )
    assert (units, voice) == (160, True)
    samples = heard.take().samples
    assert len(samples) == filled + 320
    assert not samples[:filled].any()


def test_nothing_out_of_next_to_nothing_is_nothing():
    def refuse(payload):
        raise RemoteProtocolError("no payload")

    heard = Heard(16000)
    with pytest.raises(RemoteProtocolError):
        heard.add_frame(refuse, b"x", missing=1, clock_rate=48000)  # less than a sample
    assert heard.take() is None
