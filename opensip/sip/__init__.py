"""RFC 3261 without I/O: values come in, values go out, the caller holds sockets and clock."""

from opensip.sip.dialog import Dialog, DialogId, DialogState
from opensip.sip.digest import Challenge, DigestVerifier, Ha1, authorize
from opensip.sip.fields import (
    CSeq,
    Event,
    Reason,
    ReferTo,
    Replaces,
    SubscriptionState,
    UserToUser,
    Via,
)
from opensip.sip.flow import Flow
from opensip.sip.framing import PONG, Ping, StreamFramer, UnreadableStream, frame_datagram
from opensip.sip.grammar import Params
from opensip.sip.headers import Headers
from opensip.sip.identity_fields import HistoryEntry, InfoPackage, Privacy, ReferredBy
from opensip.sip.invite_attempt import InviteAttempt
from opensip.sip.invite_usage import InviteUsage
from opensip.sip.masking import masked
from opensip.sip.message import (
    Message,
    Request,
    Response,
    check_request,
    check_response,
    parse_message,
    refusal_of,
    response_to,
)
from opensip.sip.reasons import REASONS
from opensip.sip.refer_usage import ReferProgress, ReferReceiver, ReferSender
from opensip.sip.response_fields import RAck, RSeq, Warning
from opensip.sip.session_timer import SessionTimer
from opensip.sip.timers import Timers
from opensip.sip.timing_fields import Date, MinSE, RetryAfter, SessionExpires
from opensip.sip.transaction import TransactionKey
from opensip.sip.transaction.layer import TransactionLayer
from opensip.sip.uri import NameAddr, Uri

__all__ = [
    "PONG",
    "REASONS",
    "CSeq",
    "Challenge",
    "Date",
    "Dialog",
    "DialogId",
    "DialogState",
    "DigestVerifier",
    "Event",
    "Flow",
    "Ha1",
    "Headers",
    "HistoryEntry",
    "InfoPackage",
    "InviteAttempt",
    "InviteUsage",
    "Message",
    "MinSE",
    "NameAddr",
    "Params",
    "Ping",
    "Privacy",
    "RAck",
    "RSeq",
    "Reason",
    "ReferProgress",
    "ReferReceiver",
    "ReferSender",
    "ReferTo",
    "ReferredBy",
    "Replaces",
    "Request",
    "Response",
    "RetryAfter",
    "SessionExpires",
    "SessionTimer",
    "StreamFramer",
    "SubscriptionState",
    "Timers",
    "TransactionKey",
    "TransactionLayer",
    "UnreadableStream",
    "Uri",
    "UserToUser",
    "Via",
    "Warning",
    "authorize",
    "check_request",
    "check_response",
    "frame_datagram",
    "masked",
    "parse_message",
    "refusal_of",
    "response_to",
]
