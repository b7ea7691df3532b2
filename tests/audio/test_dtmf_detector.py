import shutil
import subprocess
import wave

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opensip.audio.codecs import CODECS
from opensip.audio.dtmf_detector import DtmfDetector
from opensip.audio.resample import resample
from opensip.audio.tones import DTMF_COLUMNS, DTMF_KEYS, DTMF_ROWS, dtmf_pulses, dtmf_tone, tone

KEYS = "".join(DTMF_KEYS)
RATES = (8000, 16000)
G711 = CODECS["PCMU"]


def found(samples, rate=8000, piece=160):
    """The digits of a sound that comes in pieces."""
    detector = DtmfDetector(rate)
    pieces = (samples[start : start + piece] for start in range(0, len(samples), piece))
    return "".join(tone.digit for piece in pieces for tone in detector.push(piece))


def keyed(digits, seconds, rate=8000, *, pause=0.05, level_dbfs=-10.0):
    """The tones of digits, silence around each."""
    silence = np.zeros(round(pause * rate), np.int16)
    tones = (dtmf_tone(digit, seconds, rate, level_dbfs=level_dbfs) for digit in digits)
    return np.concatenate([silence, *(part for tone in tones for part in (tone, silence))])


def noise(length, dbfs, seed=1):
    """White noise of a mean power."""
    return np.random.default_rng(seed).normal(0, 32768 * 10 ** (dbfs / 20), length)


def mixed(*sounds):
    return np.clip(np.sum(sounds, axis=0), -32768, 32767).astype(np.int16)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("level", [-10.0, -30.0])
@pytest.mark.parametrize("seconds", [0.05, 0.1])
def test_all_sixteen_at_15_db_over_noise(rate, level, seconds):
    for seed in range(3):
        clean = keyed(KEYS, seconds, rate, level_dbfs=level)
        assert found(mixed(clean, noise(len(clean), level - 15, seed)), rate) == KEYS


def test_all_sixteen_through_both_laws():
    for name in ("PCMU", "PCMA"):
        sound = CODECS[name].decode(CODECS[name].encode(dtmf_pulses(KEYS)))
        assert found(sound) == KEYS


@pytest.mark.parametrize("piece", [1, 80, 333, 5000])
def test_pieces_of_any_length_tell_the_same(piece):
    sound = keyed("13", 0.05)[:2400]
    assert found(sound, piece=piece) == "13"


def test_when_a_tone_began():
    [told] = DtmfDetector().push(keyed("5", 0.1, pause=0.5))
    assert told.began == pytest.approx(4000, abs=120)


def test_a_long_tone_is_one_digit_and_a_lost_packet_does_not_break_it():
    sound = dtmf_tone("9", 1.5)
    sound[4000:4160] = 0
    assert found(sound) == "9"


def test_the_same_digit_twice_with_40_ms_between():
    assert found(keyed("5566", 0.05, pause=0.04)) == "5566"


def test_what_is_too_short_soft_or_lopsided_is_no_digit():
    assert found(keyed(KEYS, 0.02)) == ""
    assert found(keyed(KEYS, 0.1, level_dbfs=-50.0)) == ""
    for loud, soft in ((697, 1209), (1209, 697)):
        lopsided = mixed(tone(loud, 0.2, level_dbfs=-10), tone(soft, 0.2, level_dbfs=-22))
        assert found(lopsided) == ""
    assert found(tone(697, 0.2)) == ""
    assert found(tone(1004, 0.5)) == ""


@pytest.mark.parametrize("off", [-0.015, 0.015])
def test_tones_that_are_off_by_what_q24_allows(off):
    for row in DTMF_ROWS:
        for column in DTMF_COLUMNS:
            both = (tone(f * (1 + off), 0.06, level_dbfs=-16) for f in (row, column))
            assert len(found(mixed(*both))) == 1


def test_dial_tones_of_other_kinds_are_no_digits():
    for pair in ((350, 440), (440, 480), (480, 620), (941, 1050), (600, 1209), (2100, 2200)):
        assert found(mixed(*(tone(f, 0.5) for f in pair))) == ""


def test_noise_is_no_digit():
    assert found(mixed(noise(16000, -15))) == ""


@settings(max_examples=30)
@given(st.lists(st.binary(max_size=400), max_size=5))
def test_any_sound_is_taken(pieces):
    detector = DtmfDetector()
    for piece in pieces:
        assert len(detector.push(np.frombuffer(piece[: len(piece) // 2 * 2], np.int16))) <= 1


TEXT = """\
account agent answer appointment balance because before billing card caller change
check computer customer delivery department dollars eight eleven evening everything fifteen five
forty four friday hundred information january listening machine maybe message minutes moment monday
morning nine nineteen number one operator order package payment people person please possible
problem question really remember seven seventeen shipping six something somebody speak sunday
telephone thank there thirteen three today together tomorrow tracking transfer twelve twenty two
understand waiting wednesday whistle window yesterday yes you zero"""


def speech(voice, words, folder):
    """Let a voice of flite say words; 8 kHz, through G.711."""
    path = folder / f"{voice}.wav"
    subprocess.run(["flite", "-voice", voice, "-t", " ".join(words), "-o", path], check=True)
    with wave.open(str(path)) as sound:
        said = np.frombuffer(sound.readframes(sound.getnframes()), np.int16)
        said = resample(said, sound.getframerate(), 8000)
    return G711.decode(G711.encode(said))


@pytest.mark.long
@pytest.mark.skipif(shutil.which("flite") is None, reason="flite is missing: run scripts/setup")
def test_ten_minutes_of_speech_hold_no_digit(tmp_path):
    order, seconds = np.random.default_rng(4), 0.0
    for voice in ("slt", "rms", "awb", "kal16", "kal"):
        said = speech(voice, [str(word) for word in order.choice(TEXT.split(), 350)], tmp_path)
        assert found(said, piece=8000) == "", voice
        seconds += len(said) / 8000
    assert seconds >= 600


@pytest.mark.skipif(shutil.which("flite") is None, reason="flite is missing: run scripts/setup")
def test_some_speech_holds_no_digit_and_digits_are_found_between(tmp_path):
    said = speech("kal", ["please", "hold", "the", "line"], tmp_path)
    assert found(np.concatenate((said, dtmf_pulses("42"), said)), piece=8000) == "42"
