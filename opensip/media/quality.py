"""What a call sounds like both ways: measured every five seconds, and over the whole call."""

import math
from collections.abc import Callable, Mapping

from opensip.events import MediaQuality
from opensip.rtp.quality import delay_of, opinion, rating

INTERVAL = 5.0  # seconds between two measurements

Counters = Mapping[str, float]


class QualityMeter:
    """Makes of a stream's counts how each direction sounds. Does no I/O.

    "In" is what we hear, by our own counts; "out" is what the peer hears, by its reports, and is
    None as long as it sends none.
    """

    def __init__(self, counts: Callable[[], Counters], *, now: float) -> None:
        self.due_at = now + INTERVAL
        self._counts = counts
        self._before: Counters = {}
        self._worst = {"mos_in_worst": math.inf, "mos_out_worst": math.inf}

    def measure(self, *, now: float) -> MediaQuality | None:
        """Measure the time since the last call; None where nothing came and nothing was told."""
        self.due_at = now + INTERVAL
        counts, before = self._counts(), self._before
        self._before = counts
        loss_in = _loss(counts, before)
        told = _grown(counts, before, "rtcp_received") and "peer_loss" in counts
        loss_out = counts["peer_loss"] if told else None
        if loss_in is None and loss_out is None:
            return None
        mos_in = _opinion(counts, "jitter_ms", loss_in)
        mos_out = _opinion(counts, "peer_jitter_ms", loss_out)
        for name, mos in (("mos_in_worst", mos_in), ("mos_out_worst", mos_out)):
            self._worst[name] = min(self._worst[name], math.inf if mos is None else mos)
        return MediaQuality(
            now,
            loss_in=_percent(loss_in),
            loss_out=_percent(loss_out),
            jitter_in_ms=counts.get("jitter_ms"),
            jitter_out_ms=counts.get("peer_jitter_ms"),
            round_trip_ms=counts.get("round_trip_ms"),
            mos_in=mos_in,
            mos_out=mos_out,
        )

    def whole(self) -> dict[str, float]:
        """Give the counts of the call so far, and how it sounded, by name."""
        counts = self._counts()
        sent = counts.get("sent", 0)
        reported = "peer_lost" in counts and sent > 0
        loss_in = _loss(counts, {})
        loss_out = min(max(counts["peer_lost"], 0.0) / sent, 1.0) if reported else None
        figures = {
            "loss_in": _percent(loss_in),
            "loss_out": _percent(loss_out),
            "mos_in": _opinion(counts, "jitter_ms", loss_in),
            "mos_out": _opinion(counts, "peer_jitter_ms", loss_out),
            **{name: mos for name, mos in self._worst.items() if mos < math.inf},
        }
        known = {name: figure for name, figure in figures.items() if figure is not None}
        return {**counts, **known}


def _grown(counts: Counters, before: Counters, name: str) -> float:
    return counts.get(name, 0) - before.get(name, 0)


def _loss(counts: Counters, before: Counters) -> float | None:
    """Tell the share of packets that never came; None where none came at all."""
    received = _grown(counts, before, "received")
    lost = _grown(counts, before, "lost")
    return lost / (received + lost) if received > 0 else None


def _opinion(counts: Counters, jitter: str, loss: float | None) -> float | None:
    if loss is None:
        return None
    delay = delay_of(counts.get("round_trip_ms", 0.0), counts.get(jitter, 0.0))
    return round(opinion(rating(loss, delay)), 2)


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 2)
