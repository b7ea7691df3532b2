from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.agent.turn_due import LIVE_SECONDS, LONGEST_SILENCE, LONGEST_TURN, SPECULATE_SECONDS
from opensip.agent.turn_events import (
    AgentIs,
    Caller,
    Do,
    Expecting,
    Frame,
    Hearing,
    Hold,
    Key,
    Speech,
    Tick,
    Words,
)
from opensip.agent.turn_state import State
from opensip.agent.turn_taking import deadline, may_go_on, stays_quiet, step
from opensip.audio.frame import Steady
from tests.fakes.turns import LIVE, OVER, play, then, what


def test_a_turn_begins_is_confirmed_speculated_on_and_committed():
    state, done = play(State(), "#" * 50 + "." * 30)
    assert done == [
        (0.02, Do.BEGIN),
        (0.04, Do.CONFIRM),
        (1.2, Do.SPECULATE),
        (1.56, Do.COMMIT),
    ]
    assert state.caller is Caller.QUIET


def test_a_click_is_forgotten():
    _, done = play(State(), "#" + "." * 30)
    assert what(done) == [Do.BEGIN, Do.FORGET]


def test_going_on_after_a_pause_voids_what_was_speculated():
    _, done = play(State(), "#" * 20 + "." * 15 + "#" * 20 + "." * 30)
    assert what(done) == [
        Do.BEGIN, Do.CONFIRM, Do.SPECULATE, Do.RESUME, Do.SPECULATE, Do.COMMIT,
    ]  # fmt: skip


def test_digits_are_given_more_time_to_end():
    state, _ = step(State(), Expecting(0.8, 8.0))
    _, done = play(state, "#" * 20 + "." * 45)
    assert done[-1] == (1.2, Do.COMMIT)


@pytest.mark.parametrize(
    ("text", "more", "silence"),
    [
        ("where is it?", {}, 0.2),
        ("where is", {}, 1.15),
        ("where is it", {"over": True}, 0.1),
        ("it is four two", {"over": True}, 0.9),
        ("it is 42", {}, 0.9),
    ],
)
def test_what_was_said_decides_how_long_a_silence_is(text, more, silence):
    state, _ = play(State(hearing=LIVE), "#" * 50 + "." * 5)
    state, done = step(state, Words(1.1, text, True, **more))
    if not done:
        _, done = play(state, "." * 60, at=1.1)
        committed = next(at for at, do in done if do is Do.COMMIT)
        assert committed == pytest.approx(1.0 + silence, abs=0.021)
    else:
        assert done[-1].do is Do.COMMIT
        assert silence == 0.1


def test_the_pauses_of_a_caller_are_learned_and_nobody_waits_longer_than_the_cap():
    state, _ = play(State(), "#" * 20)
    for _ in range(20):
        state, done = play(state, "." * 25 + "#" * 20, at=state.voiced_until)
        assert Do.COMMIT not in what(done)
    assert state.pause == pytest.approx(0.5, abs=0.01)
    state, _ = play(state, "." * 30, at=state.voiced_until)
    assert deadline(state) - state.voiced_until == pytest.approx(0.75, abs=0.02)
    patient = State()._replace(patience=9.0)
    state, done = play(patient, "#" * 20 + "." * 70)
    assert done[-1] == (round(0.4 + LONGEST_SILENCE, 2), Do.COMMIT)


def test_who_was_cut_in_on_is_given_longer():
    state, _ = play(State(), "#" * 50 + "." * 28)
    state, _ = step(state, AgentIs(1.56, Speech.THINKING))
    state, done = play(state, "." * 5 + "#" * 25, at=1.56)
    assert done[-1][1] is Do.STOP_VOICE
    assert state.pause > 0.38


def test_more_words_void_what_was_speculated_on_fewer():
    state, _ = play(State(hearing=LIVE), "#" * 50 + "." * 10)
    state, done = then(state, Words(1.2, "where is"))
    assert done == [(Do.SPECULATE, "a pause")]
    assert then(state, Words(1.22, "Where is?", True))[1] == [(Do.COMMIT, "the end of a sentence")]
    state, done = then(state, Words(1.22, "where is my order"))
    assert done == [(Do.RESUME, "more words"), (Do.SPECULATE, "a pause")]


def test_words_that_come_late_of_a_voice_that_was_heard_do_not_make_it_longer():
    paced = Hearing(live=True, paced=True)
    for hearing, ended in ((LIVE, 1.3), (paced, 1.0)):
        state, _ = play(State(hearing=hearing), "#" * 50 + "." * 25)
        state, done = then(state, Words(1.5, "Where is it?", True))
        assert state.voiced_until == pytest.approx(ended)
        assert (Do.COMMIT, "the end of a sentence") in done


@pytest.mark.parametrize(("silence", "second", "hasty"), [(8, 1.42, 1), (20, 1.62, 0)])
def test_gaps_in_the_midst_of_speech_are_waited_out_longer_but_no_pauses(silence, second, hasty):
    state, _ = step(State(hearing=LIVE), Words(0.0, "please"))
    state, done = play(state, "#" * 20 + "." * silence + "#" * 20 + "." * 10, at=0.3)
    assert what(done) == [Do.SPECULATE, Do.RESUME, Do.SPECULATE]
    assert [at for at, do in done if do is Do.SPECULATE] == [0.82, second]
    assert state.hasty == hasty


def test_a_sign_alone_is_no_voice():
    state, _ = step(State(hearing=LIVE, patience=4.0), Words(0.0, "go"))
    state, _ = play(state, "#" * 20 + "." * 10)
    assert step(state, Words(0.7, "Go.", True))[0].voiced_until == state.voiced_until


def test_words_are_a_turn_though_no_voice_was_noticed():
    _, done = then(State(hearing=LIVE), Words(1.0, "hello?", True, True))
    assert [do for do, _ in done] == [Do.BEGIN, Do.CONFIRM, Do.COMMIT]


def test_a_noise_that_holds_no_words_is_no_turn():
    _, done = play(State(hearing=LIVE), "#" * 15 + "." * 70)
    assert done[-1] == (1.5, Do.FORGET)


def test_on_hold_nothing_is_a_turn_and_nobody_is_idle():
    state, done = play(State(), "#" * 20)
    state, forgot = then(state, Hold(0.4, True))
    assert (what(done), forgot) == ([Do.BEGIN, Do.CONFIRM], [(Do.FORGET, "hold")])
    state, done = play(state, ("#" * 100 + "." * 50) * 10, at=0.4)
    assert (done, deadline(state)) == ([], None)
    assert step(state, Tick(60.0)) == (state, ())
    assert then(state, Words(60.0, "la la"))[1] == [(Do.FORGET, "hold")]
    state, nothing = step(state, Hold(60.0, False))
    assert (nothing, deadline(state)) == ((), 68.0)
    _, done = play(state, "#" * 20 + "." * 45, at=60.0)
    assert done[-1][1] is Do.COMMIT


def test_silence_on_both_sides_is_told_again_and_again():
    state, _ = step(OVER._replace(idle=8.0), AgentIs(2.0, Speech.IDLE))
    assert deadline(state) == 10.0
    state, done = step(state, Tick(9.0))
    assert done == ()
    state, done = then(state, Tick(10.0))
    assert done == [(Do.IDLE, "silence of 8 s")]
    assert deadline(state) == 18.0


def test_the_agent_is_not_idle_while_it_thinks():
    state, _ = step(State(), AgentIs(2.0, Speech.THINKING))
    assert deadline(state) is None
    assert step(state, Tick(100.0))[1] == ()


def test_a_turn_ends_by_time_alone_when_the_audio_stops():
    state, _ = play(State(), "#" * 20)
    state, done = then(state, Tick(deadline(state)))
    assert done == [(Do.SPECULATE, "a pause")]
    state, done = then(state, Tick(deadline(state)))
    assert done == [(Do.COMMIT, "silence of 0.55 s")]


def test_a_line_that_is_never_silent_still_gets_an_answer():
    _, done = play(State(), "#" * int(LONGEST_TURN / 0.02 + 1))
    assert Do.COMMIT in what(done)


TEXTS = ("", "mhm", "where is", "Where is it?", "four two", "stop")
events = st.one_of(
    st.builds(Frame, st.just(0.0), st.sampled_from([0.02, 0.1]), st.booleans(), st.booleans()),
    st.builds(Tick, st.just(0.0)),
    st.builds(Words, st.just(0.0), st.sampled_from(TEXTS), st.booleans(), st.booleans()),
    st.builds(AgentIs, st.just(0.0), st.sampled_from(Speech), st.booleans()),
    st.builds(Key, st.just(0.0)),
    st.builds(Hold, st.just(0.0), st.booleans()),
)
hearings = st.builds(Hearing, *[st.booleans()] * 4)


class Account:
    """Keeps what the decisions so far have opened."""

    def __init__(self):
        self.turn = self.speculated = self.paused = False

    def take(self, decision):
        assert decision.why or decision.do in (Do.BEGIN, Do.CONFIRM)
        match decision.do:
            case Do.BEGIN:
                assert not self.turn
                self.turn = True
            case Do.COMMIT | Do.FORGET:
                assert self.turn or decision.why == "hold"
                self.turn = self.speculated = False
            case Do.SPECULATE:
                assert self.turn
                assert not self.speculated
                self.speculated = True
            case Do.RESUME:
                assert self.speculated
                self.speculated = False
            case Do.PAUSE_VOICE | Do.RESUME_VOICE:
                assert self.paused == (decision.do is Do.RESUME_VOICE)
                self.paused = not self.paused
            case Do.STOP_VOICE:
                self.paused = False


@given(st.lists(events, max_size=200), hearings)
def test_any_order_of_events_keeps_turns_whole(found, hearing):
    state, at, account = State(hearing=hearing), 0.0, Account()
    for event in found:
        is_frame = isinstance(event, Frame)
        state, done = step(state, event._replace(at=at) if is_frame else replace(event, at=at))
        at += 0.02
        for decision in done:
            account.take(decision)
        assert account.turn == (state.caller is not Caller.QUIET)
        assert account.paused == state.paused
        assert not (state.paused and state.voice is Speech.IDLE)


def hears_on(state, now):
    return may_go_on(state, now, alone=True) is Steady.VOICE


def test_a_voice_that_goes_on_changes_nothing_amid_a_turn_of_the_caller():
    state, _ = step(State(), Frame(0.0, 0.02, True))
    assert not hears_on(state, 0.02)  # it may be a click
    for n in range(1, 10):
        state, _ = step(state, Frame(n * 0.02, 0.02, True))
    assert hears_on(state, 0.2)
    assert may_go_on(state, 0.2, alone=False) is Steady.NOTHING
    assert step(state, Frame(0.2, 0.06, True)) == (
        state._replace(voiced_until=pytest.approx(0.26), voiced_seconds=pytest.approx(0.26)),
        (),
    )
    for different in (
        {"voice": Speech.SPEAKING}, {"voice": Speech.THINKING}, {"speculated": True},
        {"paused": True}, {"held": True}, {"caller": Caller.QUIET},
    ):  # fmt: skip
        assert not hears_on(state._replace(**different), 0.2)
    state, _ = step(state, Frame(0.2, 0.02, False))
    assert state.caller is Caller.PAUSED
    assert hears_on(state, 0.22)
    assert not hears_on(state, 0.26)
    assert 0.05 + 0.06 < LIVE_SECONDS < SPECULATE_SECONDS  # after it a run ends before what is due


@pytest.mark.parametrize("voice", list(Speech))
def test_silence_that_goes_on_changes_nothing_while_the_agent_has_the_floor(voice):
    state = State(voice=voice)
    silence = Steady.NOTHING if voice is Speech.IDLE else Steady.SILENCE
    assert may_go_on(state, 5.0, alone=False) is silence
    for n in range(100):
        state, done = step(state, Frame(n * 0.02, 0.02, False))
        assert not done
    for different in ({"paused": True}, {"caller": Caller.MAYBE}, {"caller": Caller.PAUSED}):
        other = state._replace(**different)
        assert may_go_on(other, 5.0, alone=True) is Steady.NOTHING


def test_silence_changes_nothing_while_nothing_is_waited_for():
    state = State(idle=8.0)
    assert stays_quiet(state, 7.9)
    assert not stays_quiet(state, 8.0)  # it is asked whether anybody is there
    assert stays_quiet(state._replace(held=True), 99.0)
    assert stays_quiet(OVER, 99.0)
    assert not stays_quiet(OVER._replace(paused=True), 1.0)
    assert not stays_quiet(state._replace(caller=Caller.PAUSED), 1.0)
