import pytest

from opensip.events import MediaQuality
from opensip.media.quality import INTERVAL, QualityMeter


class Counts(dict):
    def __call__(self):
        return dict(self)


def test_nothing_is_told_of_nothing():
    meter = QualityMeter(Counts(), now=1.0)
    assert meter.due_at == 1 + INTERVAL
    assert meter.measure(now=6.0) is None
    assert meter.due_at == 6 + INTERVAL
    assert meter.whole() == {}


def test_each_measurement_is_of_the_time_since_the_last():
    counts = Counts(received=240, lost=10, jitter_ms=4.0)
    meter = QualityMeter(counts, now=0.0)
    first = meter.measure(now=5.0)
    assert (first.loss_in, first.jitter_in_ms, first.mos_in) == (
        4.0,
        4.0,
        pytest.approx(4, abs=0.1),
    )
    assert (first.loss_out, first.mos_out, first.round_trip_ms) == (None, None, None)
    counts |= {"received": 490, "sent": 500, "rtcp_received": 1, "round_trip_ms": 90.0}
    counts |= {"peer_loss": 0.25, "peer_lost": 100, "peer_jitter_ms": 2.0}
    second = meter.measure(now=10.0)
    assert (second.loss_in, second.loss_out, second.round_trip_ms) == (0.0, 25.0, 90.0)
    assert second.mos_in > 4.2
    assert second.mos_out < 2.5
    counts["received"] += 250
    third = meter.measure(now=15.0)  # no report came meanwhile
    assert (third.loss_out, third.mos_out) == (None, None)
    whole = meter.whole()
    assert (whole["loss_in"], whole["loss_out"]) == (1.33, 20.0)
    assert (whole["mos_in_worst"], whole["mos_out_worst"]) == (first.mos_in, second.mos_out)
    assert whole["mos_out"] < whole["mos_in"]


def test_no_loss_in_an_interval_and_a_peer_with_duplicates_lose_nothing():
    counts = Counts(received=100, lost=50)
    meter = QualityMeter(counts, now=0.0)
    meter.measure(now=5.0)
    counts |= {"received": 200, "lost": 50, "peer_lost": -3, "peer_loss": 0.0, "sent": 100}
    assert isinstance(measured := meter.measure(now=10.0), MediaQuality)
    assert measured.loss_in == 0.0
    assert meter.whole()["loss_out"] == 0.0


def test_a_peer_that_claims_more_losses_than_there_were_packets_lost_all():
    counts = Counts(received=100, lost=0, sent=100, peer_lost=0x7FFFFF, peer_loss=1.0)
    assert QualityMeter(counts, now=0.0).whole()["loss_out"] == 100.0
