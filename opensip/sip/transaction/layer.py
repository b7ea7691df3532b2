"""The transaction layer: matches messages to transactions and keeps their deadlines."""

import heapq
from collections import Counter, deque
from collections.abc import Callable
from functools import partial

from opensip.errors import LocalProtocolError
from opensip.sip.fields import MAGIC_COOKIE
from opensip.sip.flow import Flow
from opensip.sip.headers import header_key
from opensip.sip.message import Message, Request, Response, response_to
from opensip.sip.timers import Timers
from opensip.sip.transaction import (
    AckReceived,
    CancelReceived,
    Event,
    RequestReceived,
    ResponseReceived,
    ResponseUnacknowledged,
    TransactionEnded,
    TransactionFailed,
    TransactionKey,
    machine,
)
from opensip.sip.transaction.client import ClientTransaction
from opensip.sip.transaction.hop import cancel_of, failure_ack, receive_via, send_via, way_back
from opensip.sip.transaction.invite_client import InviteClientTransaction
from opensip.sip.transaction.invite_server import InviteServerTransaction
from opensip.sip.transaction.machine import State
from opensip.sip.transaction.matching import MergeKey, key_of_request, key_of_response, merge_key
from opensip.sip.transaction.server import ServerTransaction
from opensip.sip.uri import NameAddr

Transaction = (
    InviteServerTransaction | ServerTransaction | InviteClientTransaction | ClientTransaction
)


class _Entry:
    """A transaction and what the layer knows of it. `armed` is its place in the heap."""

    __slots__ = ("armed", "flow", "invite", "key", "merge", "to", "transaction")

    def __init__(self, key: TransactionKey, flow: Flow, transaction: Transaction) -> None:
        self.key = key
        self.flow = flow
        self.transaction = transaction
        self.armed: float | None = None
        self.merge: MergeKey | None = None
        self.invite: Request | None = None  # of a client, until it is answered: for CANCEL
        self.to = ""  # of the last response to an INVITE: the tag of CANCEL's is the same


class TransactionLayer:
    """All transactions of an endpoint (RFC 3261 section 17). Does no I/O.

    After each call, send what `messages_to_send` returns, act on what `next_event` returns,
    and call `handle_timer` no later than `get_timer` says. `token` gives a new unguessable
    token each time; `now` is in seconds of one monotonic clock. A transaction that is over
    takes no further response: that it failed was told by an event.
    """

    def __init__(self, *, token: Callable[[], str], timers: Timers | None = None) -> None:
        self._token = token
        self._timers = timers or Timers()
        self._entries: dict[TransactionKey, _Entry] = {}
        self._merged: dict[MergeKey, TransactionKey] = {}
        self._by_flow: dict[Flow, set[TransactionKey]] = {}
        self._deadlines: list[tuple[float, int, _Entry]] = []
        self._serial = 0
        self._outgoing: list[tuple[Flow, bytes]] = []
        self._events: deque[Event] = deque()

    def receive(self, message: Message, flow: Flow, *, now: float) -> None:
        """Take a message from the transport.

        Raises RemoteProtocolError if a field that matching needs cannot be read.
        """
        if isinstance(message, Request):
            self._receive_request(message, flow, now)
        else:
            self._receive_response(message, flow, now)

    def respond(self, key: TransactionKey, response: Response, *, now: float) -> None:
        """Answer the request `key`. A 2xx to an INVITE may be given again and again."""
        entry = self._entries.get(key)
        if entry is None:
            return
        transaction = entry.transaction
        if not isinstance(transaction, InviteServerTransaction | ServerTransaction):
            raise LocalProtocolError(f"{key} is a client's")
        transaction.respond(response.status, response.to_bytes(), now=now)
        if key.method == "INVITE":
            entry.to = next((v for name, v in response.headers if header_key(name) == "to"), "")
        self._settle(entry, entry.flow, now)

    def forget(self, key: TransactionKey) -> None:
        """Let a request go that is never to be answered: nothing of it stays."""
        entry = self._entries.get(key)
        if entry is not None:
            self._remove(entry)

    def new_key(self, method: str) -> TransactionKey:
        """Make the key of a request that is to be sent later."""
        return TransactionKey("client", MAGIC_COOKIE + self._token(), method)

    def send_request(
        self,
        request: Request,
        flow: Flow,
        *,
        via_sent_by: str,
        now: float,
        key: TransactionKey | None = None,
    ) -> TransactionKey:
        """Send a request other than ACK, with our Via on top. `via_sent_by` is "host:port"."""
        branch = (key or self.new_key(request.method)).branch
        request = send_via(request, flow, via_sent_by, branch)
        return self._start_client(request, flow, branch, now).key

    def send_stateless(self, message: Message, flow: Flow, *, via_sent_by: str = "") -> None:
        """Send the ACK of a 2xx, with our Via on top, or a response, as it is."""
        if isinstance(message, Request):
            if not via_sent_by:
                raise LocalProtocolError(f"{message.method} needs a Via")
            message = send_via(message, flow, via_sent_by, MAGIC_COOKIE + self._token())
        self._outgoing.append((flow, message.to_bytes()))

    def cancel(self, key: TransactionKey, *, now: float) -> None:
        """Cancel our INVITE `key` as soon as section 9.1 allows; its end comes as an event.

        The answer may still be a 2xx. An INVITE that is answered already is left alone.
        """
        entry = self._entries.get(key)
        if entry is not None and isinstance(entry.transaction, InviteClientTransaction):
            entry.transaction.cancel(now=now)
            self._settle(entry, entry.flow, now)

    def connection_lost(self, flow: Flow, *, now: float) -> None:
        """Learn that a connection is gone: responses may go by another one (section 18.2.2)."""
        keys = self._by_flow.get(flow, ())
        self._fail([key for key in keys if key.side == "client"], flow, now)

    def transport_failed(self, flow: Flow, *, now: float) -> None:
        """Learn that nothing can be sent on a flow any more, nor in any way in its place."""
        if flow.reliable:
            self._fail(list(self._by_flow.get(flow, ())), flow, now)
        else:
            entries = self._entries.items()
            self._fail([key for key, entry in entries if entry.flow == flow], flow, now)

    def _fail(self, keys: list[TransactionKey], flow: Flow, now: float) -> None:
        for key in keys:
            entry = self._entries[key]
            entry.transaction.transport_failed()
            self._settle(entry, flow, now)

    def messages_to_send(self) -> list[tuple[Flow, bytes]]:
        """Take the messages to write, each to its flow, in order."""
        messages, self._outgoing = self._outgoing, []
        return messages

    def next_event(self) -> Event | None:
        """Take the next event for the transaction user."""
        return self._events.popleft() if self._events else None

    def get_timer(self) -> float | None:
        """Tell when `handle_timer` must next be called, if ever."""
        deadlines = self._deadlines
        while deadlines and deadlines[0][0] != deadlines[0][2].armed:
            heapq.heappop(deadlines)
        return deadlines[0][0] if deadlines else None

    def handle_timer(self, *, now: float) -> None:
        """Let every timer that is due fire."""
        while (at := self.get_timer()) is not None and at <= now:
            entry = heapq.heappop(self._deadlines)[2]
            entry.armed = None
            entry.transaction.handle_timer(now=now)
            self._settle(entry, entry.flow, now)

    def counts(self) -> dict[str, int]:
        """Count the transactions by side, those that linger included."""
        found = Counter(key.side for key in self._entries)
        return {"server": found["server"], "client": found["client"]}

    # ---- requests

    def _receive_request(self, request: Request, flow: Flow, now: float) -> None:
        key = key_of_request(request)
        entry = self._entries.get(key)
        if entry is not None and isinstance(
            entry.transaction, InviteServerTransaction | ServerTransaction
        ):
            entry.transaction.receive(request, now=now)
            self._settle(entry, flow, now)
        elif request.method == "ACK":
            self._events.append(AckReceived(request, flow))
        elif request.method == "CANCEL":
            self._receive_cancel(request, flow, key, now)
        else:
            self._receive_new(request, flow, key, now)

    def _receive_new(self, request: Request, flow: Flow, key: TransactionKey, now: float) -> None:
        merge = merge_key(request)
        entry, request = self._start_server(request, flow, key)
        if merge is not None and merge in self._merged:
            self.respond(key, response_to(request, 482, to_tag=self._token()), now=now)
            return
        if merge is not None:
            entry.merge = merge
            self._merged[merge] = key
        self._events.append(RequestReceived(key, request, flow))

    def _receive_cancel(
        self, request: Request, flow: Flow, key: TransactionKey, now: float
    ) -> None:
        _, request = self._start_server(request, flow, key)
        invite = self._entries.get(key._replace(method="INVITE"))
        if invite is None:
            self.respond(key, response_to(request, 481, to_tag=self._token()), now=now)
            return
        to_tag = (invite.to and NameAddr.parse(invite.to).tag) or self._token()
        self.respond(key, response_to(request, 200, to_tag=to_tag), now=now)
        if invite.transaction.state is State.PROCEEDING:
            self._events.append(CancelReceived(invite.key, request))

    def _start_server(
        self, request: Request, flow: Flow, key: TransactionKey
    ) -> tuple[_Entry, Request]:
        back = way_back(request, flow)
        noted = receive_via(request, flow)
        kind = InviteServerTransaction if key.method == "INVITE" else ServerTransaction
        entry = _Entry(key, back, kind(reliable=flow.reliable, timers=self._timers))
        self._add(entry)
        return entry, noted

    # ---- responses

    def _receive_response(self, response: Response, flow: Flow, now: float) -> None:
        entry = self._entries.get(key_of_response(response))
        if entry is None or not isinstance(
            entry.transaction, InviteClientTransaction | ClientTransaction
        ):
            return  # a stray: of a transaction that is over, or of none of ours
        entry.transaction.receive(response, now=now)
        if response.status >= 200:
            entry.invite = None
        self._settle(entry, flow, now)

    def _start_client(self, request: Request, flow: Flow, branch: str, now: float) -> _Entry:
        key = TransactionKey("client", branch, request.method)
        data, timers = request.to_bytes(), self._timers
        if request.method == "INVITE":
            ack = partial(failure_ack, request)
            transaction: Transaction = InviteClientTransaction(
                data, make_ack=ack, reliable=flow.reliable, now=now, timers=timers
            )
        else:
            transaction = ClientTransaction(data, reliable=flow.reliable, now=now, timers=timers)
        entry = _Entry(key, flow, transaction)
        entry.invite = request if request.method == "INVITE" else None
        self._add(entry)
        self._settle(entry, flow, now)
        return entry

    def _send_cancel(self, entry: _Entry, now: float) -> None:
        if entry.invite is not None:
            self._start_client(cancel_of(entry.invite), entry.flow, entry.key.branch, now)

    # ---- all of them

    def _settle(self, entry: _Entry, flow: Flow, now: float) -> None:
        """Pass on what the transaction wants sent and told; end it or arm its timer."""
        transaction = entry.transaction
        for data in transaction.messages_to_send():
            self._outgoing.append((entry.flow, data))
        while (event := transaction.next_event()) is not None:
            self._tell(entry, event, flow, now)
        if transaction.state is State.TERMINATED:
            self._remove(entry)
            if entry.key.side == "client" and entry.key.method != "CANCEL":
                self._events.append(TransactionEnded(entry.key))
            return
        at = transaction.get_timer()
        # A deadline that moved away is left in the heap: it will fire in vain, once.
        if at is not None and (entry.armed is None or at < entry.armed):
            entry.armed = at
            self._serial += 1
            heapq.heappush(self._deadlines, (at, self._serial, entry))

    def _tell(self, entry: _Entry, event: machine.Event, flow: Flow, now: float) -> None:
        key = entry.key
        match event:
            case machine.AckReceived(request):
                # It has the branch of its INVITE, so it is that one's, whatever To tag its
                # sender made up (pyVoIP does): the dialog is found by the tag that we gave.
                known = request.with_headers(request.headers.replace("To", entry.to))
                self._events.append(AckReceived(known, flow))
            case machine.AckTimedOut():
                self._events.append(ResponseUnacknowledged(key))
            case machine.CancelDue():
                self._send_cancel(entry, now)
            case _ if key.method == "CANCEL":
                pass  # what counts is the end of the INVITE
            case machine.ResponseReceived(response):
                self._events.append(ResponseReceived(key, response, flow))
            case machine.TimedOut():
                self._events.append(TransactionFailed(key, 408))
            case machine.TransportFailed():
                self._events.append(TransactionFailed(key, 503))

    def _add(self, entry: _Entry) -> None:
        self._entries[entry.key] = entry
        if entry.flow.reliable:
            self._by_flow.setdefault(entry.flow, set()).add(entry.key)

    def _remove(self, entry: _Entry) -> None:
        entry.armed = None
        del self._entries[entry.key]
        if entry.merge is not None:
            del self._merged[entry.merge]
        if entry.flow.reliable:
            keys = self._by_flow[entry.flow]
            keys.discard(entry.key)
            if not keys:
                del self._by_flow[entry.flow]
