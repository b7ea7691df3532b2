"""A caller who makes a sound while the agent speaks."""

import pytest

from opensip.agent.turn_events import (
    AgentIs,
    Do,
    Frame,
    Key,
    Speech,
    Tick,
    Words,
)
from opensip.agent.turn_state import State
from opensip.agent.turn_taking import step
from tests.fakes.turns import LIVE_OVER, OVER, play, then, what


def test_a_short_sound_pauses_the_voice_and_lets_it_go_on():
    state, done = play(OVER, "#" * 9 + "." * 30)
    assert what(done) == [
        Do.BEGIN, Do.CONFIRM, Do.PAUSE_VOICE, Do.FORGET, Do.RESUME_VOICE,
    ]  # fmt: skip
    assert done[2][0] == 0.06
    assert done[4][0] == pytest.approx(0.34)
    assert state.voice is Speech.SPEAKING


def test_a_voice_that_goes_on_stops_the_agent_and_is_a_turn():
    _, done = play(OVER, "#" * 40 + "." * 30)
    assert dict((do, at) for at, do in done)[Do.PAUSE_VOICE] == 0.06
    assert dict((do, at) for at, do in done)[Do.STOP_VOICE] == pytest.approx(0.7)
    assert done[-1][1] is Do.COMMIT


@pytest.mark.parametrize("text", ["mhm", "Yeah.", "okay right", "uh-huh"])
def test_who_only_listens_does_not_cost_the_answer(text):
    state, done = play(LIVE_OVER, "#" * 20)
    assert done[-1][1] is Do.PAUSE_VOICE
    state, _ = play(state, "." * 4, at=0.4)
    state, done = then(state, Words(0.5, text, True))
    assert done == [
        (Do.FORGET, "words that want no answer"), (Do.RESUME_VOICE, "words that want no answer"),
    ]  # fmt: skip
    assert (state.voice, state.paused, state.text) == (Speech.SPEAKING, False, "")


def test_a_word_that_wants_the_floor_gets_it_at_once():
    state, _ = play(LIVE_OVER, "#" * 12)
    state, done = then(state, Words(0.24, "stop"))
    assert done == [(Do.STOP_VOICE, "words")]
    assert not state.paused


def test_any_word_before_the_answer_belongs_to_the_turn():
    thinking = LIVE_OVER._replace(voice=Speech.THINKING)
    state, _ = play(thinking, "#" * 12)
    assert then(state, Words(0.24, "um"))[1] == []
    assert then(state, Words(0.24, "okay"))[1] == [(Do.STOP_VOICE, "words before the answer")]


def test_a_cough_is_asked_about_where_words_do_not_come_by_themselves():
    state, done = play(OVER, "#" * 20 + "." * 10)
    assert done[-1] == (0.56, Do.SPECULATE)
    quiet, done = then(state, Words(0.7, "", True))
    assert done == [(Do.FORGET, "no words"), (Do.RESUME_VOICE, "no words")]
    assert then(state, Words(0.7, "stop it", True))[1][0] == (Do.STOP_VOICE, "words")
    assert quiet.voice is Speech.SPEAKING


def test_the_agent_speaks_on_in_time_and_late_words_are_a_turn():
    state, done = play(OVER, "#" * 20 + "." * 10)
    state, done = play(state, "." * 60, at=0.6)
    assert done == [(1.4, Do.RESUME_VOICE)]
    _, done = then(state, Words(2.2, "a person", True))
    assert [do for do, _ in done] == [Do.STOP_VOICE, Do.COMMIT]
    late, done = then(state, Words(2.2, "", True))
    assert done == [(Do.FORGET, "no words")]
    assert what(play(late, "." * 700, at=2.2)[1]) == []
    silent, done = then(state, AgentIs(2.0, Speech.IDLE))
    assert what(play(silent, "." * 10, at=2.0)[1]) == [Do.COMMIT]
    _, done = play(state, "." * 700, at=1.8)
    assert done == [(pytest.approx(12.9), Do.FORGET)]


def test_what_must_be_heard_goes_on_and_what_was_said_meanwhile_is_answered_after_it():
    state, _ = step(LIVE_OVER, AgentIs(0.0, Speech.SPEAKING, must_be_heard=True))
    state, done = play(state, "#" * 60 + "." * 40)
    assert what(done) == [Do.BEGIN, Do.CONFIRM]
    state, done = then(state, Words(2.0, "I want a person.", True))
    assert done == []
    state, _ = step(state, AgentIs(3.0, Speech.IDLE))
    assert then(state, Tick(3.0))[1][-1] == (Do.COMMIT, "the end of a sentence")


def test_words_over_what_had_to_be_heard_get_the_floor_with_the_next_sound():
    state, _ = step(LIVE_OVER, AgentIs(0.0, Speech.SPEAKING, must_be_heard=True))
    state, _ = play(state, "#" * 10 + "." * 10)
    state, _ = then(state, Words(0.4, "wait a moment", True))
    state, done = step(state, AgentIs(1.0, Speech.SPEAKING))
    assert done == ()
    state, done = play(state, "#" * 4 + "." * 80, at=1.5)  # a cough, upon which it went silent
    assert what(done)[:2] == [Do.PAUSE_VOICE, Do.STOP_VOICE]
    assert what(done)[-1] is Do.COMMIT
    assert not state.paused


def test_what_must_be_heard_is_paused_no_longer():
    state, _ = play(OVER, "#" * 5)
    assert state.paused
    state, done = then(state, AgentIs(0.1, Speech.SPEAKING, must_be_heard=True))
    assert done == [(Do.RESUME_VOICE, "this must be heard")]


def test_an_echo_of_the_agent_is_no_voice():
    state, done = play(OVER, "#" * 5)
    assert done[-1][1] is Do.PAUSE_VOICE
    state, done = then(state, Frame(0.1, 0.02, True, echo=True))
    assert done[-1] == (Do.RESUME_VOICE, "an echo of the agent's own voice")
    assert then(state, Frame(0.12, 0.02, True, echo=True))[1] == []


def test_a_key_stops_the_voice_at_once():
    assert then(OVER, Key(1.0))[1] == [(Do.STOP_VOICE, "a key")]
    assert step(State(), Key(1.0))[1] == ()


def test_a_key_stops_nothing_that_must_be_heard():
    state, done = step(OVER._replace(must_be_heard=True), Key(1.0))
    assert done == ()
    assert (state.voice, state.must_be_heard) == (Speech.SPEAKING, True)
