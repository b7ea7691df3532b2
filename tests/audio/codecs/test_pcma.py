import pytest

from opensip.audio.codecs.pcma import CODEC


def test_every_code_survives_the_round_trip():
    codes = bytes(range(256))
    assert CODEC.encode(CODEC.decode(codes)) == codes


@pytest.mark.parametrize(("code", "sample"), [(0x2A, -32256), (0xAA, 32256), (0x55, -8), (0xD5, 8)])
def test_values_of_g711(code, sample):
    assert CODEC.decode(bytes([code])).tolist() == [sample]


def test_neighbours_in_code_are_neighbours_in_sound():
    positive = sorted(CODEC.decode(bytes(range(128, 256))).tolist())
    assert positive == sorted(-s for s in CODEC.decode(bytes(range(128))).tolist())
    assert len(set(positive)) == 128
