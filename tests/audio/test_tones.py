import numpy as np
import pytest

from opensip.audio.level import dbfs
from opensip.audio.tones import (
    DTMF_COLUMNS,
    DTMF_KEYS,
    DTMF_ROWS,
    dtmf_pulses,
    dtmf_tone,
    goertzel,
    hold_tone,
    tone,
)
from opensip.errors import LocalProtocolError


@pytest.mark.parametrize("rate", [8000, 16000, 24000])
@pytest.mark.parametrize("frequency", [200, 1000, 3400])
def test_a_tone_has_its_length_level_and_frequency(rate, frequency):
    made = tone(frequency, 0.5, rate, level_dbfs=-20)
    assert len(made) == rate // 2
    assert made.dtype == np.int16
    assert dbfs(made) == pytest.approx(-20, abs=0.2)
    assert goertzel(made, frequency, rate) == pytest.approx(-20, abs=0.5)
    assert goertzel(made, frequency + 150, rate) < -60


def test_a_tone_begins_and_ends_softly():
    made = tone(1000, 0.1)
    assert np.abs(made[:3]).max() < 200
    assert np.abs(made[-3:]).max() < 200


def test_very_short_and_very_loud_tones_do_no_harm():
    assert len(tone(1000, 0)) == 0
    assert len(tone(1000, 0.0003)) == 2
    assert np.abs(tone(1000, 0.1, level_dbfs=20).astype(int)).max() <= 32768


@pytest.mark.parametrize("key", "".join(DTMF_KEYS))
def test_a_digit_sounds_with_its_two_tones_only(key):
    made = dtmf_tone(key, 0.1)
    powers = {f: goertzel(made, f, 8000) for f in DTMF_ROWS + DTMF_COLUMNS}
    loud = {f for f, power in powers.items() if power > -20}
    row = next(n for n, keys in enumerate(DTMF_KEYS) if key in keys)
    assert loud == {DTMF_ROWS[row], DTMF_COLUMNS[DTMF_KEYS[row].index(key)]}
    assert dbfs(made) == pytest.approx(-10, abs=0.5)


@pytest.mark.parametrize("digit", ["", "12", "x"])
def test_what_is_no_digit_is_our_bug(digit):
    with pytest.raises(LocalProtocolError):
        dtmf_tone(digit)


def test_lower_case_is_taken():
    assert np.array_equal(dtmf_tone("a"), dtmf_tone("A"))


@pytest.mark.parametrize("rate", [8000, 16000])
def test_the_hold_tone_is_short_soft_and_can_be_repeated(rate):
    made = hold_tone(rate)
    assert len(made) == 3 * rate
    assert dbfs(made[: rate // 2]) < -20
    assert goertzel(made[: rate // 4], 440, rate) > -30
    assert not made[rate:].any()


def test_nothing_has_no_frequency():
    assert goertzel(np.zeros(0, np.int16), 440, 8000) == -100
    assert goertzel(np.zeros(160, np.int16), 440, 8000) == -100


def test_pulses_of_several_digits():
    made = dtmf_pulses("1#", 16000)
    assert len(made) == 4 * 1600
    assert not made[1600:3200].any()
    assert np.array_equal(made[3200:4800], dtmf_tone("#", 0.1, 16000))
    assert len(dtmf_pulses("")) == 0
