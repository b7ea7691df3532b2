"""What a transfer strategy is given, what it needs of a leg, and how it ends."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from opensip.call.handoff import Handoff, HeaderList
from opensip.call.leg import Leg, Referrer
from opensip.carriers.trunk import ContextForm

Outcome = Literal["transferred", "refused", "failed", "silent"]


@dataclass(frozen=True, slots=True)
class Transfer:
    """Whom to pass the caller to, and what goes along.

    `target` is a sip:, sips: or tel: URI; `referred_by` our own URI in the dialog; `budget`
    the characters that all context headers together may take; without `refer_to_headers` none
    stands within Refer-To. `call_out` reaches the target by a call of our own, where there is
    somebody who can.
    """

    target: str
    handoff: Handoff
    profile: ContextForm
    referred_by: str
    budget: int
    refer_to_headers: bool = True
    call_out: "CallOut | None" = None


@dataclass(frozen=True, slots=True)
class TransferResult:
    """How it ended. "refused": the peer would not try; "failed": it tried, `sip_status` says
    why not; "silent": it never said. `leg` is that of who answered a call of ours: caller and
    target are still to be joined. `why` is a reason of our own for not trying.
    """

    outcome: Outcome
    sip_status: int | None = None
    leg: Leg | None = None
    why: str = ""

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
            case _, 403 | 603 | 607 | 608 if not self.why:
                return "I am sorry, your call was declined."
        return "I am sorry, the transfer did not work."


class CallOut(Protocol):
    """Calls the target of a transfer as a user agent of our own."""

    async def __call__(
        self, target: str, headers: HeaderList, progressed: Callable[[int], None]
    ) -> Leg:
        """Call, and give the leg once it is answered; `progressed` learns each status.

        Raises OpenSipError where it is not; cancelled, it cancels the call.
        """


class TransferStrategy(Protocol):
    """One way of transferring. It raises nothing: all that can go wrong is a result."""

    @property
    def unfinished(self) -> TransferResult:
        """What it came to where nobody waits for its end, for the caller has gone."""

    def suits(self, leg: Referrer, transfer: Transfer) -> bool:
        """Tell whether the peer says that it can follow, and we can do our part."""

    async def transfer(
        self, leg: Referrer, transfer: Transfer, progressed: Callable[[str, int], None]
    ) -> TransferResult:
        """Carry it out; `progressed` learns each SIP status with the way it came."""
