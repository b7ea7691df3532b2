"""What happens next in a conversation if nobody says a word, when, and why. Pure."""

from opensip.agent.backchannels import ends_sentence, hesitates, is_backchannel, spells
from opensip.agent.turn_events import Caller, Do, Speech
from opensip.agent.turn_state import State

SHORT_SECONDS = 0.22  # "uh" and a cough are shorter; a word that wants the floor is not
SPECULATE_SECONDS = 0.2  # silence after which recognising may begin, behind a closed gate
LIVE_SECONDS = 0.12  # the same where the words are known already
_LATER_SECONDS = 0.03  # for each time of late that this was in the midst of speech
MOST_HASTY = 3
SURE_SECONDS = 0.2  # silence after the end of a sentence
UNFINISHED_SECONDS = 1.15  # silence after words that a recognizer that knows ended no sentence
SPELLED_SECONDS = 0.9  # silence between the groups of a number or of something spelled
LONGEST_SILENCE = 1.2  # nobody is kept waiting longer
LONGEST_TURN = 20.0  # a line that is never silent still gets an answer
MOST_SPECULATIONS = 6  # in one turn: each may cost money
_SHORT_GAP = 0.14  # silence inside a word (stops, weak fricatives)
_OVER_SHORT = 0.15  # silence after which a short sound over the agent is over
_OVER_WORDS = 0.1  # the same after words that want no floor
_NO_WORDS = 0.2  # words come in less than this, where they come by themselves
_UNDECIDED = 1.0  # silence after which the agent goes on, whatever the recognizer still does
_TOO_LATE = 12.5  # a recognizer that takes longer has failed: see the ear's own limit
_WORDLESS = 0.5  # a voice without words as long as this is asked about

Due = tuple[float, Do, str] | None


def due(state: State) -> Due:
    """Tell what happens next if nobody says a word, when, and why."""
    if state.held:
        return None
    match state.caller:
        case Caller.QUIET if state.voice is Speech.IDLE:
            return state.quiet_since + state.idle, Do.IDLE, f"silence of {state.idle:g} s"
        case Caller.QUIET:
            return None
        case Caller.MAYBE:
            return state.voiced_until + _SHORT_GAP, Do.FORGET, "a click"
        case _ if state.voice is Speech.IDLE:
            return _turn_due(state)
    return _sound_due(state)


def _turn_due(state: State) -> Due:
    """A turn of the caller: speculate, then commit."""
    live = state.hearing.live
    wait, why = _end_of_turn(state)
    at = min(state.voiced_until + wait, state.began + LONGEST_TURN)
    if live and not state.text and state.voiced_seconds < _WORDLESS:
        return state.voiced_until + LONGEST_SILENCE, Do.FORGET, "a voice without words"
    soon = live and not state.hearing.ends_turns  # whose word comes as soon as it would pay
    live_seconds = LIVE_SECONDS + _LATER_SECONDS * state.hasty
    early = state.voiced_until + (live_seconds if soon else SPECULATE_SECONDS)
    may = not state.speculated and state.speculations < MOST_SPECULATIONS
    if may and early < at and (state.text or not live):
        return early, Do.SPECULATE, "a pause"
    told_nothing = state.final and not state.text and state.voiced_seconds < SHORT_SECONDS
    return (at, Do.FORGET, "no words") if told_nothing else (at, Do.COMMIT, why)


def _end_of_turn(state: State) -> tuple[float, str]:
    """Tell the silence after which the turn is over, and why."""
    learned = min(LONGEST_SILENCE, max(state.end_silence, 1.3 * state.pause + 0.1))
    scaled = min(LONGEST_SILENCE, learned * state.patience)
    if state.end_silence >= SPELLED_SECONDS - 0.1:
        return scaled, "silence after something spelled"
    if spells(state.text):
        wait = max(scaled, min(LONGEST_SILENCE, SPELLED_SECONDS * state.patience))
        return wait, "silence after something spelled"
    if told := _told_over(state):
        return told
    if state.hearing.ends_turns or (state.hearing.live and not state.text):
        return LONGEST_SILENCE, "silence, and no end was told"
    if state.hearing.punctuates and state.text:
        wait = max(scaled, min(LONGEST_SILENCE, UNFINISHED_SECONDS * state.patience))
        return wait, "silence after an unfinished sentence"
    return scaled, f"silence of {scaled:.2f} s"


def _sound_due(state: State) -> Due:
    """A sound over the agent's thought or words, now past: what was it?"""
    last = state.voiced_until
    if state.voiced_seconds < SHORT_SECONDS and not state.text:
        return last + _OVER_SHORT, Do.FORGET, "a short sound"
    if state.text and wants_nothing(state):
        return last + _OVER_WORDS, Do.FORGET, "words that want no answer"
    if state.must_be_heard or state.text:
        return None  # it is answered afterwards
    if state.hearing.live:
        return last + _NO_WORDS, Do.FORGET, "a voice without words"
    return _unknown_due(state)


def _unknown_due(state: State) -> Due:
    """A voice over the agent's, of which the recognizer tells only when it is asked."""
    last = state.voiced_until
    if not state.speculated:
        return last + _OVER_SHORT, Do.SPECULATE, "a voice over the agent's"
    if state.paused:  # words that come later are still the caller's
        return last + _UNDECIDED, Do.RESUME_VOICE, "nothing was understood in time"
    return last + _TOO_LATE, Do.FORGET, "nothing was understood"


def _told_over(state: State) -> tuple[float, str] | None:
    """Tell how soon a turn is over whose end was told, by the recognizer or by a sign."""
    if state.over:
        return 0.0, "the recognizer's end of turn"
    if state.final and ends_sentence(state.text):
        return min(LONGEST_SILENCE, SURE_SECONDS * state.patience), "the end of a sentence"
    return None


def wants_nothing(state: State) -> bool:
    """Tell whether the words so far want no floor: once the agent thinks or asked, any does."""
    any_does = state.voice is Speech.THINKING or state.asked
    return hesitates(state.text) if any_does else is_backchannel(state.text)
