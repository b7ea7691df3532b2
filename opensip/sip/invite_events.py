"""States of an INVITE usage, and what it tells its user."""

import enum
from dataclasses import dataclass

from opensip.sip.message import Request, Response
from opensip.sip.transaction import TransactionKey


class State(enum.Enum):
    """EARLY is of the callee alone. ENDING: our BYE waits for its answer."""

    EARLY = enum.auto()
    ESTABLISHED = enum.auto()
    ENDING = enum.auto()
    ENDED = enum.auto()


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The ACK of our 2xx came. `answer` is its body if our 2xx made an offer (`offered`).

    An empty answer to an offer means that there is no session: end it.
    """

    answer: bytes
    offered: bool


@dataclass(frozen=True, slots=True)
class ReinviteReceived:
    """The peer changes or refreshes the session: `answer` or `reject` it.

    An empty offer asks us to make one.
    """

    request: Request
    offer: bytes


@dataclass(frozen=True, slots=True)
class ReinviteCancelled:
    """The peer gave its re-INVITE up; the session stays as it was."""


@dataclass(frozen=True, slots=True)
class Reinvited:
    """Our re-INVITE was accepted. `body` answers our offer.

    If we made none, it is the peer's offer, and the ACK waits for `acknowledge(answer)`.
    """

    response: Response
    body: bytes


@dataclass(frozen=True, slots=True)
class ReinviteRefused:
    """Our re-INVITE was refused; the session stays as it was."""

    response: Response


@dataclass(frozen=True, slots=True)
class OfferReceived:
    """The peer changes the session by UPDATE or PRACK: `answer_offer` or `refuse_offer`."""

    request: Request
    offer: bytes


@dataclass(frozen=True, slots=True)
class EarlyAnswered:
    """A PRACK answered the offer of our provisional response; empty: there is no session."""

    answer: bytes


@dataclass(frozen=True, slots=True)
class Updated:
    """Our UPDATE, which had an offer, was accepted; `body` answers it."""

    response: Response
    body: bytes
    offered: bool = True


@dataclass(frozen=True, slots=True)
class UpdateRefused:
    """Our UPDATE, which had an offer, was refused; the session stays as it was."""

    response: Response
    offered: bool = True


@dataclass(frozen=True, slots=True)
class UpdateDue:
    """What was in the way of an UPDATE is over: call `update` with a fresh offer."""


@dataclass(frozen=True, slots=True)
class ReinviteDue:
    """Call `reinvite` with a fresh offer: what was in its way is over, or a refresh is due."""


@dataclass(frozen=True, slots=True)
class RequestReceived:
    """A request within the dialog that is not of this usage (INFO, REFER, NOTIFY, OPTIONS…)."""

    key: TransactionKey
    request: Request


@dataclass(frozen=True, slots=True)
class Ended:
    """The session is over, once. `by` is "remote", "local" or "lost".

    `request` is the peer's BYE or CANCEL; `status` what an INVITE was refused with.
    """

    by: str
    cause: str
    status: int | None = None
    request: Request | None = None


Event = (
    Acknowledged
    | ReinviteReceived
    | ReinviteCancelled
    | Reinvited
    | ReinviteRefused
    | ReinviteDue
    | OfferReceived
    | EarlyAnswered
    | Updated
    | UpdateRefused
    | UpdateDue
    | RequestReceived
    | Ended
)
