"""What happens in a call, as frozen values on one monotonic time axis.

Whoever sees something notes it with an `Observer`; journal, metrics and traces subscribe.
`at` is in seconds of the event loop's monotonic clock; durations say their unit.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class CallEvent:
    """Something that happened in a call at the monotonic time `at`, in seconds."""

    at: float

    @property
    def kind(self) -> str:
        """Name of the event in journals: the class name in snake case."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()


class Observer(Protocol):
    """Takes note of what happened; must not block and must not raise."""

    def note(self, event: CallEvent) -> None:
        """Take note of `event`."""


class Silent:
    """An observer that takes no note."""

    def note(self, event: CallEvent) -> None:
        """Let the event go by."""


# ---- signalling


@dataclass(frozen=True, slots=True)
class SipSent(CallEvent):
    """A SIP message left: credentials and keys are masked in `text`."""

    transport: str
    local: str
    remote: str
    text: str


@dataclass(frozen=True, slots=True)
class SipReceived(CallEvent):
    """A SIP message came: credentials and keys are masked in `text`."""

    transport: str
    local: str
    remote: str
    text: str


@dataclass(frozen=True, slots=True)
class CallStarted(CallEvent):
    """An INVITE was admitted (inbound) or is about to leave (outbound)."""

    direction: str  # "inbound" | "outbound"
    trunk: str
    agent: str
    caller: str
    called: str
    sip_call_id: str
    source: str
    number: Mapping[str, Any] = field(default_factory=dict)  # what the plan tells of `caller`


@dataclass(frozen=True, slots=True)
class CallAnswered(CallEvent):
    """The 200 OK was sent, or came."""


@dataclass(frozen=True, slots=True)
class CallEnded(CallEvent):
    """The call is over. `side` is "caller", "agent", "us" or "lost"."""

    side: str
    cause: str
    sip_status: int | None = None


@dataclass(frozen=True, slots=True)
class HeaderContext(CallEvent):
    """What a trusted trunk told us in User-to-User, Diversion and configured X- headers."""

    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class IdentityChecked(CallEvent):
    """The caller's Identity was verified (RFC 8224): "passed", "failed", "unchecked", "missing".

    `sip_status` is that of RFC 8224 section 6.2.2, 0 where it passed; `certificate` a URL.
    """

    outcome: str
    sip_status: int
    why: str
    attestation: str
    origination_id: str
    certificate: str
    duration_ms: float


@dataclass(frozen=True, slots=True)
class Held(CallEvent):
    """The peer put us on hold (`on`) or took us back."""

    on: bool


# ---- media


@dataclass(frozen=True, slots=True)
class MediaNegotiated(CallEvent):
    """Offer and answer fit: what is spoken with whom. `suite` is "" for plain RTP."""

    codec: str
    suite: str
    local: str
    remote: str


@dataclass(frozen=True, slots=True)
class MediaSourceChanged(CallEvent):
    """The stream latched to another source address."""

    remote: str


@dataclass(frozen=True, slots=True)
class MediaTimedOut(CallEvent):
    """No RTP for `seconds`. `phase` is "first" before any packet came, else "silence"."""

    phase: str
    seconds: float


@dataclass(frozen=True, slots=True)
class MediaStatistics(CallEvent):
    """Counts of a stream so far, both ways."""

    counters: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Dtmf(CallEvent):
    """One digit, once, whatever the way it came. `digit` is one of 0-9, *, #, A-D."""

    digit: str
    duration_ms: int
    way: str  # "rfc4733" | "info" | "inband"


@dataclass(frozen=True, slots=True)
class KeysPressed(CallEvent):
    """We sent `digits`; `error` says why where the peer took them not."""

    digits: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class RecordingStarted(CallEvent):
    """The recording is being written to `path`."""

    path: str


@dataclass(frozen=True, slots=True)
class RecordingStopped(CallEvent):
    """The recording ended; `error` says why where it had to stop early."""

    path: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class RecordingPaused(CallEvent):
    """From here on silence stands in the recording; words and digits are kept out of the books."""


@dataclass(frozen=True, slots=True)
class RecordingResumed(CallEvent):
    """What is heard and said is recorded again."""


@dataclass(frozen=True, slots=True)
class RecordingPacked(CallEvent):
    """After the call the recording was put into a smaller form; it is now at `path`."""

    path: str


@dataclass(frozen=True, slots=True)
class RecordingErased(CallEvent):
    """After the call its recording was erased, and its key."""


# ---- conversation


@dataclass(frozen=True, slots=True)
class SpeechStarted(CallEvent):
    """The caller began to speak."""


@dataclass(frozen=True, slots=True)
class SpeechEnded(CallEvent):
    """The caller's last voiced audio was at `voiced_until`."""

    voiced_until: float


@dataclass(frozen=True, slots=True)
class CallerSaid(CallEvent):
    """What was understood of one turn of the caller.

    `intent` is of this turn alone; `wish` what the caller wants by all that was said so far.
    """

    text: str
    confidence: float
    intent: str = ""
    slots: Mapping[str, str] | None = None
    way: str = "voice"  # "voice" | "dtmf"
    wish: str = ""


@dataclass(frozen=True, slots=True)
class AgentSaid(CallEvent):
    """What the agent said: `text` as meant, `heard` as far as it was played."""

    text: str
    heard: str
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class BargedIn(CallEvent):
    """The caller spoke over the agent, whose voice was stopped `stopped_ms` later."""

    stopped_ms: float


@dataclass(frozen=True, slots=True)
class TurnTaken(CallEvent):
    """Where the time of one answer went, in milliseconds from the caller's last voiced audio."""

    endpointing_ms: float
    recognizer_ms: float
    dialogue_ms: float
    synthesizer_ms: float
    playout_ms: float
    total_ms: float


@dataclass(frozen=True, slots=True)
class ProviderFailed(CallEvent):
    """A provider failed at `stage` ("recognizer", "dialogue", "synthesizer")."""

    stage: str
    provider: str
    error: str


@dataclass(frozen=True, slots=True)
class ToolCalled(CallEvent):
    """A tool ran, with what it was given and what it gave."""

    name: str
    arguments: Mapping[str, Any]
    result: Any
    duration_ms: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class ModelAnswered(CallEvent):
    """A model answered, under the version `prompt` of its instructions, for so many tokens."""

    provider: str
    model: str
    prompt: str
    tokens_in: int
    tokens_out: int


@dataclass(frozen=True, slots=True)
class OutcomeNoted(CallEvent):
    """What came of the call, in the agent's view."""

    outcome: str
    details: str


@dataclass(frozen=True, slots=True)
class FillerSaid(CallEvent):
    """Something was said to bridge a wait of `waited_ms`; it is no answer."""

    text: str
    waited_ms: float


@dataclass(frozen=True, slots=True)
class Escalated(CallEvent):
    """The agent asks for a human."""

    target: str
    intent: str
    confidence: float
    why: str


# ---- hand-over


@dataclass(frozen=True, slots=True)
class TransferStarted(CallEvent):
    """A transfer strategy was begun."""

    strategy: str
    target: str


@dataclass(frozen=True, slots=True)
class TransferProgress(CallEvent):
    """A SIP status of the transfer: of the REFER itself ("refer") or of a NOTIFY ("notify")."""

    way: str
    sip_status: int


@dataclass(frozen=True, slots=True)
class TransferEnded(CallEvent):
    """The transfer ended: "transferred", "refused", "failed" or "silent"."""

    strategy: str
    outcome: str
    sip_status: int | None


@dataclass(frozen=True, slots=True)
class Fault(CallEvent):
    """Something of ours or of a user's failed, and the call went on."""

    where: str
    error: str
