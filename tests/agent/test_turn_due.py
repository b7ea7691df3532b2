import pytest

from opensip.agent.turn_due import LONGEST_SILENCE, due, wants_nothing
from opensip.agent.turn_events import Caller, Do, Hearing, Speech
from opensip.agent.turn_state import State

PAUSED = State(caller=Caller.PAUSED, voiced_until=1.0, voiced_seconds=1.0, speculated=True)


def test_nothing_is_due_on_hold_or_while_the_agent_is_busy():
    assert due(PAUSED._replace(held=True)) is None
    assert due(State(voice=Speech.THINKING)) is None


def test_whatever_is_said_the_longest_silence_ends_the_turn():
    for text in ("", "where is", "four two", "Where is it?"):
        for hearing in (Hearing(), Hearing(True, True, True), Hearing(True, True)):
            for patience in (0.25, 4.0):
                state = PAUSED._replace(text=text, hearing=hearing, patience=patience)
                at, do, why = due(state)
                assert at <= 1.0 + LONGEST_SILENCE
                assert do is Do.COMMIT
                assert why


@pytest.mark.parametrize(("text", "thinking"), [("mhm", True), ("yeah", False), ("stop", False)])
def test_what_wants_the_floor_depends_on_what_the_agent_does(text, thinking):
    assert wants_nothing(State(voice=Speech.THINKING, text=text)) is thinking
    assert wants_nothing(State(voice=Speech.SPEAKING, text=text)) is (text != "stop")


def test_a_yes_to_a_question_is_an_answer():
    asked = State(voice=Speech.SPEAKING, text="yes", asked=True)
    assert not wants_nothing(asked)
    assert wants_nothing(asked._replace(text="mhm"))
