import numpy as np

from opensip.audio.codecs.codec import table_codec
from opensip.rtp.payload import PayloadFormat


def test_each_sample_becomes_its_nearest_code_and_the_louder_one_midway():
    codes = np.linspace(-25500, 25500, 256).astype(np.int16)
    codec = table_codec(PayloadFormat("L8", 8000), codes, silence=0)
    samples = np.array([-32768, -25300, -101, -1, 0, 1, 101, 199, 200, 32767], np.int16)
    heard = codec.decode(codec.encode(samples))
    assert heard.tolist() == [-25500, -25300, -100, -100, 100, 100, 100, 100, 300, 25500]
