import pytest

from opensip.audio.codecs.pcmu import CODEC


def test_every_code_survives_the_round_trip():
    codes = bytes(range(256))
    assert CODEC.encode(CODEC.decode(codes)) == codes


@pytest.mark.parametrize(
    ("code", "sample"),
    [(0x00, -32124), (0x80, 32124), (0x7E, -8), (0xFE, 8), (0x7F, -1), (0xFF, 0)],
)
def test_values_of_g711(code, sample):
    assert CODEC.decode(bytes([code])).tolist() == [sample]


def test_neighbours_in_code_are_neighbours_in_sound():
    positive = sorted(CODEC.decode(bytes(range(128, 256))).tolist())
    assert positive == sorted(-s for s in [*CODEC.decode(bytes(range(127))).tolist(), 0])
    assert len(set(positive)) == 128
