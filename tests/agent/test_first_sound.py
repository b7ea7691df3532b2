import pytest

from opensip.agent.first_sound import FirstSound
from opensip.agent.turn_clock import TurnClock


class Sink:
    """Has played what a test says."""

    rate = 100
    at = 0

    def played(self):
        return self.at


def test_a_turn_is_told_once_when_its_first_sample_is_out():
    first, sink = FirstSound(), Sink()
    first.sounded(0.5, 10)  # of no turn
    first.begin(TurnClock(1.0, 1.5, "the service"))
    assert first.played(1.6, sink) is None
    first.sounded(2.0, 50)
    first.sounded(2.1, 90)
    sink.at = 50
    assert first.played(2.2, sink) is None
    sink.at = 60
    taken = first.played(2.5, sink)
    assert taken.total_ms == pytest.approx(1400)  # ten samples before 2.5 s
    assert first.played(2.6, sink) is None


def test_a_turn_that_nobody_waits_for_is_not_timed():
    first, sink = FirstSound(), Sink()
    first.begin(TurnClock(1.0, 1.5, "the service"))
    first.sounded(2.0, 0)
    first.clock, sink.at = None, 10
    assert first.played(2.5, sink) is None
