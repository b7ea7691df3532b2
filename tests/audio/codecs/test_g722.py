from opensip.audio.codecs.g722 import CODEC


def test_the_clock_says_8000_and_means_16000():
    assert CODEC.format.rtpmap == "G722/8000"
    assert CODEC.format.static_type == 9
    assert CODEC.rate == 16000
    assert CODEC.frame_samples(20) == 320
