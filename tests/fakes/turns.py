"""Turns of a caller, written as frames, and what is decided of them."""

from opensip.agent.turn_events import (
    Frame,
    Hearing,
    Speech,
)
from opensip.agent.turn_state import State
from opensip.agent.turn_taking import step

LIVE = Hearing(live=True, punctuates=True)
OVER = State(voice=Speech.SPEAKING)  # the caller speaks over the agent
LIVE_OVER = State(voice=Speech.SPEAKING, hearing=LIVE)


def play(state, pattern, *, at=0.0):
    """Feed 20 ms frames: "#" voiced, "." silent; returns the state and (time, what) pairs."""
    done = []
    for sign in pattern:
        state, decisions = step(state, Frame(at, 0.02, sign == "#"))
        at += 0.02
        done += [(round(at, 2), decision.do) for decision in decisions]
    return state, done


def what(done):
    return [do for _, do in done]


def then(state, event):
    """Feed an event; returns the state and what is to be done with the reasons."""
    state, decisions = step(state, event)
    return state, [(decision.do, decision.why) for decision in decisions]
