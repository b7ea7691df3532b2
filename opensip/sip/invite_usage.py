"""The INVITE usage of a dialog: RFC 3261 sections 13 to 15, both roles.

The INVITE that we send first is an `InviteAttempt`; it hands over a usage when it is answered.
"""

from collections.abc import Callable, Iterable

from opensip.errors import LocalProtocolError, RemoteProtocolError
from opensip.sip.dialog import Dialog
from opensip.sip.invite_answer import InviteAnswer
from opensip.sip.invite_events import (
    Acknowledged,
    Ended,
    Event,
    ReinviteCancelled,
    ReinviteDue,
    ReinviteReceived,
    RequestReceived,
    State,
)
from opensip.sip.message import Request, Response
from opensip.sip.reinvite import Outcome, Reinvites
from opensip.sip.timers import Timers
from opensip.sip.transaction import TransactionKey
from opensip.sip.usage import Ask, Authorize, Respond, Usage, authorized, with_credentials

Fields = Iterable[tuple[str, str]]
_Pending = tuple[TransactionKey, Request]  # an INVITE of the peer without a final response


class InviteUsage(Usage[Event]):
    """A session within its dialog. Does no I/O.

    After each call, carry out what `messages_to_send` returns, act on what `next_event`
    returns, and call `handle_timer` no later than `get_timer` says. When `state` is ENDED
    nothing more will come of it. `random` gives floats from 0 up to 1. `owner` tells that the
    Call-ID is ours: after a collision of re-INVITEs we wait longer (section 14.1).
    """

    __slots__ = (
        "_answered",
        "_authorize",
        "_bye",
        "_bye_wanted",
        "_pending",
        "_random",
        "_reinvites",
        "_timers",
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
        self._random = random
        self._timers = timers or Timers()
        self._authorize = authorize
        self._pending: _Pending | None = None
        self._answered: InviteAnswer | None = None
        self._reinvites = Reinvites(
            dialog, self._command, owner=owner, random=random, authorize=authorize
        )
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
        usage._pending = key, request
        return usage

    # ---- the peer's INVITE

    def provisional(
        self, status: int, reason: str | None = None, *, headers: Fields = (), body: bytes = b""
    ) -> None:
        """Tell the peer how its INVITE is getting on: `status` 100 to 199."""
        if self._pending is not None:
            self._answer(*self._pending, status, reason, headers=headers, body=body)

    def answer(self, body: bytes, *, headers: Fields = (), now: float) -> None:
        """Accept the peer's INVITE: `body` answers its offer, or makes one if it had none.

        An INVITE that is over (cancelled, ended by BYE) takes no answer: an event told so.
        """
        if (pending := self._pending) is None:
            return
        self._pending = None
        response = self._answer(*pending, 200, headers=headers, body=body)
        if self.state is State.EARLY:
            self.state = State.ESTABLISHED
            self.dialog.confirm()
        self._answered = InviteAnswer(*pending, response, timers=self._timers, now=now)

    def reject(self, status: int, reason: str | None = None, *, headers: Fields = ()) -> None:
        """Refuse the peer's INVITE: the first one ends the usage, a re-INVITE changes nothing."""
        if (pending := self._pending) is None:
            return
        self._pending = None
        self._answer(*pending, status, reason, headers=headers)
        if self.state is State.EARLY:
            self._finish(Ended("local", "rejected", status))

    def receive_cancel(self, request: Request | None = None) -> None:
        """Learn that the peer cancelled its INVITE (the layer has answered the CANCEL)."""
        if (pending := self._pending) is None:
            return
        self._pending = None
        self._answer(*pending, 487)
        if self.state is State.EARLY:
            self._finish(Ended("remote", "cancelled", 487, request))
        else:
            self._events.append(ReinviteCancelled())

    def receive_ack(self, request: Request, *, now: float) -> None:
        """Take the ACK of a 2xx of ours; one that came already is let go by."""
        answered = self._answered
        if answered is not None and answered.cseq == request.cseq.number:
            self._acknowledged(answered, request.body)

    def _acknowledged(self, answered: InviteAnswer, body: bytes) -> None:
        self._answered = None
        answer = body if answered.offered else b""
        self._events.append(Acknowledged(answer, answered.offered))
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
        if request.method == "BYE" and self.state is not State.ENDED:
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
        answered = self._answered
        if self._pending is not None:  # section 14.2
            retry = str(int(self._random() * 11))
            self._answer(key, request, 500, headers=[("Retry-After", retry)])
        elif self._reinvites.is_busy:
            self._answer(key, request, 491)
        elif answered is not None and answered.offered:
            self._answer(key, request, 491)  # RFC 5407 section 3.1.5: our offer has no answer
        else:
            self._open_reinvite(key, request)

    def _open_reinvite(self, key: TransactionKey, request: Request) -> None:
        if self._answered is not None:
            self._acknowledged(self._answered, b"")  # it had our 2xx: only the ACK was lost
        if self.state is State.ESTABLISHED:
            self._pending = key, request
            self._events.append(ReinviteReceived(request, request.body))
        else:
            self._answer(key, request, 487)  # a BYE had waited for that ACK

    # ---- our requests

    def reinvite(self, body: bytes, *, headers: Fields = (), now: float) -> None:
        """Change or refresh the session; without a body the peer is to make the offer.

        While another INVITE is under way `ReinviteDue` comes instead, later.
        """
        if self.state is not State.ESTABLISHED or self._bye_wanted is not None:
            raise LocalProtocolError(f"no re-INVITE in {self.state.name}")
        if self._reinvites.pause_until is not None:
            return  # it will be due after the pause
        if self._is_busy:
            self._reinvites.is_wanted = True
            return
        self._reinvites.send(body, headers)

    def acknowledge(self, answer: bytes) -> None:
        """Send the ACK that carries our answer to the offer of a `Reinvited`."""
        self._reinvites.acknowledge(answer)
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
        if self.state is State.EARLY:
            self._finish(Ended("lost", cause))
        elif self.state is State.ESTABLISHED:
            self._end((), Ended("lost", cause))

    def receive_response(self, response: Response, *, now: float) -> None:
        """Take a response to a request of this usage."""
        if self._bye is not None and response.cseq == self._bye.cseq:
            self._receive_bye_response(self._bye, response)
        elif response.cseq.method == "INVITE":
            live = self.state is State.ESTABLISHED
            self._reinvited(self._reinvites.receive_response(response, live=live, now=now))

    def transaction_failed(self, key: TransactionKey, status: int) -> None:
        """Learn that a transaction of this usage ended without an answer."""
        if self._pending is not None and self._pending[0] == key:
            self._pending = None
            self.lose(f"INVITE: {status}")
        elif key.side == "server":
            pass  # what was answered needs no second answer
        elif key.method == "BYE":
            self.state = State.ENDED
        elif key.method == "INVITE":
            self._reinvited(self._reinvites.failed(status))

    # ---- time

    def get_timer(self) -> float | None:
        """Tell when `handle_timer` must next be called, if ever."""
        return self._reinvites.pause_until if self._answered is None else self._answered.get_timer()

    def handle_timer(self, *, now: float) -> None:
        """Let every timer that is due fire."""
        answered = self._answered
        if answered is not None and now >= answered.expire_at:
            self._answered = None
            self._send_bye(*(self._bye_wanted or ((), Ended("lost", "no ACK"))))
        elif answered is not None and answered.is_due(now):
            self._command(answered.command)
        elif self._reinvites.is_due(now):
            self._reinvites.is_wanted = True
            self._let_reinvite()

    # ---- steps

    @property
    def _is_busy(self) -> bool:
        """True while an INVITE of either side is under way (section 14.1)."""
        ours, theirs = self._reinvites.is_busy, self._pending is not None
        return ours or theirs or self._answered is not None

    def _let_reinvite(self) -> None:
        ready = self._reinvites.is_wanted and self.state is State.ESTABLISHED
        if ready and not self._is_busy and self._bye_wanted is None:
            self._reinvites.is_wanted = False
            self._events.append(ReinviteDue())

    def _reinvited(self, outcome: Outcome | None) -> None:
        match outcome:
            case None:
                return
            case Ended(cause=cause):
                self.lose(cause)
            case _:
                self._events.append(outcome)
                self._let_reinvite()

    def _receive_bye_response(self, bye: Request, response: Response) -> None:
        if response.status < 200:
            return
        credentials = authorized(bye, response, self._authorize)
        if credentials is None:
            self.state = State.ENDED
        else:
            self.dialog.local_cseq += 1
            self._bye = with_credentials(bye, self.dialog.local_cseq, credentials)
            self._command(Ask(self._bye))

    def _end(self, headers: Fields, ended: Ended) -> None:
        if self._answered is None:
            self._send_bye(headers, ended)
        elif self._bye_wanted is None:
            self._bye_wanted = tuple(headers), ended

    def _send_bye(self, headers: Fields, ended: Ended) -> None:
        self._refuse_pending()
        self._reinvites.acknowledge(b"")  # the peer's 2xx would come for ever
        self._bye = self.dialog.create_request("BYE", headers=headers)
        self._command(Ask(self._bye))
        self._reinvites.pause_until = None
        self.state, self._bye_wanted = State.ENDING, None
        self._events.append(ended)

    def _finish(self, ended: Ended) -> None:
        self._refuse_pending()
        self._reinvites.acknowledge(b"")
        self._reinvites.pause_until = None
        self.state, self._answered = State.ENDED, None
        self._events.append(ended)

    def _refuse_pending(self) -> None:
        if (pending := self._pending) is not None:
            self._pending = None
            self._answer(*pending, 487)

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
        self._command(Respond(key, response))
        return response
