"""Who calls whom, and what SIP says of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from opensip.events.call_event import CallEvent


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
