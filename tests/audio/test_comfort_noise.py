import numpy as np
import pytest

from opensip.audio.comfort_noise import LOUDEST, ComfortNoise, amplitude, read_level
from opensip.audio.level import SILENCE_DBFS, dbfs


@pytest.mark.parametrize(
    ("payload", "level"), [(b"\x40", -64.0), (b"\x00", 0.0), (b"\xb2\x10\x20", -50.0), (b"", None)]
)
def test_the_level_of_a_payload(payload, level):
    assert read_level(payload) == level


@pytest.mark.parametrize(("level", "heard"), [(-60.0, -60.0), (-45.0, -45.0), (0.0, LOUDEST)])
def test_noise_is_as_loud_as_told_and_no_louder_than_a_background(level, heard):
    noise = ComfortNoise()
    noise.level_dbfs = level
    assert dbfs(noise.make(8000)) == pytest.approx(heard, abs=0.3)
    assert noise.heard_dbfs == heard
    assert 20 * np.log10(amplitude(level) / 32768) == pytest.approx(heard)


def test_without_a_level_it_is_silence():
    noise = ComfortNoise()
    assert not noise.make(160).any()
    assert noise.heard_dbfs == SILENCE_DBFS
