import numpy as np

from opensip.audio.frame import AudioFrame


def test_length_in_seconds():
    assert AudioFrame(1.0, np.zeros(160, np.int16), 8000, -90.0).seconds == 0.02
