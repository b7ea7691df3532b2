"""What happens in a call, as frozen values on one monotonic time axis.

Whoever sees something notes it with an `Observer`; journal, metrics and traces subscribe.
`at` is in seconds of the event loop's monotonic clock; durations say their unit.
"""

from opensip.events.call_event import (
    CallEvent,
    Observer,
    Silent,
)
from opensip.events.conversation import (
    AgentSaid,
    BargedIn,
    CallerSaid,
    Escalated,
    FillerSaid,
    ModelAnswered,
    OutcomeNoted,
    ProviderFailed,
    SpeechEnded,
    SpeechStarted,
    ToolCalled,
    TurnTaken,
)
from opensip.events.media import (
    Dtmf,
    KeysPressed,
    MediaJoined,
    MediaNegotiated,
    MediaSourceChanged,
    MediaStatistics,
    MediaTimedOut,
    RecordingErased,
    RecordingPacked,
    RecordingPaused,
    RecordingResumed,
    RecordingStarted,
    RecordingStopped,
)
from opensip.events.signalling import (
    CallAnswered,
    CallEnded,
    CallStarted,
    HeaderContext,
    Held,
    IdentityChecked,
    SipReceived,
    SipSent,
)
from opensip.events.transfers import (
    Fault,
    TransferEnded,
    TransferProgress,
    TransferStarted,
)

__all__ = [
    "AgentSaid",
    "BargedIn",
    "CallAnswered",
    "CallEnded",
    "CallEvent",
    "CallStarted",
    "CallerSaid",
    "Dtmf",
    "Escalated",
    "Fault",
    "FillerSaid",
    "HeaderContext",
    "Held",
    "IdentityChecked",
    "KeysPressed",
    "MediaJoined",
    "MediaNegotiated",
    "MediaSourceChanged",
    "MediaStatistics",
    "MediaTimedOut",
    "ModelAnswered",
    "Observer",
    "OutcomeNoted",
    "ProviderFailed",
    "RecordingErased",
    "RecordingPacked",
    "RecordingPaused",
    "RecordingResumed",
    "RecordingStarted",
    "RecordingStopped",
    "Silent",
    "SipReceived",
    "SipSent",
    "SpeechEnded",
    "SpeechStarted",
    "ToolCalled",
    "TransferEnded",
    "TransferProgress",
    "TransferStarted",
    "TurnTaken",
]
