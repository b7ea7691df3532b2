"""What a transfer strategy is given, what it needs of a leg, and how it ends."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from opensip.call.handoff import Handoff
from opensip.carriers.trunk import ContextForm
from opensip.sip.refer_usage import ReferProgress

Outcome = Literal["transferred", "refused", "failed", "silent"]


@dataclass(frozen=True, slots=True)
class Transfer:
    """Whom to pass the caller to, and what goes along.

    `target` is a sip:, sips: or tel: URI; `referred_by` our own URI in the dialog; `budget`
    the characters that all context headers together may take; without `refer_to_headers` none
    stands within Refer-To.
    """

    target: str
    handoff: Handoff
    profile: ContextForm
    referred_by: str
    budget: int
    refer_to_headers: bool = True


@dataclass(frozen=True, slots=True)
class TransferResult:
    """How it ended. "refused": the peer would not try; "failed": it tried, `sip_status` says
    why not; "silent": it never said.
    """

    outcome: Outcome
    sip_status: int | None = None

    @property
    def words(self) -> str:
        """What the caller is told where it did not come off."""
        match self.outcome, self.sip_status:
            case "silent", _:
                return "I am sorry, I could not find out whether somebody took your call."
            case _, 486 | 600:
                return "I am sorry, the line is busy."
            case _, 408 | 480 | 487:
                return "I am sorry, nobody answered."
            case _, 404 | 410 | 484 | 604:
                return "I am sorry, that number cannot be reached."
            case _, 403 | 603 | 607 | 608:
                return "I am sorry, your call was declined."
        return "I am sorry, the transfer did not work."


class Referrer(Protocol):
    """What a strategy needs of the caller's leg; `peer_allows` holds method names."""

    @property
    def peer_allows(self) -> frozenset[str]:
        """Methods of the peer's Allow header; empty where it had none."""

    def refer(
        self, refer_to: str, headers: Sequence[tuple[str, str]] = (), *, timeout: float = ...
    ) -> AsyncIterator[ReferProgress]:
        """Send a REFER and follow it to its end."""


class TransferStrategy(Protocol):
    """One way of transferring. It raises nothing: all that can go wrong is a result."""

    def suits(self, leg: Referrer) -> bool:
        """Tell whether the peer says that it can follow."""

    async def transfer(
        self, leg: Referrer, transfer: Transfer, progressed: Callable[[str, int], None]
    ) -> TransferResult:
        """Carry it out; `progressed` learns each SIP status with the way it came."""
