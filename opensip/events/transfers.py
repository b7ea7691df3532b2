"""Callers on their way to a human, and the end of a call."""

from dataclasses import dataclass

from opensip.events.call_event import CallEvent


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
