"""Who speaks when: a pure machine of two axes, the caller's voice and the agent's.

    caller   QUIET -> MAYBE -> SPEAKING <-> PAUSED -> QUIET (the turn has ended)
    agent    IDLE -> THINKING -> SPEAKING -> IDLE

`step(state, event)` gives the next state and the commands to carry out; every event carries its
time, in seconds of the loop's clock. Call it again no later than `state.deadline()`, with Tick.
"""

import enum
from dataclasses import dataclass, replace

MAYBE_SECONDS = 0.04  # a click is shorter than this
BARGE_IN_SECONDS = 0.22  # "uh" and a cough are shorter; a word that wants the floor is not
SPECULATE_SECONDS = 0.2  # silence after which recognising may begin, behind a closed gate
LONGEST_TURN = 20.0  # a line that is never silent still gets an answer
_SHORT_GAP = 0.14  # silence inside a word (stops, weak fricatives)


class Caller(enum.Enum):
    """What the caller does."""

    QUIET = enum.auto()
    MAYBE = enum.auto()
    SPEAKING = enum.auto()
    PAUSED = enum.auto()


class Speech(enum.Enum):
    """What the agent does."""

    IDLE = enum.auto()
    THINKING = enum.auto()
    SPEAKING = enum.auto()


# ---- events


@dataclass(frozen=True, slots=True)
class Frame:
    """A stretch of audio that began at `at` and lasted `seconds`."""

    at: float
    seconds: float
    voiced: bool

    @property
    def until(self) -> float:
        """When it ended."""
        return self.at + self.seconds


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed, perhaps without audio."""

    at: float

    @property
    def until(self) -> float:
        """When it is."""
        return self.at


@dataclass(frozen=True, slots=True)
class AgentIs:
    """The agent began to think or to speak, or fell silent."""

    at: float
    voice: Speech


@dataclass(frozen=True, slots=True)
class Key:
    """The caller pressed a key."""

    at: float


@dataclass(frozen=True, slots=True)
class Hold:
    """The caller put the agent on hold (`on`), or took it back."""

    at: float
    on: bool


@dataclass(frozen=True, slots=True)
class Expecting:
    """What comes next ends after this much silence; idle callers are asked after `idle`."""

    end_silence: float
    idle: float


Event = Frame | Tick | AgentIs | Key | Hold | Expecting


# ---- commands


class Do(enum.Enum):
    """What is to be done now."""

    BEGIN = enum.auto()  # speech may have begun: keep its audio, from a little before
    FORGET = enum.auto()  # it was nothing: let the audio go
    CONFIRM = enum.auto()  # it is speech
    SPECULATE = enum.auto()  # recognise what there is; the turn may be over
    RESUME = enum.auto()  # the caller went on: what was speculated is void
    END = enum.auto()  # the turn is over: answer it
    STOP_VOICE = enum.auto()  # the caller wants the floor
    IDLE = enum.auto()  # nobody has said anything for a long time


@dataclass(frozen=True, slots=True)
class State:
    """Both axes, and the times that decide. `quiet_since` is when both were last silent.

    While `held`, nobody speaks to the agent, however loud the line, and nobody is idle.
    """

    caller: Caller = Caller.QUIET
    voice: Speech = Speech.IDLE
    began: float = 0.0
    voiced_until: float = 0.0
    voiced_seconds: float = 0.0
    speculated: bool = False
    quiet_since: float = 0.0
    end_silence: float = 0.55
    idle: float = 8.0
    held: bool = False

    def deadline(self) -> float | None:
        """Tell when `step` must next be called with Tick, if no event comes before."""
        if self.held:
            return None
        match self.caller:
            case Caller.MAYBE:
                return self.voiced_until + _SHORT_GAP
            case Caller.SPEAKING | Caller.PAUSED if self._confirmed():
                wait = self.end_silence if self.speculated else SPECULATE_SECONDS
                return min(self.voiced_until + wait, self.began + LONGEST_TURN)
            case Caller.SPEAKING | Caller.PAUSED:
                return self.voiced_until + SPECULATE_SECONDS
            case Caller.QUIET if self.voice is Speech.IDLE:
                return self.quiet_since + self.idle
        return None

    def _confirmed(self) -> bool:
        """Speech over the agent's thought or voice counts once it was long enough to stop it."""
        return self.voice is Speech.IDLE


def step(state: State, event: Event) -> tuple[State, tuple[Do, ...]]:
    """Take one event."""
    match event:
        case Frame(voiced=True) if not state.held:
            return _voiced(state, event)
        case Frame() | Tick():
            return _passed(state, event.until)
        case AgentIs(at, voice):
            return replace(state, voice=voice, quiet_since=at), ()
        case Key(at):
            return _keyed(state, at)
        case Hold(at, on):
            return _hold(state, at, on)
        case Expecting(end_silence, idle):
            return replace(state, end_silence=end_silence, idle=idle), ()


def _keyed(state: State, at: float) -> tuple[State, tuple[Do, ...]]:
    forget = (Do.FORGET,) if state.caller is not Caller.QUIET else ()
    stop = (Do.STOP_VOICE,) if state.voice is not Speech.IDLE else ()
    state = replace(state, caller=Caller.QUIET, voice=Speech.IDLE, quiet_since=at)
    return state, forget + stop


def _hold(state: State, at: float, on: bool) -> tuple[State, tuple[Do, ...]]:
    forget = (Do.FORGET,) if state.caller is not Caller.QUIET else ()
    return replace(state, held=on, caller=Caller.QUIET, speculated=False, quiet_since=at), forget


def _voiced(state: State, frame: Frame) -> tuple[State, tuple[Do, ...]]:
    until = frame.until
    if state.caller is Caller.QUIET:
        state = replace(state, caller=Caller.MAYBE, began=frame.at, voiced_until=until,
                        voiced_seconds=frame.seconds, speculated=False)  # fmt: skip
        state, more = _weigh(state)
        return state, (Do.BEGIN, *more)
    resumed = (Do.RESUME,) if state.speculated else ()
    state = replace(
        state,
        caller=Caller.SPEAKING if state.caller is Caller.PAUSED else state.caller,
        voiced_until=until,
        voiced_seconds=state.voiced_seconds + frame.seconds,
        speculated=False,
    )
    state, more = _weigh(state)
    if state.caller is Caller.SPEAKING and until - state.began >= LONGEST_TURN:
        state, ended = _end(state, until)
        more += ended
    return state, resumed + more


def _weigh(state: State) -> tuple[State, tuple[Do, ...]]:
    """Decide what the voice so far amounts to: speech, and perhaps an interruption."""
    done: tuple[Do, ...] = ()
    if state.caller is Caller.MAYBE and state.voiced_seconds >= MAYBE_SECONDS - 1e-9:
        state, done = replace(state, caller=Caller.SPEAKING), (Do.CONFIRM,)
    wants_floor = state.voiced_seconds >= BARGE_IN_SECONDS - 1e-9
    if state.voice is not Speech.IDLE and wants_floor:
        state, done = replace(state, voice=Speech.IDLE), (*done, Do.STOP_VOICE)
    return state, done


def _passed(state: State, now: float) -> tuple[State, tuple[Do, ...]]:
    if state.held:
        return state, ()
    silence = now - state.voiced_until + 1e-9
    match state.caller:
        case Caller.MAYBE if silence >= _SHORT_GAP:
            return replace(state, caller=Caller.QUIET), (Do.FORGET,)
        case Caller.QUIET if state.voice is Speech.IDLE and now - state.quiet_since >= state.idle:
            return replace(state, quiet_since=now), (Do.IDLE,)
        case Caller.SPEAKING | Caller.PAUSED:
            return _silent(state, now, silence)
    return state, ()


def _silent(state: State, now: float, silence: float) -> tuple[State, tuple[Do, ...]]:
    """The caller has been silent for so many seconds after speech."""
    if state.voice is not Speech.IDLE:  # too short to stop the agent: it wanted nothing
        over = silence >= SPECULATE_SECONDS
        caller = Caller.QUIET if over else Caller.PAUSED
        return replace(state, caller=caller), (Do.FORGET,) if over else ()
    if silence >= state.end_silence:
        return _end(state, now)
    speculate = silence >= SPECULATE_SECONDS and not state.speculated
    state = replace(state, caller=Caller.PAUSED, speculated=state.speculated or speculate)
    return state, (Do.SPECULATE,) if speculate else ()


def _end(state: State, now: float) -> tuple[State, tuple[Do, ...]]:
    state = replace(state, caller=Caller.QUIET, speculated=False, quiet_since=now)
    return state, (Do.END,)
