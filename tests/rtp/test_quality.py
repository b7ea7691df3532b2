import pytest

from opensip.rtp.quality import delay_of, opinion, rating


@pytest.mark.parametrize(
    ("loss", "delay", "rated", "mos"),
    [
        (0.0, 0, 93.2, 4.41),  # G.107: the best that G.711 can be
        (0.0, 100, 90.8, 4.34),
        (0.0, 177.3, 88.9, 4.31),
        (0.0, 400, 59.1, 3.04),
        (0.01, 20, 89.1, 4.32),
        (0.05, 20, 76.9, 3.90),
        (0.2, 20, 50.6, 2.61),
        (1.0, 20, 16.8, 1.18),
        (1.0, 1000, 0.0, 1.0),
    ],
)
def test_known_ratings(loss, delay, rated, mos):
    assert rating(loss, delay) == pytest.approx(rated, abs=0.1)
    assert opinion(rating(loss, delay)) == pytest.approx(mos, abs=0.02)


def test_an_opinion_stays_within_its_scale():
    assert [opinion(-5), opinion(0), opinion(3), opinion(100), opinion(200)] == [
        1.0, 1.0, 1.0, 4.5, 4.5,
    ]  # fmt: skip
    assert rating(7.0, 0) == rating(1.0, 0)


def test_the_delay_from_mouth_to_ear():
    assert delay_of(80.0, 10.0) == 80.0
