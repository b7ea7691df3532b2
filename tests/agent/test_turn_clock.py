from opensip.agent.turn_clock import TurnClock
from opensip.events import TurnTaken


def test_the_parts_add_up():
    clock = TurnClock(voiced_until=1.0, decided=1.5, recognized=1.6, worded=1.75)
    clock.said(1.875, 400)
    clock.said(3.0, 900)  # only the first words count
    taken = clock.taken(2.0, 1.9375)
    assert taken == TurnTaken(
        2.0,
        endpointing_ms=500.0,
        recognizer_ms=taken.recognizer_ms,
        dialogue_ms=taken.dialogue_ms,
        synthesizer_ms=125.0,
        playout_ms=62.5,
        total_ms=937.5,
    )
    assert round(taken.recognizer_ms) == 100
    assert round(taken.dialogue_ms) == 150
