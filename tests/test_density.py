"""The pure pieces of `scripts/bench density`."""

import numpy as np
import pytest

from scripts.benches.density.heard import answers, late, spurts


def test_late_is_what_comes_after_its_place_behind_the_most_punctual_packet():
    came, media = np.array([5.0, 5.021, 5.04, 5.065]), np.array([0.0, 0.02, 0.04, 0.06])
    assert late(came, media) == pytest.approx([0.0, 0.001, 0.0, 0.005])
    assert not len(late(np.empty(0), np.empty(0)))


def test_a_pause_parts_spurts():
    came = np.array([1.0, 1.04, 1.08, 3.0, 3.04])
    assert [came[part].tolist() for part in spurts(came)] == [[1.0, 1.04, 1.08], [3.0, 3.04]]
    assert spurts(np.empty(0)) == []


def test_a_turn_is_answered_when_nearly_all_of_the_answer_comes_in_time():
    whole, half = np.arange(1.4, 5.4, 0.02), np.arange(11.4, 13.4, 0.02)
    loud = np.concatenate([whole, half])
    found = answers([1.0, 11.0], loud, np.full(len(loud), 0.02), within=4.6, answer=4.0)
    assert found.turns == 2
    assert found.waits == [pytest.approx(0.4)]
    late = answers([0.0], loud, np.full(len(loud), 0.02), within=4.6, answer=4.0)
    assert late.waits == []
