import pytest

from opensip.agent.turn_clock import TurnClock

STAGES = ("endpointing_ms", "recognizer_ms", "dialogue_ms", "synthesizer_ms", "playout_ms")


def stages(taken):
    return [round(getattr(taken, name), 1) for name in STAGES]


def test_the_stages_add_up():
    clock = TurnClock(1.0, 1.5, "silence", recognized=1.6, token=1.7, worded=1.75)
    taken = clock.taken(2.0, voiced=1.875, first_played=1.9375)
    assert stages(taken) == [500.0, 100.0, 150.0, 125.0, 62.5]
    assert (taken.total_ms, taken.why, taken.supposed) == (937.5, "silence", False)
    assert taken.final_ms == pytest.approx(600)
    assert taken.commit_ms == 500.0
    assert taken.token_ms == pytest.approx(700)
    assert taken.voice_ms == 875.0


def test_what_was_ready_before_the_commit_took_no_time():
    clock = TurnClock(1.0, 1.5, "silence", 1.125, 1.25, 1.25, supposed=True)
    taken = clock.taken(2.0, voiced=1.375, first_played=1.515625)
    assert stages(taken) == [500.0, 0.0, 0.0, 0.0, 15.6]
    assert (taken.final_ms, taken.token_ms, taken.voice_ms) == (125.0, 250.0, 375.0)
    assert taken.supposed


def test_what_never_came_took_no_time():
    taken = TurnClock(1.0).taken(2.0, voiced=1.0, first_played=1.25)
    assert stages(taken) == [0.0, 0.0, 0.0, 0.0, 250.0]
