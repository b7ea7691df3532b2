"""Transactions of RFC 3261 section 17: their keys, and what the layer tells its user."""

from dataclasses import dataclass
from typing import NamedTuple

from opensip.sip.flow import Flow
from opensip.sip.message import Request, Response


class TransactionKey(NamedTuple):
    """Identity of a transaction (RFC 3261 sections 17.1.3 and 17.2.3).

    A server transaction's key holds the sent-by of the peer's Via, a client's holds "".
    """

    side: str  # "server" | "client"
    branch: str
    method: str
    sent_by: str = ""


@dataclass(frozen=True, slots=True)
class RequestReceived:
    """A new request: answer it with `respond(key, …)`, or let it go with `forget(key)`."""

    key: TransactionKey
    request: Request
    flow: Flow


@dataclass(frozen=True, slots=True)
class AckReceived:
    """An ACK for a 2xx: it belongs to the dialog, and may carry the answer to our offer."""

    request: Request
    flow: Flow


@dataclass(frozen=True, slots=True)
class CancelReceived:
    """The peer gave up the INVITE `key`, which waits for its 487; the CANCEL is answered."""

    key: TransactionKey
    request: Request


@dataclass(frozen=True, slots=True)
class ResponseReceived:
    """A response: each one of an INVITE but repeated failures, each new one of the others."""

    key: TransactionKey
    response: Response
    flow: Flow


@dataclass(frozen=True, slots=True)
class TransactionFailed:
    """Over without an answer: 408 nobody answered, 503 the transport failed."""

    key: TransactionKey
    status: int


@dataclass(frozen=True, slots=True)
class ResponseUnacknowledged:
    """Timer H fired: nobody acknowledged our failure response to the INVITE `key`."""

    key: TransactionKey


@dataclass(frozen=True, slots=True)
class TransactionEnded:
    """A client transaction is over: nothing more will come of it."""

    key: TransactionKey


Event = (
    RequestReceived
    | AckReceived
    | CancelReceived
    | ResponseReceived
    | TransactionFailed
    | ResponseUnacknowledged
    | TransactionEnded
)
