"""The state of the turn machine: values only."""

from typing import NamedTuple

from opensip.agent.turn_events import PLAIN, Caller, Hearing, Speech


class State(NamedTuple):
    """Both axes, and the times that decide. `quiet_since` is when both were last silent.

    `asked` tells that the agent's words, as far as heard, end a question.
    While `held`, nobody speaks to the agent, however loud the line, and nobody is idle. `text`
    is of the present turn; `pause` the silence that this caller makes inside a turn. `false_pauses`
    counts how often the agent was paused for nothing, of late, `hasty` how often it was made to
    think in a gap of speech that was no pause, on a line whose noise hides soft sounds. `patience`
    scales every silence but the longest: the one setting of how soon the agent answers. A tuple,
    for it is made anew with each 20 ms of a voice.
    """

    caller: Caller = Caller.QUIET
    voice: Speech = Speech.IDLE
    paused: bool = False
    must_be_heard: bool = False
    asked: bool = False
    began: float = 0.0
    voiced_until: float = 0.0
    voiced_seconds: float = 0.0
    speculated: bool = False
    speculations: int = 0
    text: str = ""
    final: bool = False
    over: bool = False
    quiet_since: float = 0.0
    end_silence: float = 0.55
    idle: float = 8.0
    held: bool = False
    hearing: Hearing = PLAIN
    pause: float = 0.3
    false_pauses: int = 0
    hasty: int = 0
    patience: float = 1.0
    committed: float = float("-inf")
    ended: float = float("-inf")
