"""Who speaks when: a pure machine of two axes, the caller's voice and the agent's.

    caller   QUIET -> MAYBE -> SPEAKING <-> PAUSED -> QUIET (the turn has ended)
    agent    IDLE -> THINKING -> SPEAKING -> IDLE, the latter two perhaps `paused`

`step(state, event)` gives the next state and the decisions to carry out, each with its reason;
every event carries its time, in seconds of the loop's clock. Call it again no later than
`deadline(state)`, with Tick.

A turn is committed when the recognizer says that it is over, when a sentence has ended, or after
a silence that is learned from the caller's own pauses; never later than LONGEST_SILENCE. A voice
over the agent's pauses it at once; what is said then decides whether it goes on from there.
"""

from dataclasses import replace

from opensip.agent.backchannels import ends_sentence, words_of
from opensip.agent.turn_due import LONGEST_SILENCE, LONGEST_TURN, MOST_HASTY, due, wants_nothing
from opensip.agent.turn_events import (
    A_KEY,
    AgentIs,
    Caller,
    Decision,
    Decisions,
    Do,
    Event,
    Expecting,
    Frame,
    Hold,
    Key,
    Speech,
    Tick,
    Words,
)
from opensip.agent.turn_state import State
from opensip.audio.frame import Steady

MAYBE_SECONDS = 0.04  # a click is shorter than this
PAUSE_SECONDS = 0.06  # of a voice over the agent's: three frames, so that few noises cost a pause
THINKING_SECONDS = 0.12  # the same while there is nothing to be heard yet
_MORE_SECONDS = 0.03  # for each pause of late that was for nothing, on a line with many noises
_MOST_FALSE = 4
FLOOR_SECONDS = 0.7  # whoever speaks over the agent as long as this wants the floor
GO_ON_SECONDS = 0.4  # the same while the agent has not begun to answer
LISTENING_SECONDS = 1.5  # the same where all that was said is "yeah, okay", or no word came
_TOLD_LATE = 0.2  # seconds after its voice that a word is told, at least
_LEAST_PAUSE = 0.2  # a shorter silence of a caller is none to learn from
_GAP_SECONDS = 0.05  # of a pause in which a run of 60 ms may begin: it ends before anything is due
_CUT_IN = 0.6  # who goes on so soon after a commit was cut in on
_EPSILON = 1e-9


def stays_quiet(state: State, until: float) -> bool:
    """Tell whether no voice until then changes nothing: most of a call, on either side."""
    if state.caller is not Caller.QUIET or state.paused:
        return False
    idles = state.voice is Speech.IDLE and not state.held
    return not idles or until < state.quiet_since + state.idle - _EPSILON


def may_go_on(state: State, now: float, *, alone: bool) -> Steady:
    """Tell what changes nothing while it goes on: its end alone decides anything.

    That is a voice amid the caller's turn, where it is `alone` on the line, or silence while the
    agent thinks or speaks.
    """
    if state.caller is Caller.QUIET and state.voice is not Speech.IDLE and not state.paused:
        return Steady.SILENCE
    return Steady.VOICE if alone and _hears_on(state, now) else Steady.NOTHING


def deadline(state: State) -> float | None:
    """Tell when `step` must next be called with Tick, if no event comes before."""
    found = due(state)
    return found[0] if found else None


def step(state: State, event: Event) -> tuple[State, Decisions]:
    """Take one event."""
    match event:
        case Frame(voiced=True, echo=False) if not state.held:
            return _voiced(state, event)
        case Frame() | Tick():
            return _unvoiced(state, event)
        case Words():
            return _worded(state, event)
        case AgentIs():
            return _agent_is(state, event)
        case Key(at):
            return _keyed(state, at)
        case Hold() | Expecting():
            return _told(state, event)


# ---- what happens


def _voiced(state: State, frame: Frame) -> tuple[State, Decisions]:
    done: Decisions = ()
    if state.caller is Caller.QUIET:
        state, done = _begun(state, frame.at), (Decision(Do.BEGIN),)
    elif state.caller is Caller.PAUSED:
        pause = frame.at - state.voiced_until
        state = _learned(state, pause) if pause >= _LEAST_PAUSE else _hasty(state)
        state, done = _void(state._replace(caller=Caller.SPEAKING), "the caller went on")
        if not state.hearing.live:  # what was recognised early was not all
            state = state._replace(text="", final=False)
    voiced_seconds = state.voiced_seconds + frame.seconds
    state = state._replace(voiced_until=frame.until, voiced_seconds=voiced_seconds)
    if state.caller is Caller.MAYBE and state.voiced_seconds >= MAYBE_SECONDS - _EPSILON:
        state, done = state._replace(caller=Caller.SPEAKING), (*done, Decision(Do.CONFIRM))
    state, weighed = _weighed(state)
    state, passed = _passed(state, frame.until)
    return state, done + weighed + passed


def _unvoiced(state: State, event: Frame | Tick) -> tuple[State, Decisions]:
    if isinstance(event, Frame) and event.echo and state.paused and not state.text:
        return _ignored(state, "an echo of the agent's own voice")
    return _passed(state, event.until)


def _told(state: State, event: Hold | Expecting) -> tuple[State, Decisions]:
    if isinstance(event, Hold):
        state, done = _ignored(state, "hold")
        return state._replace(held=event.on, quiet_since=event.at), done
    known = state.hearing.punctuates and event.hearing.live == state.hearing.live
    hearing = replace(event.hearing, punctuates=event.hearing.punctuates or known)
    return state._replace(end_silence=event.end_silence, idle=event.idle, hearing=hearing), ()


def _weighed(state: State) -> tuple[State, Decisions]:
    """Decide what a voice over the agent's thought or words amounts to so far."""
    if state.voice is Speech.IDLE or state.must_be_heard:
        return state, ()
    done: Decisions = ()
    least = THINKING_SECONDS if state.voice is Speech.THINKING else PAUSE_SECONDS
    least += _MORE_SECONDS * state.false_pauses
    if not state.paused and state.voiced_seconds >= least - _EPSILON:
        state, done = state._replace(paused=True), (Decision(Do.PAUSE_VOICE, "a voice"),)
    if state.paused and state.text and not wants_nothing(state):  # said over what had to be heard
        state, stopped = _stopped(state, "words")
        return state, done + stopped
    floor = GO_ON_SECONDS if state.voice is Speech.THINKING else FLOOR_SECONDS
    if (state.text and wants_nothing(state)) or (state.hearing.live and not state.text):
        floor = LISTENING_SECONDS
    if state.voiced_seconds >= floor - _EPSILON:
        state, stopped = _stopped(state, f"a voice of {floor:g} s")
        done += stopped
    return state, done


def _worded(state: State, words: Words) -> tuple[State, Decisions]:
    if state.held:
        return state, (Decision(Do.FORGET, "hold"),)
    done: Decisions = ()
    if state.caller is Caller.QUIET and words.text:  # too soft for a voice to be noticed
        state = _begun(state, words.at)._replace(caller=Caller.PAUSED, voiced_until=words.at)
        done = (Decision(Do.BEGIN), Decision(Do.CONFIRM))
    elif state.caller is Caller.MAYBE and words.text:
        state, done = state._replace(caller=Caller.SPEAKING), (Decision(Do.CONFIRM),)
    are_new = words_of(words.text) != words_of(state.text)
    if are_new and state.text:
        state, void = _void(_hasty(state), "more words")
        done += void
    if are_new and state.hearing.live and not state.hearing.paced:  # a voice was, just now
        heard = max(state.voiced_until, words.at - _TOLD_LATE)
        state = state._replace(voiced_until=heard)
    knows = words.final and ends_sentence(words.text)
    state = state._replace(
        text=words.text, final=words.final, over=words.over,
        hearing=replace(state.hearing, punctuates=True) if knows else state.hearing,
    )  # fmt: skip
    state, spoken_over = _over_the_agent(state, words)
    state, passed = _passed(state, words.at)
    return state, done + spoken_over + passed


def _over_the_agent(state: State, words: Words) -> tuple[State, Decisions]:
    """Decide what words mean that are said while the agent thinks or speaks."""
    if state.voice is Speech.IDLE or state.must_be_heard or state.caller is Caller.QUIET:
        return state, ()
    if not wants_nothing(state):
        return _stopped(state, "words")
    is_told = words.final and state.caller is Caller.PAUSED and not words.text
    return _ignored(state, "no words") if is_told else (state, ())


def _agent_is(state: State, event: AgentIs) -> tuple[State, Decisions]:
    done: Decisions = ()
    if state.paused and (event.voice is Speech.IDLE or event.must_be_heard):
        why = "this must be heard" if event.must_be_heard else "there is nothing to say"
        done = (Decision(Do.RESUME_VOICE, why),)
        state = state._replace(paused=False)
    if event.voice is not state.voice:
        state = state._replace(quiet_since=event.at)
    return state._replace(
        voice=event.voice, must_be_heard=event.must_be_heard, asked=event.asked
    ), done


def _keyed(state: State, at: float) -> tuple[State, Decisions]:
    forget = (Decision(Do.FORGET, A_KEY),) if state.caller is not Caller.QUIET else ()
    if state.must_be_heard:  # the keys are answered afterwards
        return _quiet(state), forget
    stop = (Decision(Do.STOP_VOICE, A_KEY),) if state.voice is not Speech.IDLE else ()
    state = _quiet(state)._replace(voice=Speech.IDLE, must_be_heard=False, quiet_since=at)
    return state, forget + stop


# ---- what time brings


def _passed(state: State, now: float) -> tuple[State, Decisions]:
    """Let everything happen that is due."""
    if state.caller is Caller.SPEAKING and now > state.voiced_until + _EPSILON and not state.held:
        state = state._replace(caller=Caller.PAUSED)
    done: Decisions = ()
    if _speaks_on(state, now):
        return state, done
    while (found := due(state)) and found[0] <= now + _EPSILON:
        state, more = _happened(state, now, *found[1:])
        done += more
    return state, done


def _speaks_on(state: State, now: float) -> bool:
    """Tell whether a voice is there at this very moment: then nothing can be due."""
    is_long = now >= state.began + LONGEST_TURN - _EPSILON
    speaks = state.caller in (Caller.MAYBE, Caller.SPEAKING) and now <= state.voiced_until
    return speaks and not state.over and not is_long


def _happened(state: State, now: float, do: Do, why: str) -> tuple[State, Decisions]:
    match do:
        case Do.IDLE:
            return state._replace(quiet_since=now), (Decision(do, why),)
        case Do.FORGET:
            return _ignored(state, why)
        case Do.RESUME_VOICE:  # but the turn goes on: its words may still come
            return state._replace(paused=False), (Decision(do, why),)
        case Do.SPECULATE:
            speculations = state.speculations + 1
            state = state._replace(speculated=True, speculations=speculations)
            return state, (Decision(do, why),)
    ended = _quiet(state)._replace(
        quiet_since=now, committed=now, ended=state.voiced_until, hasty=state.hasty // 2
    )
    return ended, (Decision(Do.COMMIT, why),)


def _hears_on(state: State, now: float) -> bool:
    """Tell whether this is amid words, or in the first moment of a pause: nothing is due then."""
    if state.voice is not Speech.IDLE or state.paused or state.speculated or state.held:
        return False
    is_gap = state.caller is Caller.PAUSED and now - state.voiced_until < _GAP_SECONDS
    return state.caller is Caller.SPEAKING or is_gap


# ---- what is decided


def _ignored(state: State, why: str) -> tuple[State, Decisions]:
    """It was nothing that wants an answer: the agent, if it was paused, goes on."""
    done: Decisions = (Decision(Do.FORGET, why),) if state.caller is not Caller.QUIET else ()
    if state.paused:
        done += (Decision(Do.RESUME_VOICE, why),)
        state = state._replace(false_pauses=min(state.false_pauses + 1, _MOST_FALSE))
    return _quiet(state), done


def _stopped(state: State, why: str) -> tuple[State, Decisions]:
    """The caller wants the floor. Who wants it right after a commit was cut in on: learn that."""
    if 0 <= state.began - state.committed <= _CUT_IN:
        state = _learned(state, state.began - state.ended)
    if state.voice is Speech.THINKING:
        why = f"{why} before the answer"
    false = state.false_pauses // 2 if state.paused else state.false_pauses
    state = state._replace(
        voice=Speech.IDLE, paused=False, speculations=0, false_pauses=false
    )  # fmt: skip
    return state, (Decision(Do.STOP_VOICE, why),)


def _void(state: State, why: str) -> tuple[State, Decisions]:
    if not state.speculated:
        return state, ()
    return state._replace(speculated=False), (Decision(Do.RESUME, why),)


def _hasty(state: State) -> State:
    """Learn that speech was not over, if that was supposed."""
    return state._replace(hasty=min(state.hasty + state.speculated, MOST_HASTY))


def _learned(state: State, pause: float) -> State:
    """Learn how long this caller's pauses are."""
    if not _LEAST_PAUSE <= pause <= LONGEST_SILENCE:
        return state
    return state._replace(pause=0.7 * state.pause + 0.3 * pause)


def _begun(state: State, at: float) -> State:
    return _quiet(state)._replace(caller=Caller.MAYBE, began=at, paused=state.paused)


def _quiet(state: State) -> State:
    return state._replace(
        caller=Caller.QUIET, paused=False, speculated=False, speculations=0,
        voiced_seconds=0.0, text="", final=False, over=False,
    )  # fmt: skip
