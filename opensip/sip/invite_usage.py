"""The INVITE usage of a dialog: RFC 3261 sections 13 to 15, both roles.

The INVITE that we send first is an `InviteAttempt`; it hands over a usage when it is answered.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from opensip.errors import LocalProtocolError, RemoteProtocolError
from opensip.sip.dialog import Dialog
from opensip.sip.invite_events import (
    Acknowledged,
    Ended,
    Event,
    ReinviteCancelled,
    Reinvited,
    ReinviteDue,
    ReinviteReceived,
    ReinviteRefused,
    RequestReceived,
    State,
)
from opensip.sip.message import Request, Response
from opensip.sip.timers import Timers
from opensip.sip.transaction import TransactionKey
from opensip.sip.usage import (
    Acknowledge,
    Ask,
    Authorize,
    Respond,
    Usage,
    authorized,
    credentials_of,
    with_credentials,
)

_ACKS_KEPT = 4  # a 2xx may be retransmitted after the next re-INVITE has left
Fields = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Pending:
    """An INVITE of the peer without a final response."""

    key: TransactionKey
    request: Request


@dataclass(slots=True)
class _Unacknowledged:
    """Our 2xx, sent again until its ACK comes (section 13.3.1.4), over any transport."""

    key: TransactionKey
    response: Response
    cseq: int
    offered: bool
    resend_at: float
    resend_after: float
    expire_at: float


class InviteUsage(Usage[Event]):
    """A session within its dialog. Does no I/O.

    After each call, carry out what `messages_to_send` returns, act on what `next_event`
    returns, and call `handle_timer` no later than `get_timer` says. When `state` is ENDED
    nothing more will come of it. `random` gives floats from 0 up to 1. `owner` tells that the
    Call-ID is ours: after a collision of re-INVITEs we wait longer (section 14.1).
    """

    __slots__ = (
        "_acks",
        "_authorize",
        "_bye",
        "_bye_wanted",
        "_owner",
        "_pending",
        "_random",
        "_reinvite",
        "_reinvite_at",
        "_reinvite_wanted",
        "_timers",
        "_unacknowledged",
        "_unanswered",
        "dialog",
        "state",
    )

    def __init__(
        self,
        dialog: Dialog,
        *,
        owner: bool,
        random: Callable[[], float],
        timers: Timers | None = None,
        authorize: Authorize | None = None,
    ) -> None:
        super().__init__()
        self.dialog = dialog
        self.state = State.ESTABLISHED
        self._owner = owner
        self._random = random
        self._timers = timers or Timers()
        self._authorize = authorize
        self._pending: _Pending | None = None
        self._unacknowledged: _Unacknowledged | None = None
        self._reinvite: Request | None = None  # ours, without a final response
        self._unanswered: Request | None = None  # ours, accepted with an offer: its ACK waits
        self._reinvite_at: float | None = None
        self._reinvite_wanted = False
        self._acks: dict[int, Acknowledge] = {}
        self._bye: Request | None = None
        self._bye_wanted: tuple[Fields, Ended] | None = None  # as soon as the ACK has come

    @classmethod
    def as_uas(
        cls,
        dialog: Dialog,
        request: Request,
        key: TransactionKey,
        *,
        random: Callable[[], float],
        timers: Timers | None = None,
        authorize: Authorize | None = None,
    ) -> "InviteUsage":
        """Take the first INVITE `request`, whose dialog is early, to answer or reject it."""
        usage = cls(dialog, owner=False, random=random, timers=timers, authorize=authorize)
        usage.state = State.EARLY
        usage._pending = _Pending(key, request)
        return usage

    # ---- the peer's INVITE

    def provisional(
        self, status: int, reason: str | None = None, *, headers: Fields = (), body: bytes = b""
    ) -> None:
        """Tell the peer how its INVITE is getting on: `status` 100 to 199."""
        if self._pending is not None:
            self._respond(self._pending, status, reason, headers=headers, body=body)

    def answer(self, body: bytes, *, headers: Fields = (), now: float) -> None:
        """Accept the peer's INVITE: `body` answers its offer, or makes one if it had none.

        An INVITE that is over (cancelled, ended by BYE) takes no answer: an event told so.
        """
        if (pending := self._pending) is None:
            return
        self._pending = None
        response = self._respond(pending, 200, headers=headers, body=body)
        if self.state is State.EARLY:
            self.state = State.ESTABLISHED
            self.dialog.confirm()
        self._unacknowledged = _Unacknowledged(
            key=pending.key,
            response=response,
            cseq=pending.request.cseq.number,
            offered=not pending.request.body,
            resend_at=now + self._timers.t1,
            resend_after=self._timers.t1,
            expire_at=now + self._timers.limit,
        )

    def reject(self, status: int, reason: str | None = None, *, headers: Fields = ()) -> None:
        """Refuse the peer's INVITE: the first one ends the usage, a re-INVITE changes nothing."""
        if (pending := self._pending) is None:
            return
        self._pending = None
        self._respond(pending, status, reason, headers=headers)
        if self.state is State.EARLY:
            self._finish(Ended("local", "rejected", status))

    def receive_cancel(self, request: Request | None = None) -> None:
        """Learn that the peer cancelled its INVITE (the layer has answered the CANCEL)."""
        if (pending := self._pending) is None:
            return
        self._pending = None
        self._respond(pending, 487)
        if self.state is State.EARLY:
            self._finish(Ended("remote", "cancelled", 487, request))
        else:
            self._events.append(ReinviteCancelled())

    def receive_ack(self, request: Request, *, now: float) -> None:
        """Take the ACK of a 2xx of ours; one that came already is let go by."""
        waiting = self._unacknowledged
        if waiting is not None and waiting.cseq == request.cseq.number:
            self._acknowledged(request.body)

    def _acknowledged(self, body: bytes) -> None:
        waiting, self._unacknowledged = self._unacknowledged, None
        if waiting is not None:
            answer = body if waiting.offered else b""
            self._events.append(Acknowledged(answer, waiting.offered))
        if self._bye_wanted is not None:
            self._send_bye(*self._bye_wanted)
        self._let_reinvite()

    # ---- the peer's other requests

    def receive_request(self, key: TransactionKey, request: Request, *, now: float) -> None:
        """Take a new request within the dialog (not ACK, not CANCEL)."""
        try:
            self.dialog.receive_request(request)
        except RemoteProtocolError as error:
            self._answer(key, request, error.sip_status, error.reason)
            return
        if request.method == "BYE":
            self._receive_bye(key, request)
        elif self.state in (State.ENDING, State.ENDED):
            self._answer(key, request, 481)
        elif request.method == "INVITE":
            self._receive_reinvite(key, request)
        else:
            self._events.append(RequestReceived(key, request))

    def _receive_bye(self, key: TransactionKey, request: Request) -> None:
        self._answer(key, request, 200)
        if self.state is State.ENDING:
            return  # both hung up at once; our own BYE will be answered too
        self._finish(Ended("remote", "bye", None, request))

    def _receive_reinvite(self, key: TransactionKey, request: Request) -> None:
        waiting = self._unacknowledged
        if self._pending is not None:  # section 14.2
            retry = str(int(self._random() * 11))
            self._answer(key, request, 500, headers=[("Retry-After", retry)])
        elif self._reinvite is not None or self._unanswered is not None:
            self._answer(key, request, 491)
        elif waiting is not None and waiting.offered:
            self._answer(key, request, 491)  # RFC 5407 section 3.1.5: our offer has no answer
        else:
            if waiting is not None:
                self._acknowledged(b"")  # it had our 2xx: only the ACK was lost
            self._pending = _Pending(key, request)
            self._events.append(ReinviteReceived(request, request.body))

    # ---- our requests

    def reinvite(self, body: bytes, *, headers: Fields = (), now: float) -> None:
        """Change or refresh the session; without a body the peer is to make the offer.

        While another INVITE is under way `ReinviteDue` comes instead, later.
        """
        if self.state is not State.ESTABLISHED or self._bye_wanted is not None:
            raise LocalProtocolError(f"no re-INVITE in {self.state.name}")
        if self._is_busy or self._reinvite_at is not None:
            self._reinvite_wanted = self._reinvite_at is None
            return
        self._reinvite = self.dialog.create_request("INVITE", headers=headers, body=body)
        self._outgoing.append(Ask(self._reinvite))

    def acknowledge(self, answer: bytes) -> None:
        """Send the ACK that carries our answer to the offer of a `Reinvited`."""
        request, self._unanswered = self._unanswered, None
        if request is not None:
            self._send_ack(request, answer)
            self._let_reinvite()

    def bye(self, *, headers: Fields = ()) -> None:
        """End the session, in whatever state it is.

        Before our answer this refuses the INVITE; between our 2xx and its ACK the BYE waits
        for the ACK or its time-out (section 15).
        """
        match self.state:
            case State.EARLY:
                self.reject(603)
            case State.ESTABLISHED:
                self._end(headers, Ended("local", "bye"))
            case _:
                pass

    def lose(self, cause: str) -> None:
        """Give the session up: media is dead, or a request got 408 or 481 (section 12.2.1.2)."""
        if self.state is State.ESTABLISHED:
            self._end((), Ended("lost", cause))

    def receive_response(self, response: Response, *, now: float) -> None:
        """Take a response to a request of this usage."""
        number = response.cseq.number
        if self._bye is not None and number == self._bye.cseq.number:
            self._receive_bye_response(self._bye, response)
        elif self._reinvite is not None and number == self._reinvite.cseq.number:
            self._receive_reinvite_response(self._reinvite, response, now)
        elif number in self._acks and 200 <= response.status < 300:
            self._outgoing.append(self._acks[number])

    def transaction_failed(self, key: TransactionKey, status: int) -> None:
        """Learn that a transaction of this usage ended without an answer."""
        if key.side == "server":
            if self._pending is not None and self._pending.key == key:
                self._pending = None
                self._cannot_answer()
        elif key.method == "BYE":
            self.state = State.ENDED
        elif key.method == "INVITE" and self._reinvite is not None:
            self._reinvite = None
            self.lose(f"re-INVITE: {status}")

    # ---- time

    def get_timer(self) -> float | None:
        """Tell when `handle_timer` must next be called, if ever."""
        waiting = self._unacknowledged
        if waiting is None:
            return self._reinvite_at
        return min(waiting.resend_at, waiting.expire_at)

    def handle_timer(self, *, now: float) -> None:
        """Let every timer that is due fire."""
        waiting = self._unacknowledged
        if waiting is not None and now >= waiting.expire_at:
            self._unacknowledged = None
            self._send_bye(*(self._bye_wanted or ((), Ended("lost", "no ACK"))))
        elif waiting is not None and now >= waiting.resend_at:
            self._outgoing.append(Respond(waiting.key, waiting.response))
            waiting.resend_after = min(2 * waiting.resend_after, self._timers.t2)
            waiting.resend_at = now + waiting.resend_after
        elif self._reinvite_at is not None and now >= self._reinvite_at:
            self._reinvite_at, self._reinvite_wanted = None, True
            self._let_reinvite()

    # ---- steps

    @property
    def _is_busy(self) -> bool:
        """True while an INVITE of either side is under way (section 14.1)."""
        ways = (self._pending, self._unacknowledged, self._reinvite, self._unanswered)
        return any(way is not None for way in ways)

    def _let_reinvite(self) -> None:
        ready = self._reinvite_wanted and self.state is State.ESTABLISHED
        if ready and not self._is_busy and self._bye_wanted is None:
            self._reinvite_wanted = False
            self._events.append(ReinviteDue())

    def _receive_bye_response(self, bye: Request, response: Response) -> None:
        if response.status < 200:
            return
        credentials = authorized(bye, response, self._authorize)
        if credentials is None:
            self.state = State.ENDED
        else:
            self._bye = self._again(bye, credentials)

    def _receive_reinvite_response(self, asked: Request, response: Response, now: float) -> None:
        if response.status < 200:
            return
        self._reinvite = None
        if response.status < 300:
            self._accepted(asked, response)
        elif self.state is not State.ESTABLISHED:
            pass  # our BYE, or the peer's, is on its way
        elif (credentials := authorized(asked, response, self._authorize)) is not None:
            self._reinvite = self._again(asked, credentials)
        elif response.status == 491:
            window = 2.1 + 1.9 * self._random() if self._owner else 2.0 * self._random()
            self._reinvite_at = now + round(window, 2)  # steps of 10 ms
        elif response.status in (408, 481):
            self.lose(f"re-INVITE: {response.status}")
        else:
            self._events.append(ReinviteRefused(response))
            self._let_reinvite()

    def _accepted(self, asked: Request, response: Response) -> None:
        self.dialog.receive_response(response)
        over = self.state is not State.ESTABLISHED
        if asked.body or over:
            self._send_ack(asked, b"")
        else:
            self._unanswered = asked
        if not over:
            self._events.append(Reinvited(response, response.body))
            self._let_reinvite()

    def _send_ack(self, asked: Request, body: bytes) -> None:
        number = asked.cseq.number
        ack = self.dialog.create_ack(number, body, headers=credentials_of(asked))
        self._acks[number] = Acknowledge(ack)
        if len(self._acks) > _ACKS_KEPT:
            del self._acks[min(self._acks)]
        self._outgoing.append(self._acks[number])

    def _again(self, asked: Request, credentials: Sequence[tuple[str, str]]) -> Request:
        self.dialog.local_cseq += 1
        request = with_credentials(asked, self.dialog.local_cseq, credentials)
        self._outgoing.append(Ask(request))
        return request

    def _end(self, headers: Fields, ended: Ended) -> None:
        if self._unacknowledged is None:
            self._send_bye(headers, ended)
        elif self._bye_wanted is None:
            self._bye_wanted = tuple(headers), ended

    def _send_bye(self, headers: Fields, ended: Ended) -> None:
        self._refuse_pending()
        self.acknowledge(b"")  # the peer's 2xx would come for ever
        self._bye = self.dialog.create_request("BYE", headers=headers)
        self._outgoing.append(Ask(self._bye))
        self.state, self._bye_wanted = State.ENDING, None
        self._events.append(ended)

    def _finish(self, ended: Ended) -> None:
        self._refuse_pending()
        self.acknowledge(b"")
        self.state, self._unacknowledged, self._reinvite_at = State.ENDED, None, None
        self._events.append(ended)

    def _refuse_pending(self) -> None:
        if (pending := self._pending) is not None:
            self._pending = None
            self._respond(pending, 487)

    def _cannot_answer(self) -> None:
        if self.state is State.EARLY:
            self._finish(Ended("lost", "the transport of the INVITE failed"))
        else:
            self.lose("the transport of a re-INVITE failed")

    def _respond(
        self,
        pending: _Pending,
        status: int,
        reason: str | None = None,
        *,
        headers: Fields = (),
        body: bytes = b"",
    ) -> Response:
        key, request = pending.key, pending.request
        return self._answer(key, request, status, reason, headers=headers, body=body)

    def _answer(
        self,
        key: TransactionKey,
        request: Request,
        status: int,
        reason: str | None = None,
        *,
        headers: Fields = (),
        body: bytes = b"",
    ) -> Response:
        response = self.dialog.create_response(request, status, reason, headers=headers, body=body)
        self._outgoing.append(Respond(key, response))
        return response
