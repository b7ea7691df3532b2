from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from opensip.agent.turn_taking import (
    BARGE_IN_SECONDS,
    LONGEST_TURN,
    AgentIs,
    Caller,
    Do,
    Expecting,
    Frame,
    Hold,
    Key,
    Speech,
    State,
    Tick,
    step,
)


def play(state, pattern, *, at=0.0):
    """Feed 20 ms frames: "#" voiced, "." silent; returns the state and (time, command) pairs."""
    done = []
    for sign in pattern:
        state, commands = step(state, Frame(at, 0.02, sign == "#"))
        at += 0.02
        done += [(round(at, 2), command) for command in commands]
    return state, done


def commands(done):
    return [command for _, command in done]


def test_a_turn_begins_is_confirmed_speculated_on_and_ends():
    state, done = play(State(), "#" * 50 + "." * 30)
    assert done == [
        (0.02, Do.BEGIN),
        (0.04, Do.CONFIRM),
        (1.2, Do.SPECULATE),
        (1.56, Do.END),
    ]
    assert state.caller is Caller.QUIET


def test_a_click_is_forgotten():
    _, done = play(State(), "#" + "." * 30)
    assert commands(done) == [Do.BEGIN, Do.FORGET]


def test_going_on_after_a_pause_voids_what_was_speculated():
    _, done = play(State(), "#" * 20 + "." * 15 + "#" * 20 + "." * 30)
    assert commands(done) == [
        Do.BEGIN, Do.CONFIRM, Do.SPECULATE, Do.RESUME, Do.SPECULATE, Do.END,
    ]  # fmt: skip


def test_digits_are_given_more_time_to_end():
    state, _ = step(State(), Expecting(0.8, 8.0))
    _, done = play(state, "#" * 20 + "." * 45)
    assert done[-1] == (1.2, Do.END)


def test_a_short_sound_does_not_stop_the_voice():
    state, _ = step(State(), AgentIs(0.0, Speech.SPEAKING))
    state, done = play(state, "#" * 9 + "." * 30)
    assert commands(done) == [Do.BEGIN, Do.CONFIRM, Do.FORGET]
    assert state.voice is Speech.SPEAKING


def test_a_voice_that_goes_on_stops_the_agent_and_is_a_turn():
    state, _ = step(State(), AgentIs(0.0, Speech.SPEAKING))
    _, done = play(state, "#" * 40 + "." * 30)
    stopped = next(at for at, command in done if command is Do.STOP_VOICE)
    assert BARGE_IN_SECONDS <= stopped <= 0.25
    assert done[-1][1] is Do.END


def test_on_hold_nothing_is_a_turn_and_nobody_is_idle():
    state, done = play(State(), "#" * 20)
    state, forgot = step(state, Hold(0.4, True))
    assert (commands(done), forgot) == ([Do.BEGIN, Do.CONFIRM], (Do.FORGET,))
    state, done = play(state, ("#" * 100 + "." * 50) * 10, at=0.4)
    assert (done, state.deadline()) == ([], None)
    assert step(state, Tick(60.0)) == (state, ())
    state, nothing = step(state, Hold(60.0, False))
    assert (nothing, state.deadline()) == ((), 68.0)
    _, done = play(state, "#" * 20 + "." * 45, at=60.0)
    assert done[-1][1] is Do.END


def test_a_key_stops_the_voice_at_once():
    state, _ = step(State(), AgentIs(0.0, Speech.SPEAKING))
    assert step(state, Key(1.0))[1] == (Do.STOP_VOICE,)
    assert step(State(), Key(1.0))[1] == ()


def test_silence_on_both_sides_is_told_again_and_again():
    state, _ = step(State(idle=8.0), AgentIs(2.0, Speech.IDLE))
    assert state.deadline() == 10.0
    state, done = step(state, Tick(9.0))
    assert done == ()
    state, done = step(state, Tick(10.0))
    assert done == (Do.IDLE,)
    assert state.deadline() == 18.0


def test_the_agent_is_not_idle_while_it_thinks():
    state, _ = step(State(), AgentIs(2.0, Speech.THINKING))
    assert state.deadline() is None
    assert step(state, Tick(100.0))[1] == ()


def test_a_turn_ends_by_time_alone_when_the_audio_stops():
    state, _ = play(State(), "#" * 20)
    state, done = step(state, Tick(state.deadline()))
    assert done == (Do.SPECULATE,)
    state, done = step(state, Tick(state.deadline()))
    assert done == (Do.END,)


def test_a_line_that_is_never_silent_still_gets_an_answer():
    _, done = play(State(), "#" * int(LONGEST_TURN / 0.02 + 1))
    assert Do.END in commands(done)


events = st.one_of(
    st.builds(Frame, st.just(0.0), st.sampled_from([0.02, 0.1]), st.booleans()),
    st.builds(Tick, st.just(0.0)),
    st.builds(AgentIs, st.just(0.0), st.sampled_from(Speech)),
    st.builds(Key, st.just(0.0)),
)


@given(st.lists(events, max_size=200))
def test_any_order_of_events_keeps_turns_whole(found):
    state, at, open_turn, speculated = State(), 0.0, False, False
    for event in found:
        state, done = step(state, replace(event, at=at))
        at += 0.02
        for command in done:
            match command:
                case Do.BEGIN:
                    assert not open_turn
                    open_turn, speculated = True, False
                case Do.END | Do.FORGET:
                    assert open_turn
                    open_turn = False
                case Do.SPECULATE:
                    assert open_turn
                    assert not speculated
                    speculated = True
                case Do.RESUME:
                    assert speculated
                    speculated = False
        assert open_turn == (state.caller is not Caller.QUIET)
